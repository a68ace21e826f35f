// The server of a chain, and what was seen of the machine and its instance.
package vm

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"

	k8sv1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	clienttesting "k8s.io/client-go/testing"
	v1 "kubevirt.io/api/core/v1"
)

var (
	machinesResource  = schema.GroupVersionResource{Group: "kubevirt.io", Version: "v1", Resource: "virtualmachines"}
	instancesResource = schema.GroupVersionResource{Group: "kubevirt.io", Version: "v1", Resource: "virtualmachineinstances"}
	podsResource      = schema.GroupVersionResource{Version: "v1", Resource: "pods"}
	claimsResource    = schema.GroupVersionResource{Version: "v1", Resource: "persistentvolumeclaims"}
	volumesResource   = schema.GroupVersionResource{Group: "cdi.kubevirt.io", Version: "v1beta1", Resource: "datavolumes"}
)

// server is a tracker with revisions, names, uids and finalizers.
type server struct {
	clienttesting.ObjectTracker
	lock   sync.Mutex
	writes int
	// wrote hears of every write; nil is an object that is gone.
	wrote func(resource schema.GroupVersionResource, name string, object runtime.Object)
}

func (s *server) number() int {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.writes++
	return s.writes
}

func (s *server) tell(resource schema.GroupVersionResource, name string, object runtime.Object) {
	if s.wrote != nil {
		s.wrote(resource, name, object)
	}
}

func (s *server) Create(resource schema.GroupVersionResource, object runtime.Object, namespace string, options ...metav1.CreateOptions) error {
	n := s.number()
	m, _ := meta.Accessor(object)
	m.SetResourceVersion(fmt.Sprint(n))
	m.SetNamespace(namespace)
	if m.GetName() == "" {
		m.SetName(fmt.Sprintf("%s%05d", m.GetGenerateName(), n))
	}
	if m.GetUID() == "" {
		m.SetUID(types.UID(fmt.Sprintf("uid-%s-%d", resource.Resource, n)))
	}
	m.SetCreationTimestamp(metav1.Now())
	if resource == instancesResource {
		// By KubeVirt's webhook.
		m.SetFinalizers(append([]string{v1.VirtualMachineInstanceFinalizer}, m.GetFinalizers()...))
	}
	defer s.tell(resource, m.GetName(), object)
	return s.ObjectTracker.Create(resource, object, namespace, options...)
}

func (s *server) Update(resource schema.GroupVersionResource, object runtime.Object, namespace string, options ...metav1.UpdateOptions) error {
	m, _ := meta.Accessor(object)
	if m.GetDeletionTimestamp() != nil && len(m.GetFinalizers()) == 0 && resource != podsResource {
		defer s.tell(resource, m.GetName(), nil)
		return s.ObjectTracker.Delete(resource, namespace, m.GetName())
	}
	before, err := s.Get(resource, namespace, m.GetName())
	if err != nil {
		return err
	}
	old, _ := meta.Accessor(before)
	m.SetResourceVersion(old.GetResourceVersion())
	if reflect.DeepEqual(before, object) {
		return nil
	}
	m.SetResourceVersion(fmt.Sprint(s.number()))
	defer s.tell(resource, m.GetName(), object)
	return s.ObjectTracker.Update(resource, object, namespace, options...)
}

func (s *server) Patch(resource schema.GroupVersionResource, object runtime.Object, namespace string, _ ...metav1.PatchOptions) error {
	return s.Update(resource, object, namespace)
}

// Delete leaves what has finalizers, and a pod that a kubelet has to end.
func (s *server) Delete(resource schema.GroupVersionResource, namespace, name string, options ...metav1.DeleteOptions) error {
	object, err := s.Get(resource, namespace, name)
	if err != nil {
		return err
	}
	m, _ := meta.Accessor(object)
	pod, isPod := object.(*k8sv1.Pod)
	stays := len(m.GetFinalizers()) > 0
	if isPod {
		stays = pod.Spec.NodeName != "" && pod.Status.Phase != k8sv1.PodFailed && pod.Status.Phase != k8sv1.PodSucceeded
	}
	if !stays {
		defer s.tell(resource, name, nil)
		return s.ObjectTracker.Delete(resource, namespace, name, options...)
	}
	if m.GetDeletionTimestamp() == nil {
		now := metav1.Now()
		m.SetDeletionTimestamp(&now)
	}
	return s.Update(resource, object, namespace)
}

// seen are the states of the machine and of its instance, equal neighbours once.
type seen struct {
	states, vmi []moment
	gone        []string
}

type moment struct {
	at   time.Duration
	what any
}

func (c *cluster) wrote(resource schema.GroupVersionResource, _ string, object runtime.Object) {
	at := time.Since(c.start)
	switch {
	case resource == machinesResource && object == nil:
		c.gone = append(c.gone, at.String())
	case resource == machinesResource:
		c.states = append(c.states, moment{at, c.state(object.(*v1.VirtualMachine))})
	case resource == instancesResource && object == nil:
		c.vmi = append(c.vmi, moment{at, "gone"})
	case resource == instancesResource:
		c.vmi = append(c.vmi, moment{at, instance(object.(*v1.VirtualMachineInstance))})
	}
}

func (c *cluster) state(vm *v1.VirtualMachine) map[string]any {
	state := map[string]any{"status": vm.Status.PrintableStatus}
	for _, condition := range vm.Status.Conditions {
		if condition.Type == v1.VirtualMachineReady && condition.Reason != "" {
			state["readyReason"] = condition.Reason
		}
	}
	if failure := vm.Status.StartFailure; failure != nil {
		state["startFailure"] = failure.ConsecutiveFailCount
		state["retryAfter"] = failure.RetryAfterTimestamp.Sub(c.start).String()
	}
	return state
}

func instance(vmi *v1.VirtualMachineInstance) string {
	words := []string{string(vmi.Status.Phase)}
	if vmi.DeletionTimestamp != nil {
		words = append(words, "deleting")
	}
	for _, kind := range []v1.VirtualMachineInstanceConditionType{"PodScheduled", "Synchronized"} {
		for _, condition := range vmi.Status.Conditions {
			if condition.Type == kind {
				words = append(words, fmt.Sprintf("%s=%s/%s", kind, condition.Status, condition.Reason))
			}
		}
	}
	return strings.Join(words, " ")
}

// left keeps the last of each instant, and equal neighbours once.
func left(moments []moment) []moment {
	last := []moment{}
	for place, m := range moments {
		isLast := place+1 == len(moments) || moments[place+1].at-m.at >= time.Millisecond
		if isLast && (len(last) == 0 || !reflect.DeepEqual(last[len(last)-1].what, m.what)) {
			last = append(last, m)
		}
	}
	return last
}

func (c *cluster) answer() any {
	states, vmi := []any{}, []any{}
	for _, m := range left(c.states) {
		state := m.what.(map[string]any)
		state["at"] = m.at.String()
		states = append(states, state)
	}
	for _, m := range left(c.vmi) {
		vmi = append(vmi, []any{m.at.String(), m.what})
	}
	if c.gone == nil {
		c.gone = []string{}
	}
	return map[string]any{"states": states, "vmi": vmi, "gone": c.gone}
}
