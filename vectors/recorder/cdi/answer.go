package recorder

import (
	"fmt"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// answer is what one reconcile did.
type answer struct {
	Status       map[string]any    `json:"status,omitempty"`
	Transitions  []string          `json:"transitions,omitempty"`
	Annotations  map[string]string `json:"annotations,omitempty"`
	Writes       []write           `json:"writes"`
	Events       []event           `json:"events"`
	RequeueAfter float64           `json:"requeueAfter,omitempty"`
	Requeue      bool              `json:"requeue,omitempty"`
	Error        string            `json:"error,omitempty"`
}

type write struct {
	Verb   string         `json:"verb"`
	Kind   string         `json:"kind"`
	Name   string         `json:"name"`
	Change map[string]any `json:"change,omitzero"`
	Object map[string]any `json:"object,omitempty"`
	Error  string         `json:"error,omitempty"`
}

type event struct {
	On      string `json:"on"`
	Source  string `json:"source"`
	Type    string `json:"type"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

// recorder notes a controller's events.
type recorder struct {
	source string
	scheme *runtime.Scheme
	answer *answer
}

func (r *recorder) Event(on runtime.Object, severity, reason, message string) {
	kind, err := apiutil.GVKForObject(on, r.scheme)
	must(err)
	name := kind.Kind + "/" + on.(client.Object).GetName()
	r.answer.Events = append(r.answer.Events, event{name, r.source, severity, reason, message})
}

func (r *recorder) Eventf(on runtime.Object, severity, reason, format string, args ...any) {
	r.Event(on, severity, reason, fmt.Sprintf(format, args...))
}

func (r *recorder) AnnotatedEventf(on runtime.Object, _ map[string]string, severity, reason, format string, args ...any) {
	r.Eventf(on, severity, reason, format, args...)
}

// shown are the variables of a container that a vector tells.
var shown = map[string]bool{
	"IMPORTER_SOURCE": true, "IMPORTER_ENDPOINT": true, "IMPORTER_READY_FILE": true,
	"IMPORTER_CHECKSUM": true, "CACHE_MODE": true,
}

// created gives a new object without what the server adds; of a pod no more than the vectors tell.
func created(object client.Object) map[string]any {
	if pod, is := object.(*core.Pod); is {
		object = brief(pod)
	}
	fields := plain(object)
	delete(fields, "apiVersion")
	delete(fields, "kind")
	for _, field := range []string{"uid", "resourceVersion", "creationTimestamp"} {
		delete(fields["metadata"].(map[string]any), field)
	}
	if status, is := fields["status"].(map[string]any); is && len(status) == 0 {
		delete(fields, "status")
	}
	return fields
}

func brief(pod *core.Pod) *core.Pod {
	brief := &core.Pod{ObjectMeta: pod.ObjectMeta, Status: pod.Status}
	brief.Spec = core.PodSpec{
		Containers: containers(pod.Spec.Containers), InitContainers: containers(pod.Spec.InitContainers),
		Volumes: pod.Spec.Volumes, RestartPolicy: pod.Spec.RestartPolicy, NodeName: pod.Spec.NodeName,
		EnableServiceLinks: pod.Spec.EnableServiceLinks,
	}
	return brief
}

func containers(all []core.Container) []core.Container {
	var brief []core.Container
	for _, container := range all {
		kept := core.Container{Name: container.Name, Image: container.Image}
		for _, variable := range container.Env {
			if shown[variable.Name] && variable.Value != "" {
				kept.Env = append(kept.Env, variable)
			}
		}
		brief = append(brief, kept)
	}
	return brief
}
