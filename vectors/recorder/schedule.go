package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	v1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/informers"
	core "k8s.io/client-go/informers/core/v1"
	storage "k8s.io/client-go/informers/storage/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/events"
	"k8s.io/klog/v2"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler"
	"k8s.io/kubernetes/pkg/scheduler/framework"
)

// triesOfATie: a case with a random tie is repeated until the release draws the first of the equals.
const triesOfATie = 200

type schedulingCase struct {
	ID      string            `json:"id"`
	Release string            `json:"release"`
	Objects []json.RawMessage `json:"objects"`
	Expect  []outcome         `json:"expect"`
}

// schedule plays one case.
func schedule(line []byte) (any, error) {
	var c schedulingCase
	if err := json.Unmarshal(line, &c); err != nil {
		return nil, err
	}
	c.Release = "1.36.2"
	for range triesOfATie {
		w, err := newWorld(c.Objects)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.ID, err)
		}
		if c.Expect, err = attempts(w); err != nil {
			return nil, fmt.Errorf("%s: %w", c.ID, err)
		}
		if !drewAnother(c.Expect) {
			return c, nil
		}
	}
	return nil, fmt.Errorf("%s: never drew the first of the equals", c.ID)
}

func drewAnother(outcomes []outcome) bool {
	for _, o := range outcomes {
		if o.RandomTie && *o.Node != o.Tied[0] {
			return true
		}
	}
	return false
}

// attempts builds a scheduler for the world and lets it try every pod that waits once.
func attempts(w world) ([]outcome, error) {
	ctx, cancel := context.WithCancel(klog.NewContext(context.Background(), klog.Background()))
	client := fakeAPI(w)
	factory := informers.NewSharedInformerFactory(client, 0)
	defer factory.Shutdown()
	defer cancel()
	handlers := countHandlers(factory)
	notes := &notes{}
	percentage := int32(100)
	sched, err := scheduler.New(ctx, client, factory, nil,
		func(string) events.EventRecorderLogger { return notes },
		scheduler.WithParallelism(1), scheduler.WithPercentageOfNodesToScore(&percentage))
	if err != nil {
		return nil, err
	}
	profile := &observed{Framework: sched.Profiles[v1.DefaultSchedulerName]}
	sched.Profiles[v1.DefaultSchedulerName] = profile
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	handlers.wait()

	outcomes := []outcome{}
	var pod *v1.Pod
	next := sched.NextPod
	sched.NextPod = func(logger klog.Logger) (*framework.QueuedPodInfo, error) {
		info, err := next(logger)
		pod = info.Pod
		outcomes = append(outcomes, outcome{Namespace: pod.Namespace, Pod: pod.Name, Feasible: []string{}})
		profile.reset()
		notes.last = nil
		return info, err
	}
	fail := sched.FailureHandler
	sched.FailureHandler = func(ctx context.Context, f framework.Framework, info *framework.QueuedPodInfo, status *fwk.Status, nominating *fwk.NominatingInfo, start time.Time) {
		reason, message := string(v1.PodReasonSchedulerError), status.Message()
		if status.IsRejected() {
			reason = v1.PodReasonUnschedulable
		}
		last := &outcomes[len(outcomes)-1]
		last.Reason, last.Message = &reason, &message
		profile.chosen = ""
		// Nothing is preempted, so no room is kept for this pod; but a nomination that comes to nothing ends.
		if nominating != nil && nominating.NominatedNodeName != "" {
			nominating = nil
		}
		fail(ctx, f, info, status, nominating, start)
	}
	for range waiting(w, false) {
		sched.ScheduleOne(ctx)
		last := &outcomes[len(outcomes)-1]
		profile.tell(last)
		if last.Node == nil && last.Message == nil {
			last.Message = notes.last
		}
	}
	gated := waiting(w, true)
	slices.SortStableFunc(gated, func(a, b v1.Pod) int { return cmp.Compare(*b.Spec.Priority, *a.Spec.Priority) })
	for _, pod := range gated {
		reason, message := v1.PodReasonSchedulingGated, "Scheduling is blocked due to non-empty scheduling gates"
		outcomes = append(outcomes, outcome{Namespace: pod.Namespace, Pod: pod.Name, Feasible: []string{}, Reason: &reason, Message: &message})
	}
	return outcomes, nil
}

// waiting lists the pods without a node, with gates or without.
func waiting(w world, gated bool) []v1.Pod {
	var pods []v1.Pod
	for _, pod := range unfinished(items[v1.Pod](w["pods"])) {
		if pod.Spec.NodeName == "" && (len(pod.Spec.SchedulingGates) > 0) == gated {
			pods = append(pods, pod)
		}
	}
	return pods
}

// fakeAPI lists the world and takes every write without doing anything.
func fakeAPI(w world) *fake.Clientset {
	client := fake.NewClientset()
	client.PrependReactor("*", "*", func(action clienttesting.Action) (bool, runtime.Object, error) {
		if action.GetVerb() == "list" {
			list := w.list(action.GetResource().Resource)
			return list != nil, list, nil
		}
		return true, &v1.Pod{}, nil
	})
	client.PrependWatchReactor("*", func(clienttesting.Action) (bool, watch.Interface, error) {
		return true, watch.NewFake(), nil
	})
	return client
}

// handlerSet knows whether every handler has been told of everything.
type handlerSet struct {
	registered []cache.ResourceEventHandlerRegistration
}

func (h *handlerSet) wait() {
	for _, handler := range h.registered {
		for !handler.HasSynced() {
			time.Sleep(100 * time.Microsecond)
		}
	}
}

// counted is an informer that notes who listens to it.
type counted struct {
	cache.SharedIndexInformer
	handlers *handlerSet
}

func (c counted) AddEventHandler(handler cache.ResourceEventHandler) (cache.ResourceEventHandlerRegistration, error) {
	registered, err := c.SharedIndexInformer.AddEventHandler(handler)
	c.handlers.registered = append(c.handlers.registered, registered)
	return registered, err
}

// countHandlers puts counted informers where the scheduler and its plugins will look for theirs.
func countHandlers(factory informers.SharedInformerFactory) *handlerSet {
	handlers := &handlerSet{}
	all, none := v1.NamespaceAll, func() cache.Indexers { return cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc} }
	count := func(object runtime.Object, informer func(kubernetes.Interface, time.Duration) cache.SharedIndexInformer) {
		factory.InformerFor(object, func(client kubernetes.Interface, resync time.Duration) cache.SharedIndexInformer {
			return counted{informer(client, resync), handlers}
		})
	}
	count(&v1.Node{}, func(c kubernetes.Interface, r time.Duration) cache.SharedIndexInformer {
		return core.NewNodeInformer(c, r, none())
	})
	count(&v1.Pod{}, func(c kubernetes.Interface, r time.Duration) cache.SharedIndexInformer {
		return core.NewPodInformer(c, all, r, none())
	})
	count(&v1.PersistentVolume{}, func(c kubernetes.Interface, r time.Duration) cache.SharedIndexInformer {
		return core.NewPersistentVolumeInformer(c, r, none())
	})
	count(&v1.PersistentVolumeClaim{}, func(c kubernetes.Interface, r time.Duration) cache.SharedIndexInformer {
		return core.NewPersistentVolumeClaimInformer(c, all, r, none())
	})
	count(&storagev1.StorageClass{}, func(c kubernetes.Interface, r time.Duration) cache.SharedIndexInformer {
		return storage.NewStorageClassInformer(c, r, none())
	})
	return handlers
}

// notes is an event recorder; an attempt that is passed over says so in an event only.
type notes struct{ last *string }

func (n *notes) Eventf(_, _ runtime.Object, _, _, _, note string, args ...any) {
	text := fmt.Sprintf(note, args...)
	n.last = &text
}

func (n *notes) WithLogger(klog.Logger) events.EventRecorderLogger { return n }
