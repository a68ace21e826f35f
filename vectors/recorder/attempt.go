package main

import (
	"context"
	"maps"
	"runtime"
	"slices"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/framework"
)

// postFilterRuns: among equals preemption takes the first of a Go map, and each comes first at least once in eight.
const postFilterRuns = 150

// outcome is one entry of `expect`.
type outcome struct {
	Namespace    string                      `json:"namespace"`
	Pod          string                      `json:"pod"`
	Node         *string                     `json:"node"`
	Feasible     []string                    `json:"feasible"`
	Tied         []string                    `json:"tied,omitempty"`
	RandomTie    bool                        `json:"random_tie,omitempty"`
	Order        []string                    `json:"order,omitempty"`
	Scores       map[string]int64            `json:"scores,omitempty"`
	Parts        map[string]map[string]int64 `json:"parts,omitempty"`
	Reason       *string                     `json:"reason"`
	Message      *string                     `json:"message"`
	Nominated    string                      `json:"nominated,omitempty"`
	NominatedAny []string                    `json:"nominated_any,omitempty"`
}

// observed is the profile's framework, which notes what passes through it. It changes no answer.
type observed struct {
	framework.Framework
	passed    sets.Set[string]
	asked     sets.Set[string]
	narrowed  *fwk.PreFilterResult
	order     []string
	scores    []fwk.NodePluginScores
	nominated sets.Set[string]
	chosen    string
}

// reset makes it ready for the next attempt.
func (o *observed) reset() {
	none := sets.New[string]
	*o = observed{Framework: o.Framework, passed: none(), asked: none(), nominated: none()}
}

func (o *observed) RunPreFilterPlugins(ctx context.Context, state fwk.CycleState, pod *v1.Pod) (*fwk.PreFilterResult, *fwk.Status, sets.Set[string]) {
	result, status, plugins := o.Framework.RunPreFilterPlugins(ctx, state, pod)
	o.narrowed = result
	return result, status, plugins
}

func (o *observed) RunFilterPluginsWithNominatedPods(ctx context.Context, state fwk.CycleState, pod *v1.Pod, info fwk.NodeInfo) *fwk.Status {
	status := o.Framework.RunFilterPluginsWithNominatedPods(ctx, state, pod, info)
	o.asked.Insert(info.Node().Name)
	if status.IsSuccess() {
		o.passed.Insert(info.Node().Name)
	}
	return status
}

func (o *observed) RunScorePlugins(ctx context.Context, state fwk.CycleState, pod *v1.Pod, nodes []fwk.NodeInfo) ([]fwk.NodePluginScores, *fwk.Status) {
	for _, node := range nodes {
		o.order = append(o.order, node.Node().Name)
	}
	scores, status := o.Framework.RunScorePlugins(ctx, state, pod, nodes)
	o.scores = scores
	return scores, status
}

func (o *observed) RunPostFilterPlugins(ctx context.Context, state fwk.CycleState, pod *v1.Pod, statuses fwk.NodeToStatusReader) (*fwk.PostFilterResult, *fwk.Status) {
	result, status := o.Framework.RunPostFilterPlugins(ctx, state, pod, statuses)
	for again, runs := result, 0; runs < postFilterRuns && names(again); runs++ {
		o.nominated.Insert(again.NominatedNodeName)
		again, _ = o.Framework.RunPostFilterPlugins(ctx, state, pod, statuses)
	}
	return result, status
}

// names: a node that was nominated, and no nomination that ends.
func names(result *fwk.PostFilterResult) bool {
	return result != nil && result.NominatingInfo != nil && result.NominatedNodeName != ""
}

// RunReservePluginsReserve asks the nodes too that a pod with a nominated node has not come to.
func (o *observed) RunReservePluginsReserve(ctx context.Context, state fwk.CycleState, pod *v1.Pod, node string) *fwk.Status {
	o.chosen = node
	asking := pod.DeepCopy()
	asking.Spec.NodeName = ""
	infos, _ := o.SnapshotSharedLister().NodeInfos().List()
	for _, info := range infos {
		name := info.Node().Name
		if !o.asked.Has(name) && (o.narrowed.AllNodes() || o.narrowed.NodeNames.Has(name)) {
			o.RunFilterPluginsWithNominatedPods(ctx, state, asking, info)
		}
	}
	return o.Framework.RunReservePluginsReserve(ctx, state, pod, node)
}

// WaitOnPermit ends the goroutine that binds: nothing is bound, and what was assumed stays so.
func (o *observed) WaitOnPermit(context.Context, *v1.Pod) *fwk.Status {
	runtime.Goexit()
	return nil
}

// tell fills in what was seen.
func (o *observed) tell(outcome *outcome) {
	outcome.Feasible = append([]string{}, sets.List(o.passed)...)
	if node := o.chosen; node != "" {
		outcome.Node = &node
	}
	if len(o.scores) > 0 {
		o.tellScores(outcome)
	}
	if nodes := sets.List(o.nominated); len(nodes) > 0 {
		outcome.Nominated = nodes[0]
		if len(nodes) > 1 {
			outcome.NominatedAny = nodes
		}
	}
}

func (o *observed) tellScores(outcome *outcome) {
	outcome.Scores, outcome.Parts = map[string]int64{}, map[string]map[string]int64{}
	for _, node := range o.scores {
		outcome.Scores[node.Name] = node.TotalScore
		outcome.Parts[node.Name] = map[string]int64{}
		for _, part := range node.Scores {
			outcome.Parts[node.Name][part.Name] = part.Score
		}
	}
	best := slices.Max(slices.Collect(maps.Values(outcome.Scores)))
	for _, node := range sets.List(sets.KeySet(outcome.Scores)) {
		if outcome.Scores[node] == best {
			outcome.Tied = append(outcome.Tied, node)
		}
	}
	if len(outcome.Tied) > 1 {
		if outcome.RandomTie = !o.narrowed.AllNodes(); !outcome.RandomTie {
			outcome.Order = o.order
		}
	}
}
