// Recorder: what kube-scheduler itself decides about the pods of a case, and what apimachinery makes of a quantity.
//
//	recorder schedule   < cases without expect > cases
//	recorder quantities < texts                > answers
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
)

func main() {
	klog.SetLogger(logr.Discard())
	record := map[string]func([]byte) (any, error){"schedule": schedule, "quantities": quantity}
	if len(os.Args) != 2 || record[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: recorder schedule|quantities")
		os.Exit(2)
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<26)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for number := 1; lines.Scan(); number++ {
		answer, err := record[os.Args[1]](lines.Bytes())
		if err != nil {
			fmt.Fprintf(os.Stderr, "line %d is left out: %v\n", number, err)
			continue
		}
		var text bytes.Buffer
		encoder := json.NewEncoder(&text)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(answer); err != nil {
			panic(err)
		}
		out.Write(text.Bytes())
	}
	if err := lines.Err(); err != nil {
		panic(err)
	}
}
