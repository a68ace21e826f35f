// A world for the VMI controller: its caches and fake servers hold exactly the objects of one case.
package vmi

import (
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
	virtconfig "kubevirt.io/kubevirt/pkg/virt-config"
	"kubevirt.io/kubevirt/pkg/virt-controller/services"
)

// drawn stands for the five characters that an API server draws for the name of a new pod.
const drawn = "xxxxx"

// world is a controller with its caches, and the clients that noted what it asked for.
type world struct {
	*Controller
	events     *record.FakeRecorder
	kubevirt   *fake.Clientset
	kubernetes *k8sfake.Clientset
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

var namespaced = cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc}

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
