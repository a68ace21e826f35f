package recorder

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
)

// pages is what the importers' metrics pages say, by the address of the pod. CDI's controllers have one HTTP client
// for all reconcilers, made from the default transport, so that the pages of the case in hand are global too.
var pages map[string]string

// serveProgress lets connections lead to the pages; where there is none, nobody answers.
func serveProgress() {
	certificate := certificate()
	dial := func(_ context.Context, _, address string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(address)
		must(err)
		page, found := pages[host]
		if !found {
			return nil, errors.New("connection refused")
		}
		here, there := net.Pipe()
		go func() {
			defer there.Close()
			serve(tls.Server(there, &tls.Config{Certificates: []tls.Certificate{certificate}}), page)
		}()
		return here, nil
	}
	http.DefaultTransport = &http.Transport{DialContext: dial}
}

func serve(connection net.Conn, page string) {
	if _, err := http.ReadRequest(bufio.NewReader(connection)); err != nil {
		return
	}
	fmt.Fprintf(connection, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", len(page), page)
}

func certificate() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	bytes, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(err)
	return tls.Certificate{Certificate: [][]byte{bytes}, PrivateKey: key}
}
