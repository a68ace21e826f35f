package main

import (
	"context"
	"encoding/json"
	"fmt"

	v1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	api "k8s.io/kubernetes/pkg/apis/core"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	_ "k8s.io/kubernetes/pkg/apis/scheduling/install"
	_ "k8s.io/kubernetes/pkg/apis/storage/install"
	"k8s.io/kubernetes/pkg/registry/core/node"
	"k8s.io/kubernetes/pkg/registry/core/persistentvolume"
	"k8s.io/kubernetes/pkg/registry/core/persistentvolumeclaim"
	"k8s.io/kubernetes/pkg/registry/core/pod"
	"k8s.io/kubernetes/pkg/registry/scheduling/priorityclass"
	"k8s.io/kubernetes/pkg/registry/storage/storageclass"
)

// world is what the API server would hold: the objects of a case by resource, in the order of their creation.
type world map[string][]runtime.Object

// kinds: what the API server calls the resource, and how it takes in a new object.
var kinds = map[string]struct {
	resource string
	strategy rest.RESTCreateStrategy
}{
	"Node":                  {"nodes", node.Strategy},
	"Pod":                   {"pods", pod.Strategy},
	"PersistentVolume":      {"persistentvolumes", persistentvolume.Strategy},
	"PersistentVolumeClaim": {"persistentvolumeclaims", persistentvolumeclaim.Strategy},
	"StorageClass":          {"storageclasses", storageclass.Strategy},
	"PriorityClass":         {"priorityclasses", priorityclass.Strategy},
}

// newWorld defaults, prepares and validates every object as the API server does.
func newWorld(manifests []json.RawMessage) (world, error) {
	w := world{}
	for at, manifest := range manifests {
		object, err := runtime.Decode(legacyscheme.Codecs.UniversalDeserializer(), manifest)
		if err != nil {
			return nil, fmt.Errorf("object %d: %w", at, err)
		}
		kind := object.GetObjectKind().GroupVersionKind().Kind
		known, ok := kinds[kind]
		if !ok {
			return nil, fmt.Errorf("object %d: no kind of the scheduler's: %s", at, kind)
		}
		if object, err = admit(object, known.strategy, fmt.Sprintf("uid-%d", at)); err != nil {
			return nil, fmt.Errorf("object %d, a %s: %w", at, kind, err)
		}
		w[known.resource] = append(w[known.resource], object)
	}
	return w, w.complete()
}

// admit keeps the status, which a create call would drop: the object has been there for a while.
func admit(object runtime.Object, strategy rest.RESTCreateStrategy, uid string) (runtime.Object, error) {
	meta := object.(metav1.Object)
	if meta.GetUID() == "" {
		meta.SetUID(types.UID(uid))
	}
	if meta.GetNamespace() == "" && strategy.NamespaceScoped() {
		meta.SetNamespace("default")
	}
	legacyscheme.Scheme.Default(object)
	internal, err := legacyscheme.Scheme.ConvertToVersion(object, runtime.InternalGroupVersioner)
	if err != nil {
		return nil, err
	}
	given := internal.DeepCopyObject()
	ctx := request.WithRequestInfo(context.Background(), &request.RequestInfo{})
	strategy.PrepareForCreate(ctx, internal)
	switch prepared := internal.(type) {
	case *api.Pod:
		prepared.Status = given.(*api.Pod).Status
	case *api.PersistentVolume:
		prepared.Status = given.(*api.PersistentVolume).Status
	case *api.PersistentVolumeClaim:
		prepared.Status = given.(*api.PersistentVolumeClaim).Status
	}
	if errs := strategy.Validate(ctx, internal); len(errs) > 0 {
		return nil, errs.ToAggregate()
	}
	strategy.Canonicalize(internal)
	// What is stored has been encoded, which drops empty lists.
	stored, err := runtime.Encode(legacyscheme.Codecs.LegacyCodec(object.GetObjectKind().GroupVersionKind().GroupVersion()), internal)
	if err != nil {
		return nil, err
	}
	return runtime.Decode(legacyscheme.Codecs.UniversalDeserializer(), stored)
}

// complete adds the namespaces, and the priorities as the admission plugin Priority does.
func (w world) complete() error {
	classes := map[string]*schedulingv1.PriorityClass{
		"system-cluster-critical": {Value: 2000000000}, "system-node-critical": {Value: 2000001000},
	}
	var byDefault *schedulingv1.PriorityClass
	for _, object := range w["priorityclasses"] {
		class := object.(*schedulingv1.PriorityClass)
		classes[class.Name] = class
		if class.GlobalDefault && (byDefault == nil || class.Value < byDefault.Value) {
			byDefault = class
		}
	}
	names := map[string]bool{"default": true}
	for _, object := range w["pods"] {
		pod := object.(*v1.Pod)
		names[pod.Namespace] = true
		class := byDefault
		if name := pod.Spec.PriorityClassName; name != "" {
			if class = classes[name]; class == nil && pod.Spec.Priority == nil {
				return fmt.Errorf("no PriorityClass with name %s was found", name)
			}
		}
		if pod.Spec.Priority == nil {
			pod.Spec.Priority = new(int32)
			if class != nil {
				pod.Spec.Priority = &class.Value
				if pod.Spec.PreemptionPolicy == nil {
					pod.Spec.PreemptionPolicy = class.PreemptionPolicy
				}
			}
		}
	}
	for name := range names {
		labels := map[string]string{v1.LabelMetadataName: name}
		w["namespaces"] = append(w["namespaces"], &v1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}})
	}
	return nil
}

// list answers a list call.
func (w world) list(resource string) runtime.Object {
	switch resource {
	case "nodes":
		return &v1.NodeList{Items: items[v1.Node](w[resource])}
	case "pods":
		return &v1.PodList{Items: unfinished(items[v1.Pod](w[resource]))}
	case "namespaces":
		return &v1.NamespaceList{Items: items[v1.Namespace](w[resource])}
	case "persistentvolumes":
		return &v1.PersistentVolumeList{Items: items[v1.PersistentVolume](w[resource])}
	case "persistentvolumeclaims":
		return &v1.PersistentVolumeClaimList{Items: items[v1.PersistentVolumeClaim](w[resource])}
	case "storageclasses":
		return &storagev1.StorageClassList{Items: items[storagev1.StorageClass](w[resource])}
	}
	return nil
}

func items[T any](objects []runtime.Object) []T {
	var all []T
	for _, object := range objects {
		all = append(all, *any(object).(*T))
	}
	return all
}

// unfinished is the scheduler's field selector.
func unfinished(pods []v1.Pod) []v1.Pod {
	var some []v1.Pod
	for _, pod := range pods {
		if pod.Status.Phase != v1.PodSucceeded && pod.Status.Phase != v1.PodFailed {
			some = append(some, pod)
		}
	}
	return some
}
