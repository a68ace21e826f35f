// Asks setPrintableStatus of an older KubeVirt. Stands in pkg/virt-controller/watch of a copy of 0.59 or 1.3, beside
// the file of that release (releases_v059_test.go, releases_v130_test.go); README-releases.md has the commands.
package watch

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"testing"

	k8score "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	virtv1 "kubevirt.io/api/core/v1"
	cdiv1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"

	"kubevirt.io/kubevirt/pkg/controller"
)

type line struct {
	ID      string            `json:"id"`
	Release string            `json:"release"`
	About   string            `json:"about,omitempty"`
	Objects []json.RawMessage `json:"objects"`
	Expect  []answer          `json:"expect"`
}

type answer struct {
	Namespace      string                               `json:"namespace"`
	Name           string                               `json:"name"`
	Status         virtv1.VirtualMachinePrintableStatus `json:"status"`
	Error          bool                                 `json:"error"`
	CreateExpected virtv1.VirtualMachinePrintableStatus `json:"createExpected"`
	DeleteExpected virtv1.VirtualMachinePrintableStatus `json:"deleteExpected"`
}

var errorStatuses = map[virtv1.VirtualMachinePrintableStatus]bool{
	virtv1.VirtualMachineStatusCrashLoopBackOff: true,
	virtv1.VirtualMachineStatusUnknown:          true,
	virtv1.VirtualMachineStatusUnschedulable:    true,
	virtv1.VirtualMachineStatusErrImagePull:     true,
	virtv1.VirtualMachineStatusImagePullBackOff: true,
	virtv1.VirtualMachineStatusPvcNotFound:      true,
	virtv1.VirtualMachineStatusDataVolumeError:  true,
}

// What a reconcile looks at, as read back from JSON.
type world struct {
	vms     []*virtv1.VirtualMachine
	vmis    map[string]*virtv1.VirtualMachineInstance
	volumes []*cdiv1.DataVolume
	claims  []*k8score.PersistentVolumeClaim
}

// TestMain takes the place of all tests: JSON Lines on standard input, the same with answers on standard output.
func TestMain(*testing.M) {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<28)
	out := bufio.NewWriter(os.Stdout)
	for in.Scan() {
		var l line
		must(json.Unmarshal(in.Bytes(), &l))
		w, err := read(l.Objects)
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s left out: %v\n", l.ID, err)
			continue
		}
		l.Release, l.Expect = release, w.answers()
		text, err := json.Marshal(l)
		must(err)
		fmt.Fprintf(out, "%s\n", text)
	}
	must(in.Err())
	must(out.Flush())
	os.Exit(0)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func read(objects []json.RawMessage) (*world, error) {
	w := &world{vmis: map[string]*virtv1.VirtualMachineInstance{}}
	for _, raw := range objects {
		var kind metav1.TypeMeta
		if err := json.Unmarshal(raw, &kind); err != nil {
			return nil, err
		}
		if err := w.add(kind.Kind, raw); err != nil {
			return nil, err
		}
	}
	return w, nil
}

func (w *world) add(kind string, raw json.RawMessage) error {
	switch kind {
	case "VirtualMachine":
		vm := &virtv1.VirtualMachine{}
		w.vms = append(w.vms, vm)
		return json.Unmarshal(raw, vm)
	case "VirtualMachineInstance":
		vmi := &virtv1.VirtualMachineInstance{}
		err := json.Unmarshal(raw, vmi)
		w.vmis[vmi.Namespace+"/"+vmi.Name] = vmi
		return err
	case "DataVolume":
		dv := &cdiv1.DataVolume{}
		w.volumes = append(w.volumes, dv)
		return json.Unmarshal(raw, dv)
	case "PersistentVolumeClaim":
		claim := &k8score.PersistentVolumeClaim{}
		w.claims = append(w.claims, claim)
		return json.Unmarshal(raw, claim)
	}
	return nil
}

func (w *world) answers() []answer {
	answers := []answer{}
	for _, vm := range w.vms {
		status := w.status(vm, 0, 0)
		answers = append(answers, answer{
			Namespace: vm.Namespace, Name: vm.Name,
			Status: status, Error: errorStatuses[status],
			CreateExpected: w.status(vm, 1, 0), DeleteExpected: w.status(vm, 0, 1),
		})
	}
	return answers
}

// The status with so many creations and deletions of the instance issued and not yet seen. The machine is a copy: the
// call changes it.
func (w *world) status(vm *virtv1.VirtualMachine, creations, deletions int) virtv1.VirtualMachinePrintableStatus {
	c := newController(w.volumes, w.claims)
	key, err := controller.KeyFunc(vm)
	must(err)
	c.expectations.SetExpectations(key, creations, deletions)
	vm = vm.DeepCopy()
	c.setPrintableStatus(vm, w.claimed(vm))
	return vm.Status.PrintableStatus
}

// The instance of that name, claimed by owner as execute does it.
func (w *world) claimed(vm *virtv1.VirtualMachine) *virtv1.VirtualMachineInstance {
	vmi := w.vmis[vm.Namespace+"/"+vm.Name]
	if vmi == nil {
		return nil
	}
	canAdopt := controller.RecheckDeletionTimestamp(func() (metav1.Object, error) { return vm, nil })
	manager := controller.NewVirtualMachineControllerRefManager(
		adopts{}, vm, nil, virtv1.VirtualMachineGroupVersionKind, canAdopt)
	vmi, err := manager.ClaimVirtualMachineInstanceByName(vmi)
	must(err)
	return vmi
}

// adopts takes every patch.
type adopts struct{}

func (adopts) PatchVirtualMachine(string, string, []byte) error         { return nil }
func (adopts) PatchVirtualMachineInstance(string, string, []byte) error { return nil }
func (adopts) PatchDataVolume(string, string, []byte) error             { return nil }
