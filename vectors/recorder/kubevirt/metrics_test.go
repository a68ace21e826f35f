// Asks the collectors of virt-controller for one scrape. Stands beside them in a copy of KubeVirt, with the file of that
// release, which sets them up, and under the name of their package; README-releases.md has the commands.
package virtcontroller

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"
)

// Where the collectors look for objects of a kind, and an empty object of it.
type kind struct {
	store cache.Store
	empty func() any
}

type line struct {
	ID      string            `json:"id"`
	Release string            `json:"release"`
	About   string            `json:"about,omitempty"`
	Objects []json.RawMessage `json:"objects"`
	Expect  []sample          `json:"expect"`
}

type sample struct {
	Metric string            `json:"metric"`
	Labels map[string]string `json:"labels"`
	Value  int64             `json:"value"`
}

var recorded = map[string]bool{
	"kubevirt_vm_starting_status_last_transition_timestamp_seconds":    true,
	"kubevirt_vm_running_status_last_transition_timestamp_seconds":     true,
	"kubevirt_vm_migrating_status_last_transition_timestamp_seconds":   true,
	"kubevirt_vm_non_running_status_last_transition_timestamp_seconds": true,
	"kubevirt_vm_error_status_last_transition_timestamp_seconds":       true,
	"kubevirt_vm_info":  true,
	"kubevirt_vmi_info": true,
}

// TestMain takes the place of all tests: JSON Lines on standard input, the same with answers on standard output.
func TestMain(*testing.M) {
	kinds := setUp()
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<28)
	out := bufio.NewWriter(os.Stdout)
	for in.Scan() {
		var l line
		must(json.Unmarshal(in.Bytes(), &l))
		if err := store(l.Objects, kinds); err != nil {
			fmt.Fprintf(os.Stderr, "%s left out: %v\n", l.ID, err)
			continue
		}
		l.Release, l.Expect = release, scrape()
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

// Puts these objects, and only these, in front of the collectors.
func store(objects []json.RawMessage, kinds map[string]kind) error {
	for _, kind := range kinds {
		must(kind.store.Replace(nil, ""))
	}
	for _, raw := range objects {
		var meta metav1.TypeMeta
		if err := json.Unmarshal(raw, &meta); err != nil {
			return err
		}
		kind, looked := kinds[meta.Kind]
		if !looked {
			continue
		}
		object := kind.empty()
		if err := json.Unmarshal(raw, object); err != nil {
			return err
		}
		must(kind.store.Add(object))
	}
	return nil
}

func scrape() []sample {
	families, err := prometheus.DefaultGatherer.Gather()
	must(err)
	samples := []sample{}
	for _, family := range families {
		if !recorded[family.GetName()] {
			continue
		}
		for _, metric := range family.Metric {
			value := metric.GetGauge().GetValue() + metric.GetCounter().GetValue()
			samples = append(samples, sample{family.GetName(), labelsOf(metric), int64(value)})
		}
	}
	return samples
}

// Those with an empty value are as good as absent.
func labelsOf(metric *dto.Metric) map[string]string {
	labels := map[string]string{}
	for _, pair := range metric.Label {
		if pair.GetValue() != "" {
			labels[pair.GetName()] = pair.GetValue()
		}
	}
	return labels
}
