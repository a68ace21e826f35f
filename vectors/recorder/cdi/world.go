package recorder

import (
	"encoding/json"
	"os"

	storage "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	cdi "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
)

// Case is one line of a suite; the fields in the order in which they are written.
type Case struct {
	ID         string                     `json:"id"`
	Release    string                     `json:"release"`
	About      string                     `json:"about,omitempty"`
	Now        string                     `json:"now"`
	Controller string                     `json:"controller"`
	Request    string                     `json:"request"`
	Cluster    Cluster                    `json:"cluster"`
	Objects    []json.RawMessage          `json:"objects"`
	Deny       map[string]string          `json:"deny,omitempty"`
	Progress   map[string]json.RawMessage `json:"progress,omitempty"`
	Expect     *answer                    `json:"expect,omitempty"`
	Fresh      *answer                    `json:"fresh,omitempty"`
}

// Cluster is what a case changes of cluster.json.
type Cluster struct {
	Default       string   `json:"default,omitempty"`
	NoDriver      bool     `json:"noDriver,omitempty"`
	Gates         []string `json:"gates"`
	Scratch       string   `json:"scratch,omitempty"`
	CloneStrategy string   `json:"cloneStrategy,omitempty"`
}

// commonObjects are StorageClasses with their profiles, a CSIDriver, CDIConfig and CDI.
func commonObjects() []json.RawMessage {
	text, err := os.ReadFile("../../datavolume/cluster.json")
	must(err)
	var objects []json.RawMessage
	must(json.Unmarshal(text, &objects))
	return objects
}

// objects gives all that the case's cluster holds.
func (c *Case) objects(scheme *runtime.Scheme) []client.Object {
	decoder := serializer.NewCodecFactory(scheme).UniversalDeserializer()
	var objects []client.Object
	for _, text := range append(commonObjects(), c.Objects...) {
		object, _, err := decoder.Decode(text, nil, nil)
		must(err)
		if kept := c.adapt(object.(client.Object)); kept != nil {
			objects = append(objects, kept)
		}
	}
	return objects
}

// adapt makes of a common object what the case wants of it.
func (c *Case) adapt(object client.Object) client.Object {
	switch it := object.(type) {
	case *storage.CSIDriver:
		if c.Cluster.NoDriver {
			return nil
		}
	case *storage.StorageClass:
		if it.Name == c.Cluster.Default {
			it.Annotations = map[string]string{"storageclass.kubernetes.io/is-default-class": "true"}
		}
	case *cdi.CDIConfig:
		it.Spec.FeatureGates = c.Cluster.Gates
		it.Status.ScratchSpaceStorageClass = c.Cluster.Scratch
	case *cdi.StorageProfile:
		if strategy := cdi.CDICloneStrategy(c.Cluster.CloneStrategy); strategy != "" && it.Name == "csi" {
			it.Status.CloneStrategy = &strategy
		}
	}
	return object
}

// store fills a server with the case's objects. An old cache is one that has not heard of what is written to it.
func (c *Case) store(manager *fakeManager, old bool) {
	objects := c.objects(manager.scheme)
	build := func() client.Client {
		builder := fake.NewClientBuilder().WithScheme(manager.scheme)
		for _, object := range objects {
			copied := object.DeepCopyObject().(client.Object)
			builder.WithObjects(copied).WithStatusSubresource(copied)
		}
		for _, index := range manager.indexes {
			builder.WithIndex(index.of, index.field, index.keys)
		}
		return builder.Build()
	}
	it := manager.client
	it.deny, it.stored = c.Deny, build()
	it.Client = it.stored
	if old {
		it.Client = build()
	}
}
