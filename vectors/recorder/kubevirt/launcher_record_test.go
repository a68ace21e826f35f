// Asks KubeVirt's template service. LAUNCHER_CASES names a file of JSON Lines with cases, LAUNCHER_ANSWERS the file to write.
package services

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"

	networkv1 "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/apis/k8s.cni.cncf.io/v1"
	"go.uber.org/mock/gomock"
	k8sv1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/cache"
	v1 "kubevirt.io/api/core/v1"
	"kubevirt.io/client-go/kubecli"
	"kubevirt.io/client-go/log"
	fakenetwork "kubevirt.io/client-go/networkattachmentdefinitionclient/fake"

	"kubevirt.io/kubevirt/pkg/defaults"
	netresources "kubevirt.io/kubevirt/pkg/network/resources"
	"kubevirt.io/kubevirt/pkg/testutils"
	virtconfig "kubevirt.io/kubevirt/pkg/virt-config"
)

// A case in and out; of an old answer nothing is read.
type launcherCase struct {
	ID      string            `json:"id"`
	Release string            `json:"release"`
	About   string            `json:"about,omitempty"`
	Objects []json.RawMessage `json:"objects"`
	Expect  any               `json:"expect"`
}

type launcherAnswer struct {
	MemoryOverhead   any                       `json:"memoryOverhead"`
	RequestAfter     any                       `json:"requestsMemoryOfTheInstanceAfterRendering,omitempty"`
	Compute          shownResources            `json:"compute"`
	Containers       map[string]shownResources `json:"containers,omitempty"`
	InitContainers   map[string]shownResources `json:"initContainers,omitempty"`
	Restartable      []string                  `json:"restartableInitContainers,omitempty"`
	NodeSelector     map[string]string         `json:"nodeSelector"`
	Affinity         *k8sv1.Affinity           `json:"affinity,omitempty"`
	Tolerations      []k8sv1.Toleration        `json:"tolerations,omitempty"`
	TerminationGrace *int64                    `json:"terminationGracePeriodSeconds"`
	RestartPolicy    k8sv1.RestartPolicy       `json:"restartPolicy"`
	ImageVolumes     []string                  `json:"imageVolumes,omitempty"`
	Volumes          []k8sv1.Volume            `json:"podVolumes"`
	PullSecrets      []string                  `json:"imagePullSecrets"`
	LivenessProbe    *shownProbe               `json:"livenessProbe,omitempty"`
	ReadinessProbe   *shownProbe               `json:"readinessProbe,omitempty"`
}

// shownProbe is when and how often, not what is asked.
type shownProbe struct {
	InitialDelaySeconds int32 `json:"initialDelaySeconds"`
	TimeoutSeconds      int32 `json:"timeoutSeconds"`
	PeriodSeconds       int32 `json:"periodSeconds"`
	SuccessThreshold    int32 `json:"successThreshold"`
	FailureThreshold    int32 `json:"failureThreshold"`
}

type shownResources struct {
	Requests k8sv1.ResourceList `json:"requests,omitempty"`
	Limits   k8sv1.ResourceList `json:"limits,omitempty"`
}

func TestRecordLauncher(t *testing.T) {
	log.Log.SetIOWriter(io.Discard)
	in, err := os.Open(os.Getenv("LAUNCHER_CASES"))
	if err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(os.Getenv("LAUNCHER_ANSWERS"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	config := clusterConfig()
	service := templateService(t, config)
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<24)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for lines.Scan() {
		c := launcherCase{}
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		if c.Release == "" {
			c.Release = "v1.9.0"
		}
		vmi := &v1.VirtualMachineInstance{}
		if err := json.Unmarshal(c.Objects[0], vmi); err != nil {
			t.Fatal(err)
		}
		if c.Expect, err = launcher(config, service, vmi); err != nil {
			fmt.Fprintf(os.Stderr, "%s is left out: %v\n", c.ID, err)
			continue
		}
		if err := encoder.Encode(c); err != nil {
			t.Fatal(err)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}

// clusterConfig is what a cluster has that says nothing: amd64 machines, defaults.
func clusterConfig() *virtconfig.ClusterConfig {
	config, _, store := testutils.NewFakeClusterConfigUsingKVConfig(&v1.KubeVirtConfiguration{})
	kubevirt := testutils.GetFakeKubeVirtClusterConfig(store)
	kubevirt.Status.DefaultArchitecture = "amd64"
	testutils.UpdateFakeKubeVirtClusterConfig(store, kubevirt)
	return config
}

// templateService finds every claim and every network that it looks up, all without properties.
func templateService(t *testing.T, config *virtconfig.ClusterConfig) *TemplateService {
	client := kubecli.NewMockKubevirtClient(gomock.NewController(t))
	networks := fakenetwork.NewSimpleClientset()
	networks.PrependReactor("get", "*", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, &networkv1.NetworkAttachmentDefinition{}, nil
	})
	client.EXPECT().NetworkClient().Return(networks).AnyTimes()
	claims := &cache.FakeCustomStore{GetByKeyFunc: func(string) (any, bool, error) {
		return &k8sv1.PersistentVolumeClaim{}, true, nil
	}}
	empty := cache.NewIndexer(cache.MetaNamespaceKeyFunc, nil)
	return NewTemplateService("quay.io/kubevirt/virt-launcher:v1", 240, "/var/run/kubevirt", "/var/run/kubevirt-ephemeral-disks",
		"/var/run/kubevirt/container-disks", v1.HotplugDiskDir, "", claims, client, config, 107, "exporter", empty, empty,
		WithNetMemoryCalculator(netresources.MemoryCalculator{}))
}

// launcher renders what the webhook makes of an instance.
func launcher(config *virtconfig.ClusterConfig, service *TemplateService, vmi *v1.VirtualMachineInstance) (answer *launcherAnswer, err error) {
	defer func() {
		if failure := recover(); failure != nil {
			err = errors.New(fmt.Sprint(failure))
		}
	}()
	if err := defaults.SetDefaultVirtualMachineInstance(config, vmi); err != nil {
		return nil, err
	}
	before := vmi.Spec.Domain.Resources.Requests.Memory().DeepCopy()
	overhead := CalculateMemoryOverhead(config, service.netMemoryCalculator, vmi, service.launcherHypervisorResources)
	pod, err := service.RenderLaunchManifest(vmi)
	if err != nil {
		return nil, err
	}
	compute := pod.Spec.Containers[0]
	a := &launcherAnswer{Volumes: []k8sv1.Volume{}, PullSecrets: []string{}, MemoryOverhead: overhead, NodeSelector: pod.Spec.NodeSelector, Affinity: pod.Spec.Affinity,
		Tolerations: pod.Spec.Tolerations, TerminationGrace: pod.Spec.TerminationGracePeriodSeconds, RestartPolicy: pod.Spec.RestartPolicy,
		Compute: resourcesOf(compute), LivenessProbe: probeOf(compute.LivenessProbe), ReadinessProbe: probeOf(compute.ReadinessProbe)}
	if after := vmi.Spec.Domain.Resources.Requests.Memory(); after.Cmp(before) != 0 {
		a.RequestAfter = after
	}
	a.Containers, _ = byName(pod.Spec.Containers[1:])
	a.InitContainers, a.Restartable = byName(pod.Spec.InitContainers)
	for _, volume := range pod.Spec.Volumes {
		if volume.Image != nil {
			a.ImageVolumes = append(a.ImageVolumes, volume.Name)
		}
		if volume.EmptyDir == nil && volume.DownwardAPI == nil && volume.HostPath == nil {
			a.Volumes = append(a.Volumes, volume)
		}
	}
	for _, secret := range pod.Spec.ImagePullSecrets {
		a.PullSecrets = append(a.PullSecrets, secret.Name)
	}
	return a, nil
}

func probeOf(probe *k8sv1.Probe) *shownProbe {
	if probe == nil {
		return nil
	}
	return &shownProbe{probe.InitialDelaySeconds, probe.TimeoutSeconds, probe.PeriodSeconds, probe.SuccessThreshold, probe.FailureThreshold}
}

func byName(containers []k8sv1.Container) (all map[string]shownResources, restartable []string) {
	all = map[string]shownResources{}
	for _, container := range containers {
		all[container.Name] = resourcesOf(container)
		if container.RestartPolicy != nil {
			restartable = append(restartable, container.Name)
		}
	}
	return all, restartable
}

func resourcesOf(container k8sv1.Container) shownResources {
	return shownResources{container.Resources.Requests, container.Resources.Limits}
}
