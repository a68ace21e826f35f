// Asks KubeVirt's VM controller. STATUS_CASES names a file of JSON Lines with cases, STATUS_ANSWERS the file to write.
package vm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clienttesting "k8s.io/client-go/testing"
	v1 "kubevirt.io/api/core/v1"

	"kubevirt.io/kubevirt/pkg/controller"
	"kubevirt.io/kubevirt/pkg/virt-controller/watch/common"
)

// When the real code was asked where a case does not say.
const asked = "2026-06-01T12:00:00Z"

// A case in and out; of an old answer nothing is read.
type statusCase struct {
	ID         string            `json:"id"`
	Release    string            `json:"release"`
	About      string            `json:"about,omitempty"`
	FailCount  *int              `json:"failCount,omitempty"`
	MaxDelay   int               `json:"maxDelaySeconds,omitempty"`
	Now        string            `json:"now,omitempty"`
	RetryAfter *metav1.Time      `json:"retryAfter,omitempty"`
	Script     json.RawMessage   `json:"script,omitempty"`
	Until      string            `json:"until,omitempty"`
	VM         json.RawMessage   `json:"vm,omitempty"`
	Objects    []json.RawMessage `json:"objects,omitempty"`
	Expect     any               `json:"expect"`
}

func TestRecordStatus(t *testing.T) {
	recordCases(t, "STATUS", func(t *testing.T, line []byte) any {
		c := statusCase{}
		err := json.Unmarshal(line, &c)
		if err != nil {
			t.Fatal(err)
		}
		if c.Release == "" {
			c.Release = "v1.9.0"
		}
		now := c.Now
		if now == "" {
			now = asked
		}
		sleepUntil(t, now)
		if c.Script != nil {
			c.Expect, err = play(t, line)
		} else {
			c.Expect, err = answer(t, c)
		}
		if err != nil {
			t.Fatalf("%s: %v", c.ID, err)
		}
		time.Sleep(time.Minute)
		return c
	})
}

func answer(t *testing.T, c statusCase) (any, error) {
	switch {
	case c.FailCount != nil:
		return delays(*c.FailCount, c.MaxDelay), nil
	case c.RetryAfter != nil:
		vm := &v1.VirtualMachine{}
		vm.Status.StartFailure = &v1.VirtualMachineStartFailure{RetryAfterTimestamp: c.RetryAfter}
		return map[string]int64{"secondsLeft": startFailureBackoffTimeLeft(vm)}, nil
	}
	all, err := readObjects(c.Objects)
	if err != nil {
		return nil, err
	}
	answers := []any{}
	for _, vm := range all.vms {
		if c.Now == "" {
			answers = append(answers, statuses(t, all, vm))
		} else {
			answers = append(answers, whole(t, all, vm))
		}
	}
	return answers, nil
}

// delays are the least and the longest of many draws.
func delays(failCount, maxDelay int) map[string]any {
	least, longest, atMax := 1<<62, 0, 0
	const draws = 60000
	for range draws {
		delay := calculateStartBackoffTime(failCount, maxDelay)
		least, longest = min(least, delay), max(longest, delay)
		if delay == maxDelay {
			atMax++
		}
	}
	return map[string]any{"min": least, "max": longest, "shareAtMax": float64(atMax) / draws}
}

// The answer of table, random and pairs.
type statusAnswer struct {
	Namespace      string `json:"namespace"`
	Name           string `json:"name"`
	Status         string `json:"status"`
	Error          bool   `json:"error"`
	CreateExpected string `json:"createExpected"`
	DeleteExpected string `json:"deleteExpected"`
	UpdateOnly     string `json:"updateOnly"`
	Reconcile      string `json:"reconcile"`
	ReconcileFails string `json:"reconcileFails,omitempty"`
}

var isError = map[v1.VirtualMachinePrintableStatus]bool{
	v1.VirtualMachineStatusCrashLoopBackOff: true, v1.VirtualMachineStatusUnknown: true, v1.VirtualMachineStatusUnschedulable: true,
	v1.VirtualMachineStatusErrImagePull: true, v1.VirtualMachineStatusImagePullBackOff: true, v1.VirtualMachineStatusPvcNotFound: true,
	v1.VirtualMachineStatusDataVolumeError: true,
}

func statuses(t *testing.T, all objects, vm *v1.VirtualMachine) statusAnswer {
	key := controller.VirtualMachineKey(vm)
	a := statusAnswer{Namespace: vm.Namespace, Name: vm.Name}
	status := asItStands(t, all, vm, func(*world) {})
	a.Status, a.Error = string(status), isError[status]
	a.CreateExpected = string(asItStands(t, all, vm, func(w *world) { w.expectations.ExpectCreations(key, 1) }))
	a.DeleteExpected = string(asItStands(t, all, vm, func(w *world) { w.expectations.ExpectDeletions(key, []string{"default/vmi"}) }))
	a.UpdateOnly, _ = stored(t, all, vm, func(w *world) { w.dataVolumeExpectations.ExpectCreations(key, 1) })
	a.Reconcile, a.ReconcileFails = stored(t, all, vm, func(*world) {})
	return a
}

// asItStands is setPrintableStatus alone, with the instance that the machine owns.
func asItStands(t *testing.T, all objects, vm *v1.VirtualMachine, prepare func(*world)) v1.VirtualMachinePrintableStatus {
	w := newWorld(t, all)
	defer w.close()
	prepare(w)
	vm = vm.DeepCopy()
	var vmi *v1.VirtualMachineInstance
	if found, exists, _ := w.vmiIndexer.GetByKey(controller.VirtualMachineKey(vm)); exists {
		manager := controller.NewVirtualMachineControllerRefManager(controller.RealVirtualMachineControl{Clientset: w.clientset}, vm, nil,
			v1.VirtualMachineGroupVersionKind, nil)
		var err error
		if vmi, err = manager.ClaimVirtualMachineInstanceByName(found.(*v1.VirtualMachineInstance)); err != nil {
			t.Fatal(err)
		}
	}
	w.setPrintableStatus(vm, vmi)
	return vm.Status.PrintableStatus
}

// stored is what a reconcile leaves behind, and why it ended before the status if it did.
func stored(t *testing.T, all objects, vm *v1.VirtualMachine, prepare func(*world)) (string, string) {
	w := newWorld(t, all)
	defer w.close()
	prepare(w)
	_, failure := w.reconcile(vm)
	return string(w.stored(t, vm).Status.PrintableStatus), failure
}

// reconcile gives the reason of an error that was reported, or the error that ended it before the status.
func (w *world) reconcile(vm *v1.VirtualMachine) (reported, early string) {
	err := w.execute(controller.VirtualMachineKey(vm))
	var sync common.SyncError
	switch {
	case err == nil:
		return "", ""
	case errors.As(err, &sync):
		return sync.Reason(), ""
	default:
		return "", err.Error()
	}
}

func (w *world) stored(t *testing.T, vm *v1.VirtualMachine) *v1.VirtualMachine {
	stored, err := w.clientset.VirtualMachine(vm.Namespace).Get(context.Background(), vm.Name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

// The answer of conditions.
type wholeAnswer struct {
	Namespace string         `json:"namespace"`
	Name      string         `json:"name"`
	Status    map[string]any `json:"status"`
	Result    string         `json:"result"`
	Error     string         `json:"error,omitempty"`
	Writes    []string       `json:"writes"`
	Events    []string       `json:"events"`
	VMIAfter  string         `json:"vmiAfter"`
}

func whole(t *testing.T, all objects, vm *v1.VirtualMachine) wholeAnswer {
	w := newWorld(t, all)
	defer w.close()
	a := wholeAnswer{Namespace: vm.Namespace, Name: vm.Name, Result: "ok", Writes: []string{}, Events: []string{}}
	reported, early := w.reconcile(vm)
	switch {
	case early != "":
		a.Result, a.Error = "failedBeforeStatus", early
	case reported != "":
		a.Result, a.Error = "syncError", reported
	}
	a.Writes = append(writes(w.kubevirt.Actions()), writes(w.cdi.Actions())...)
	for len(w.events.Events) > 0 {
		a.Events = append(a.Events, <-w.events.Events)
	}
	a.Status = shown(w.stored(t, vm).Status, vm.Status.StartFailure)
	vmi, err := w.clientset.VirtualMachineInstance(vm.Namespace).Get(context.Background(), vm.Name, metav1.GetOptions{})
	switch {
	case err != nil, vmi.DeletionTimestamp != nil && len(vmi.Finalizers) == 0:
		a.VMIAfter = "absent"
	case vmi.DeletionTimestamp != nil:
		a.VMIAfter = "deleting"
	default:
		a.VMIAfter = "present"
	}
	return a
}

// writes leaves status updates out.
func writes(actions []clienttesting.Action) []string {
	list := []string{}
	for _, action := range actions {
		var name string
		switch action := action.(type) {
		case clienttesting.CreateAction:
			object, _ := action.GetObject().(metav1.Object)
			name = object.GetName()
		case clienttesting.PatchAction:
			name = action.GetName()
		case clienttesting.DeleteAction:
			name = action.GetName()
		}
		verb, resource := action.GetVerb(), action.GetResource().Resource
		if action.GetSubresource() == "" && strings.Contains("create update patch delete", verb) {
			list = append(list, fmt.Sprintf("%s %s %s", verb, resource, name))
		}
	}
	return list
}

// shown is the part of a status that the vectors have.
func shown(status v1.VirtualMachineStatus, before *v1.VirtualMachineStartFailure) map[string]any {
	conditions := []map[string]any{}
	for _, condition := range status.Conditions {
		c := map[string]any{"type": condition.Type, "status": condition.Status, "lastTransitionTime": condition.LastTransitionTime}
		for key, text := range map[string]string{"reason": condition.Reason, "message": condition.Message} {
			if text != "" {
				c[key] = text
			}
		}
		conditions = append(conditions, c)
	}
	s := map[string]any{"created": status.Created, "ready": status.Ready, "printableStatus": status.PrintableStatus,
		"conditions": conditions, "startFailure": nil}
	if status.RunStrategy != "" {
		s["runStrategy"] = status.RunStrategy
	}
	if len(status.StateChangeRequests) > 0 {
		s["stateChangeRequests"] = status.StateChangeRequests
	}
	if failure := status.StartFailure; failure != nil {
		f := map[string]any{"consecutiveFailCount": failure.ConsecutiveFailCount}
		if failure.LastFailedVMIUID != "" {
			f["lastFailedVMIUID"] = failure.LastFailedVMIUID
		}
		counted := before == nil || before.ConsecutiveFailCount != failure.ConsecutiveFailCount
		if counted {
			range_ := delays(failure.ConsecutiveFailCount, defaultMaxCrashLoopBackoffDelaySeconds)
			f["retryAfterSecondsFromNow"] = []any{range_["min"], range_["max"]}
		} else if failure.RetryAfterTimestamp != nil {
			f["retryAfterTimestamp"] = failure.RetryAfterTimestamp
		}
		s["startFailure"] = f
	}
	return s
}
