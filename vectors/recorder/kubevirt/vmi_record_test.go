// Asks KubeVirt's VMI controller. VMI_CASES names a file of JSON Lines with cases, VMI_ANSWERS the file to write.
package vmi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	clienttesting "k8s.io/client-go/testing"
	v1 "kubevirt.io/api/core/v1"

	"kubevirt.io/kubevirt/pkg/controller"
	"kubevirt.io/kubevirt/pkg/virt-controller/watch/common"
)

// A case in and out; of an old answer nothing is read.
type vmiCase struct {
	ID      string            `json:"id"`
	Release string            `json:"release"`
	About   string            `json:"about,omitempty"`
	Now     string            `json:"now"`
	Objects []json.RawMessage `json:"objects"`
	Expect  any               `json:"expect"`
}

type vmiAnswer struct {
	Phase         v1.VirtualMachineInstancePhase `json:"phase"`
	Conditions    []map[string]any               `json:"conditions"`
	Finalizers    []string                       `json:"finalizers"`
	ActivePods    map[types.UID]string           `json:"activePods,omitempty"`
	NodeName      string                         `json:"nodeName,omitempty"`
	NodeLabel     *string                        `json:"nodeLabel,omitempty"`
	Transitions   []string                       `json:"phaseTransitionTimestamps"`
	Writes        []string                       `json:"writes"`
	Events        []string                       `json:"events"`
	Error         string                         `json:"error,omitempty"`
	Requeue       bool                           `json:"requeue"`
	RequestsAfter any                            `json:"requestsMemoryAfter,omitempty"`
}

func TestRecordVMI(t *testing.T) {
	recordCases(t, "VMI", func(t *testing.T, line []byte) any {
		c := vmiCase{}
		err := json.Unmarshal(line, &c)
		if err != nil {
			t.Fatal(err)
		}
		if c.Release == "" {
			c.Release = "v1.9.0"
		}
		sleepUntil(t, c.Now)
		if c.Expect, err = reconciled(t, c.Objects); err != nil {
			t.Fatalf("%s: %v", c.ID, err)
		}
		return c
	})
}

// reconciled is one whole reconcile of the instance.
func reconciled(t *testing.T, raw []json.RawMessage) (*vmiAnswer, error) {
	all, err := readObjects(raw)
	if err != nil {
		return nil, err
	}
	w := newWorld(t, all)
	defer w.close()
	before := all.vmis[0]
	failure := w.execute(controller.VirtualMachineInstanceKey(before))
	after, err := w.clientset.VirtualMachineInstance(before.Namespace).Get(context.Background(), before.Name, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	a := shown(after)
	a.Writes = append(writes(w.kubevirt.Actions()), writes(w.kubernetes.Actions())...)
	a.Events = []string{}
	for len(w.events.Events) > 0 {
		a.Events = append(a.Events, podName.ReplaceAllString(<-w.events.Events, "$1*"))
	}
	if failure != nil {
		a.Error, a.Requeue = podName.ReplaceAllString(failure.Error(), "$1*"), true
		if sync := (common.SyncError)(nil); errors.As(failure, &sync) {
			a.Error = sync.Reason() + ": " + a.Error
		}
	}
	if request := after.Spec.Domain.Resources.Requests.Memory(); request.Cmp(*before.Spec.Domain.Resources.Requests.Memory()) != 0 {
		a.RequestsAfter = request
	}
	return a, nil
}

func shown(vmi *v1.VirtualMachineInstance) *vmiAnswer {
	a := &vmiAnswer{Phase: vmi.Status.Phase, Conditions: []map[string]any{}, Finalizers: append([]string{}, vmi.Finalizers...),
		ActivePods: vmi.Status.ActivePods, NodeName: vmi.Status.NodeName, Transitions: []string{}}
	for _, condition := range vmi.Status.Conditions {
		c := map[string]any{"type": condition.Type, "status": condition.Status}
		for key, text := range map[string]string{"reason": condition.Reason, "message": condition.Message} {
			if text != "" {
				c[key] = text
			}
		}
		if !condition.LastTransitionTime.IsZero() {
			c["lastTransitionTime"] = condition.LastTransitionTime
		}
		a.Conditions = append(a.Conditions, c)
	}
	for _, transition := range vmi.Status.PhaseTransitionTimestamps {
		at := transition.PhaseTransitionTimestamp.UTC().Format(time.RFC3339)
		a.Transitions = append(a.Transitions, fmt.Sprintf("%s %s", transition.Phase, at))
	}
	if node, exists := vmi.Labels[v1.NodeNameLabel]; exists {
		a.NodeLabel = &node
	}
	return a
}

// podName is a launcher's; its last five characters are drawn.
var podName = regexp.MustCompile(`(virt-launcher-[\w.-]+-)\w{5}\b`)

// writes leaves out what is only read.
func writes(actions []clienttesting.Action) []string {
	list := []string{}
	for _, action := range actions {
		name := ""
		switch action := action.(type) {
		case clienttesting.CreateAction:
			object, _ := action.GetObject().(metav1.Object)
			name = " " + object.GetGenerateName() + "*"
			if _, temporary := object.GetAnnotations()[v1.EphemeralProvisioningObject]; temporary {
				name += " (temporary)"
			}
		case clienttesting.PatchAction:
			name = " " + action.GetName()
		case clienttesting.DeleteAction:
			name = " " + action.GetName()
		}
		verb, resource := action.GetVerb(), action.GetResource().Resource
		if sub := action.GetSubresource(); sub != "" {
			resource += "/" + sub
		}
		if resource == "virtualmachineinstances" {
			name = ""
		}
		if strings.Contains("create update patch delete", verb) {
			list = append(list, fmt.Sprintf("%s %s%s", verb, resource, name))
		}
	}
	return list
}
