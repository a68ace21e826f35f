// What the scripts of a chain play: scheduler and kubelet, virt-handler, CDI, and users.
package vm

import (
	"fmt"
	"strings"
	"time"

	k8sv1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	v1 "kubevirt.io/api/core/v1"
	cdiv1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
)

type script struct {
	Every   string   `json:"every"`
	Pods    [][]act  `json:"pods"`
	Handler []string `json:"handler"`
	Remove  string   `json:"remove"`
	At      []act    `json:"at"`
}

type act struct {
	After string `json:"after"`
	Do    string `json:"do"`
	after time.Duration
}

type environment struct {
	*cluster
	at                     []act
	pods                   [][]act
	boot, shutDown, remove time.Duration
	known                  []*knownPod
	scheduled, deleted     map[types.UID]time.Duration
}

type knownPod struct {
	name string
	seen time.Duration
	left []act
}

func newEnvironment(c *cluster, s script) (*environment, error) {
	e := &environment{cluster: c, at: s.At, pods: s.Pods, scheduled: map[types.UID]time.Duration{}, deleted: map[types.UID]time.Duration{}}
	var err error
	span := func(text string) (d time.Duration) {
		if err == nil {
			d, err = time.ParseDuration(text)
		}
		return d
	}
	e.boot, e.shutDown, e.remove = span(s.Handler[0]), span(s.Handler[1]), span(s.Remove)
	for _, acts := range append(s.Pods, s.At) {
		for place := range acts {
			acts[place].after = span(acts[place].After)
		}
	}
	return e, err
}

// due takes out what is due, in its order.
func due(acts *[]act, passed time.Duration) []act {
	var now, later []act
	for _, a := range *acts {
		if a.after <= passed {
			now = append(now, a)
		} else {
			later = append(later, a)
		}
	}
	*acts = later
	return now
}

func (e *environment) tick(now time.Duration) error {
	for _, a := range due(&e.at, now) {
		if err := e.user(a.Do); err != nil {
			return err
		}
	}
	for _, pod := range e.allPods() {
		e.meet(pod.Name, now)
	}
	for _, known := range e.known {
		for _, a := range due(&known.left, now-known.seen) {
			change(e.kubernetes, podsResource, known.name, func(pod *k8sv1.Pod) { podAct(pod, a.Do) })
		}
	}
	e.handle(now)
	for _, pod := range e.allPods() {
		isFinal := pod.Status.Phase == k8sv1.PodFailed || pod.Status.Phase == k8sv1.PodSucceeded
		if pod.DeletionTimestamp != nil && (isFinal || e.since(e.deleted, pod.UID, now) >= e.remove) {
			if err := e.kubernetes.ObjectTracker.Delete(podsResource, "default", pod.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *environment) meet(name string, now time.Duration) {
	for _, known := range e.known {
		if known.name == name {
			return
		}
	}
	list := e.pods[min(len(e.known), len(e.pods)-1)]
	e.known = append(e.known, &knownPod{name, now, append([]act{}, list...)})
}

func (e *environment) allPods() []k8sv1.Pod {
	list, err := e.kubernetes.List(podsResource, k8sv1.SchemeGroupVersion.WithKind("Pod"), "default")
	if err != nil {
		panic(err)
	}
	return list.(*k8sv1.PodList).Items
}

// since is how long ago something was first seen.
func (e *environment) since(first map[types.UID]time.Duration, uid types.UID, now time.Duration) time.Duration {
	if _, known := first[uid]; !known {
		first[uid] = now
	}
	return now - first[uid]
}

// handle boots guests and shuts them down.
func (e *environment) handle(now time.Duration) {
	vmi := get[v1.VirtualMachineInstance](e.kubevirt, instancesResource, "vm1")
	switch {
	case vmi == nil:
	case vmi.DeletionTimestamp != nil:
		if (vmi.IsScheduled() || vmi.IsRunning()) && e.since(e.deleted, vmi.UID, now) >= e.shutDown {
			e.phase(v1.Succeeded)
		}
	case vmi.IsScheduled() && e.since(e.scheduled, vmi.UID, now) >= e.boot:
		e.phase(v1.Running)
		for _, pod := range e.allPods() {
			if metav1.IsControlledBy(&pod, vmi) {
				change(e.kubernetes, podsResource, pod.Name, func(pod *k8sv1.Pod) {
					setPod(pod, k8sv1.PodCondition{Type: k8sv1.PodReady, Status: k8sv1.ConditionTrue})
				})
			}
		}
	}
}

func get[T any](s *server, resource schema.GroupVersionResource, name string) *T {
	found, err := s.Get(resource, "default", name)
	if err != nil {
		return nil
	}
	object, _ := any(found).(*T)
	return object
}

// change does nothing to what is not there.
func change[T any](s *server, resource schema.GroupVersionResource, name string, how func(*T)) {
	object := get[T](s, resource, name)
	if object == nil {
		return
	}
	how(object)
	written, _ := any(object).(runtime.Object)
	if err := s.Update(resource, written, "default"); err != nil {
		panic(err)
	}
}

func (e *environment) phase(phase v1.VirtualMachineInstancePhase) {
	change(e.kubevirt, instancesResource, "vm1", func(vmi *v1.VirtualMachineInstance) {
		vmi.Status.Phase = phase
		vmi.Status.PhaseTransitionTimestamps = append(vmi.Status.PhaseTransitionTimestamps,
			v1.VirtualMachineInstancePhaseTransitionTimestamp{Phase: phase, PhaseTransitionTimestamp: metav1.Now()})
	})
}

// user plays users and CDI.
func (e *environment) user(what string) error {
	vmi := get[v1.VirtualMachineInstance](e.kubevirt, instancesResource, "vm1")
	runs := vmi != nil && vmi.IsRunning()
	words := strings.Split(what, " ")
	switch verb := words[0]; {
	case verb == "runStrategy":
		change(e.kubevirt, machinesResource, "vm1", func(vm *v1.VirtualMachine) {
			strategy := v1.VirtualMachineRunStrategy(words[1])
			vm.Spec.RunStrategy = &strategy
			vm.Generation++
		})
	case verb == "request":
		change(e.kubevirt, machinesResource, "vm1", func(vm *v1.VirtualMachine) {
			if vmi != nil && words[1] != "Start" {
				vm.Status.StateChangeRequests = append(vm.Status.StateChangeRequests, v1.VirtualMachineStateChangeRequest{Action: v1.StopRequest, UID: &vmi.UID})
			}
			if words[1] != "Stop" {
				vm.Status.StateChangeRequests = append(vm.Status.StateChangeRequests, v1.VirtualMachineStateChangeRequest{Action: v1.StartRequest})
			}
		})
	case what == "delete vm":
		_ = e.kubevirt.Delete(machinesResource, "default", "vm1")
	case what == "delete vmi":
		_ = e.kubevirt.Delete(instancesResource, "default", "vm1")
	case verb == "claim":
		e.claim(words[1], k8sv1.PersistentVolumeClaimPhase(words[2]))
	case verb == "dv":
		change(e.cdi, volumesResource, words[1], func(dv *cdiv1.DataVolume) { progress(dv, words[2:]) })
	case verb == "panic" && runs:
		e.phase(v1.Failed)
	case verb == "phase" && runs:
		e.phase(v1.VirtualMachineInstancePhase(words[1]))
	case verb == "pause" && runs:
		change(e.kubevirt, instancesResource, "vm1", func(vmi *v1.VirtualMachineInstance) {
			vmi.Status.Conditions = append(vmi.Status.Conditions, v1.VirtualMachineInstanceCondition{
				Type: v1.VirtualMachineInstancePaused, Status: k8sv1.ConditionTrue, Reason: "PausedByUser", LastTransitionTime: metav1.Now()})
		})
		e.forgetReady(vmi)
	case verb == "panic" || verb == "phase" || verb == "pause":
	default:
		return fmt.Errorf("unknown act %q", what)
	}
	return nil
}

// forgetReady does what the server of the recording did: it lost a pod's other conditions when one of them was patched.
func (e *environment) forgetReady(vmi *v1.VirtualMachineInstance) {
	for _, pod := range e.allPods() {
		if metav1.IsControlledBy(&pod, vmi) {
			change(e.kubernetes, podsResource, pod.Name, func(pod *k8sv1.Pod) { pod.Status.Conditions = nil })
		}
	}
}

func (e *environment) claim(name string, phase k8sv1.PersistentVolumeClaimPhase) {
	if get[k8sv1.PersistentVolumeClaim](e.kubernetes, claimsResource, name) == nil {
		claim := &k8sv1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Name: name}}
		if err := e.kubernetes.Create(claimsResource, claim, "default"); err != nil {
			panic(err)
		}
	}
	change(e.kubernetes, claimsResource, name, func(claim *k8sv1.PersistentVolumeClaim) { claim.Status.Phase = phase })
}

// progress are phase and, if they are told, status and reason of Running.
func progress(dv *cdiv1.DataVolume, words []string) {
	dv.Status.Phase = cdiv1.DataVolumePhase(words[0])
	if len(words) > 1 {
		dv.Status.Conditions = []cdiv1.DataVolumeCondition{
			{Type: cdiv1.DataVolumeBound, Status: k8sv1.ConditionTrue, LastTransitionTime: metav1.Now()},
			{Type: cdiv1.DataVolumeRunning, Status: k8sv1.ConditionStatus(words[1]), Reason: strings.Join(words[2:], " "), LastTransitionTime: metav1.Now()},
		}
	}
}

// podAct plays scheduler and kubelet.
func podAct(pod *k8sv1.Pod, what string) {
	scheduled := k8sv1.PodCondition{Type: k8sv1.PodScheduled, Status: k8sv1.ConditionTrue}
	ended := k8sv1.ContainerState{Terminated: &k8sv1.ContainerStateTerminated{ExitCode: 2}}
	container := func(name string, state k8sv1.ContainerState) {
		pod.Status.ContainerStatuses = []k8sv1.ContainerStatus{{Name: name, State: state, Ready: state.Running != nil}}
	}
	words := strings.Split(what, " ")
	switch words[0] {
	case "unschedulable":
		scheduled.Status, scheduled.Reason, scheduled.Message = k8sv1.ConditionFalse, k8sv1.PodReasonUnschedulable, "0/1 nodes are available"
		setPod(pod, scheduled)
	case "place":
		pod.Spec.NodeName = "node1"
		setPod(pod, scheduled)
	case "wait":
		container("volumedisk0", k8sv1.ContainerState{Waiting: &k8sv1.ContainerStateWaiting{Reason: words[1]}})
	case "boot":
		pod.Status.Phase = k8sv1.PodRunning
		container("compute", k8sv1.ContainerState{Running: &k8sv1.ContainerStateRunning{}})
	case "die":
		pod.Status.Phase = k8sv1.PodRunning
		container("compute", ended)
	case "fail":
		pod.Status.Phase = k8sv1.PodFailed
		container("compute", ended)
	default:
		panic("no pod does " + what)
	}
}

func setPod(pod *k8sv1.Pod, condition k8sv1.PodCondition) {
	kept := []k8sv1.PodCondition{}
	for _, other := range pod.Status.Conditions {
		if other.Type != condition.Type {
			kept = append(kept, other)
		}
	}
	pod.Status.Conditions = append(kept, condition)
}
