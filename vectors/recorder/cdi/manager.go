// Package recorder asks CDI's own controllers what one reconcile of theirs does.
package recorder

import (
	"context"
	"net/http"
	"strings"

	"github.com/go-logr/logr"
	snapshots "github.com/kubernetes-csi/external-snapshotter/client/v6/apis/volumesnapshot/v1"
	extensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	clientgo "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/record"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	cdi "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
)

// index is what a controller's cache looks objects up by.
type index struct {
	of    client.Object
	field string
	keys  client.IndexerFunc
}

// fakeManager is as much of a manager as the constructors of CDI's controllers ask for.
type fakeManager struct {
	manager.Manager
	scheme  *runtime.Scheme
	mapper  meta.RESTMapper
	client  *server
	indexes []index
	answer  *answer
}

func newManager(answer *answer) *fakeManager {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		clientgo.AddToScheme, cdi.AddToScheme, extensions.AddToScheme, snapshots.AddToScheme,
	} {
		must(add(scheme))
	}
	mapper := meta.NewDefaultRESTMapper(scheme.PreferredVersionAllGroups())
	for kind := range scheme.AllKnownTypes() {
		mapper.Add(kind, meta.RESTScopeNamespace)
	}
	empty := fake.NewClientBuilder().WithScheme(scheme).Build()
	return &fakeManager{
		scheme: scheme, mapper: mapper, answer: answer,
		client: &server{Client: empty, mapper: mapper, scheme: scheme, answer: answer},
	}
}

func (m *fakeManager) GetClient() client.Client             { return m.client }
func (m *fakeManager) GetScheme() *runtime.Scheme           { return m.scheme }
func (m *fakeManager) GetRESTMapper() meta.RESTMapper       { return m.mapper }
func (m *fakeManager) GetLogger() logr.Logger               { return logr.Discard() }
func (m *fakeManager) GetCache() cache.Cache                { return nil }
func (m *fakeManager) GetFieldIndexer() client.FieldIndexer { return m }
func (m *fakeManager) Add(manager.Runnable) error           { return nil }
func (m *fakeManager) GetControllerOptions() config.Controller {
	return config.Controller{SkipNameValidation: ptr.To(true)}
}

// GetConfig leads to a server that has nothing: what CDI asks past its cache are ConfigMaps that no case has.
func (m *fakeManager) GetConfig() *rest.Config {
	return &rest.Config{Host: "http://server", Transport: nothing{}}
}

func (m *fakeManager) GetEventRecorderFor(source string) record.EventRecorder {
	return &recorder{source: source, scheme: m.scheme, answer: m.answer}
}

// IndexField keeps what the fake client must be built with.
func (m *fakeManager) IndexField(_ context.Context, of client.Object, field string, keys client.IndexerFunc) error {
	m.indexes = append(m.indexes, index{of, field, keys})
	return nil
}

type nothing struct{}

func (nothing) RoundTrip(request *http.Request) (*http.Response, error) {
	const body = `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404}`
	header := http.Header{"Content-Type": {"application/json"}}
	return &http.Response{StatusCode: 404, Header: header, Body: closer{strings.NewReader(body)}, Request: request}, nil
}

type closer struct{ *strings.Reader }

func (closer) Close() error { return nil }

func must(err error) {
	if err != nil {
		panic(err)
	}
}
