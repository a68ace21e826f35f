// What the tests of the VM and of the VMI controller share; in the second package the first line names that one.
package vm

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"testing"
	"testing/synctest"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	k8sv1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/cache"
	v1 "kubevirt.io/api/core/v1"
	"kubevirt.io/client-go/log"
	cdiv1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"

	"kubevirt.io/kubevirt/pkg/testutils"
	"kubevirt.io/kubevirt/pkg/virt-controller/watch/topology"
)

// recordCases writes the answer to each line of the file that NAME_CASES names into that of NAME_ANSWERS. Each has its own time.
func recordCases(t *testing.T, name string, answer func(t *testing.T, line []byte) any) {
	log.Log.SetIOWriter(io.Discard)
	in, err := os.Open(os.Getenv(name + "_CASES"))
	if err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(os.Getenv(name + "_ANSWERS"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<24)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for lines.Scan() {
		var answered any
		synctest.Test(t, func(t *testing.T) { answered = answer(t, lines.Bytes()) })
		if err := encoder.Encode(answered); err != nil {
			t.Fatal(err)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}

func sleepUntil(t *testing.T, instant string) {
	at, err := time.Parse(time.RFC3339Nano, instant)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Until(at))
}

// defaultConfig keeps goroutines, so that it is made once, outside of any case's own time.
var defaultConfig, _, _ = testutils.NewFakeClusterConfigUsingKVConfig(&v1.KubeVirtConfiguration{})

// objects of a case, as read back from their JSON.
type objects struct {
	vms    []*v1.VirtualMachine
	vmis   []*v1.VirtualMachineInstance
	dvs    []*cdiv1.DataVolume
	claims []*k8sv1.PersistentVolumeClaim
	pods   []*k8sv1.Pod
	// Revisions of starts.
	revisions []*appsv1.ControllerRevision
}

func readObjects(raw []json.RawMessage) (objects, error) {
	var all objects
	for _, text := range raw {
		var meta metav1.TypeMeta
		err := json.Unmarshal(text, &meta)
		if err != nil {
			return all, err
		}
		switch meta.Kind {
		case "VirtualMachine":
			all.vms, err = add(all.vms, text)
		case "VirtualMachineInstance":
			all.vmis, err = add(all.vmis, text)
		case "DataVolume":
			all.dvs, err = add(all.dvs, text)
		case "PersistentVolumeClaim":
			all.claims, err = add(all.claims, text)
		case "ControllerRevision":
			all.revisions, err = add(all.revisions, text)
		case "Pod":
			all.pods, err = add(all.pods, text)
		default:
			err = fmt.Errorf("a kind that is not played: %q", meta.Kind)
		}
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

func add[T any](list []*T, text json.RawMessage) ([]*T, error) {
	object := new(T)
	err := json.Unmarshal(text, object)
	return append(list, object), err
}

func copied[T interface{ DeepCopyObject() runtime.Object }](list []T) []runtime.Object {
	var copies []runtime.Object
	for _, object := range list {
		copies = append(copies, object.DeepCopyObject())
	}
	return copies
}

// cacheOf is an informer that does not run.
func cacheOf[T runtime.Object](list []T, indexers cache.Indexers) cache.SharedIndexInformer {
	var kind T
	informer := cache.NewSharedIndexInformer(&cache.ListWatch{}, kind, 0, indexers)
	for _, object := range list {
		if err := informer.GetStore().Add(object.DeepCopyObject()); err != nil {
			panic(err)
		}
	}
	return informer
}

// silent stands for what is left out: it has no hints, no annotations, and asks for no migration.
type silent struct{ topology.Hinter }

func (silent) TopologyHintsForVMI(*v1.VirtualMachineInstance) (*v1.TopologyHints, topology.TscFrequencyRequirementType, error) {
	return nil, topology.NotRequired, nil
}
func (silent) IsTscFrequencyRequired(*v1.VirtualMachineInstance) bool { return false }
func (silent) GenerateFromActivePod(*v1.VirtualMachineInstance, *k8sv1.Pod) map[string]string {
	return nil
}
func (silent) Generate(*v1.VirtualMachineInstance) (map[string]string, error) { return nil, nil }
func (silent) ManagedAnnotationKeys() []string                                { return nil }
func (silent) Evaluate(*v1.VirtualMachineInstance, *k8sv1.Pod) k8sv1.ConditionStatus {
	return k8sv1.ConditionUnknown
}
