// A world for the VMI controller: its caches and fake servers hold exactly the objects of one case.
package vmi

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"go.uber.org/mock/gomock"
	k8sv1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	k8sfake "k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	v1 "kubevirt.io/api/core/v1"
	"kubevirt.io/client-go/kubecli"
	"kubevirt.io/client-go/kubevirt/fake"
	kubevirtv1 "kubevirt.io/client-go/kubevirt/typed/core/v1"
	cdiv1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"

	"kubevirt.io/kubevirt/pkg/controller"
	"kubevirt.io/kubevirt/pkg/testutils"
	virtconfig "kubevirt.io/kubevirt/pkg/virt-config"
	"kubevirt.io/kubevirt/pkg/virt-controller/services"
	"kubevirt.io/kubevirt/pkg/virt-controller/watch/topology"
)

// drawn stands for the five characters that an API server draws for the name of a new pod.
const drawn = "xxxxx"

// objects of a case, as read back from their JSON.
type objects struct {
	vms    []*v1.VirtualMachine
	vmis   []*v1.VirtualMachineInstance
	dvs    []*cdiv1.DataVolume
	claims []*k8sv1.PersistentVolumeClaim
	pods   []*k8sv1.Pod
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

// world is a controller with its caches, and the clients that noted what it asked for.
type world struct {
	*Controller
	events     *record.FakeRecorder
	kubevirt   *fake.Clientset
	kubernetes *k8sfake.Clientset
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

func newWorld(t *testing.T, all objects) *world {
	claims := cacheOf(all.claims, nil)
	w := &world{events: record.NewFakeRecorder(1000), kubevirt: fake.NewSimpleClientset(copied(all.vmis)...)}
	w.kubernetes = k8sfake.NewSimpleClientset(append(copied(all.pods), copied(all.claims)...)...)
	w.likeAServer()
	client := kubecli.NewMockKubevirtClient(gomock.NewController(t))
	client.EXPECT().VirtualMachineInstance(gomock.Any()).DoAndReturn(func(namespace string) kubevirtv1.VirtualMachineInstanceInterface {
		return w.kubevirt.KubevirtV1().VirtualMachineInstances(namespace)
	}).AnyTimes()
	client.EXPECT().CoreV1().Return(w.kubernetes.CoreV1()).AnyTimes()
	empty := cache.NewIndexer(cache.MetaNamespaceKeyFunc, nil)
	templates := services.NewTemplateService("launcher-image", 240, "share", "ephemeral", "disks", v1.HotplugDiskDir, "",
		claims.GetStore(), client, defaultConfig, 107, "exporter", empty, empty)
	networks := func(*v1.VirtualMachineInstance, *k8sv1.Pod) error { return nil }
	valid := func(*field.Path, *v1.VirtualMachineInstanceSpec, *virtconfig.ClusterConfig) []metav1.StatusCause {
		return nil
	}
	var err error
	w.Controller, err = NewController(templates,
		cacheOf(all.vmis, controller.GetVMIInformerIndexers()), cacheOf(all.vms, controller.GetVirtualMachineInformerIndexers()),
		cacheOf(all.pods, namespaced), claims,
		cacheOf[*v1.VirtualMachineInstanceMigration](nil, controller.GetVirtualMachineInstanceMigrationInformerIndexers()),
		cacheOf[*storagev1.StorageClass](nil, nil), w.events, client, cacheOf(all.dvs, namespaced),
		cacheOf[*cdiv1.StorageProfile](nil, nil), cacheOf[*cdiv1.CDI](nil, nil), cacheOf[*cdiv1.CDIConfig](nil, nil),
		cacheOf[*v1.KubeVirt](nil, nil), defaultConfig, silent{}, silent{}, silent{}, networks, valid, silent{}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// close ends the goroutines of the queue, the last at their next tick.
func (w *world) close() {
	w.Queue.ShutDown()
	time.Sleep(time.Second)
}

// defaultConfig keeps goroutines, so that it is made once, outside of any case's own time.
var defaultConfig, _, _ = testutils.NewFakeClusterConfigUsingKVConfig(&v1.KubeVirtConfiguration{})

var namespaced = cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc}

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

// likeAServer names new pods, and keeps one that is deleted while a kubelet has to end it or a finalizer stands.
func (w *world) likeAServer() {
	tracker := w.kubernetes.Tracker()
	w.kubernetes.PrependReactor("create", "pods", func(action clienttesting.Action) (bool, runtime.Object, error) {
		pod := action.(clienttesting.CreateAction).GetObject().(*k8sv1.Pod)
		pod.Namespace, pod.Name = action.GetNamespace(), pod.GenerateName+drawn
		return false, nil, nil
	})
	w.kubernetes.PrependReactor("delete", "pods", func(action clienttesting.Action) (bool, runtime.Object, error) {
		deletion := action.(clienttesting.DeleteActionImpl)
		found, err := tracker.Get(action.GetResource(), action.GetNamespace(), deletion.GetName())
		if err != nil {
			return true, nil, err
		}
		pod := found.(*k8sv1.Pod)
		grace := deletion.DeleteOptions.GracePeriodSeconds
		atOnce := grace != nil && *grace == 0 || pod.Spec.NodeName == "" || isPodFinal(pod)
		if atOnce && len(pod.Finalizers) == 0 {
			return false, nil, nil
		}
		if pod.DeletionTimestamp == nil {
			now := metav1.Now()
			pod.DeletionTimestamp = &now
		}
		return true, nil, tracker.Update(action.GetResource(), pod, action.GetNamespace())
	})
}
