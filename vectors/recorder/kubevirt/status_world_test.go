// A world for the VM controller: its caches and a fake server hold exactly the objects of one case.
package vm

import (
	"testing"

	"go.uber.org/mock/gomock"
	appsv1 "k8s.io/api/apps/v1"
	k8sv1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	k8sfake "k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	v1 "kubevirt.io/api/core/v1"
	cdifake "kubevirt.io/client-go/containerizeddataimporter/fake"
	"kubevirt.io/client-go/kubecli"
	"kubevirt.io/client-go/kubevirt/fake"
	kubevirtv1 "kubevirt.io/client-go/kubevirt/typed/core/v1"
	cdiv1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"

	"kubevirt.io/kubevirt/pkg/controller"
	instancetype "kubevirt.io/kubevirt/pkg/instancetype/controller/vm"
)

// world is a controller with its caches, and the clients that noted what it asked for.
type world struct {
	*Controller
	events   *record.FakeRecorder
	kubevirt *fake.Clientset
	cdi      *cdifake.Clientset
	all      objects
}

func newWorld(t *testing.T, all objects) *world {
	vms := cacheOf(all.vms, controller.GetVirtualMachineInformerIndexers())
	vmis := cacheOf(all.vmis, controller.GetVMIInformerIndexers())
	dvs, claims := cacheOf(all.dvs, nil), cacheOf(all.claims, nil)
	revisions := cacheOf(all.revisions, cache.Indexers{"vm": machineOf})
	sources, kubevirts := cacheOf[*cdiv1.DataSource](nil, nil), cacheOf[*v1.KubeVirt](nil, nil)
	namespaces := cacheOf[*k8sv1.Namespace](nil, nil)
	for _, vm := range all.vms {
		_ = namespaces.GetStore().Add(&k8sv1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: vm.Namespace}})
	}

	w := &world{events: record.NewFakeRecorder(1000), all: all}
	w.kubevirt = fake.NewSimpleClientset(append(copied(all.vms), copied(all.vmis)...)...)
	w.cdi = cdifake.NewSimpleClientset(copied(all.dvs)...)
	w.likeAServer()
	kubernetes := k8sfake.NewSimpleClientset(append(copied(all.claims), copied(all.revisions)...)...)
	client := kubecli.NewMockKubevirtClient(gomock.NewController(t))
	client.EXPECT().VirtualMachine(gomock.Any()).DoAndReturn(func(namespace string) kubevirtv1.VirtualMachineInterface {
		return w.kubevirt.KubevirtV1().VirtualMachines(namespace)
	}).AnyTimes()
	client.EXPECT().VirtualMachineInstance(gomock.Any()).DoAndReturn(func(namespace string) kubevirtv1.VirtualMachineInstanceInterface {
		return w.kubevirt.KubevirtV1().VirtualMachineInstances(namespace)
	}).AnyTimes()
	client.EXPECT().GeneratedKubeVirtClient().Return(w.kubevirt).AnyTimes()
	client.EXPECT().CdiClient().Return(w.cdi).AnyTimes()
	client.EXPECT().AppsV1().Return(kubernetes.AppsV1()).AnyTimes()
	client.EXPECT().CoreV1().Return(kubernetes.CoreV1()).AnyTimes()
	client.EXPECT().AuthorizationV1().Return(kubernetes.AuthorizationV1()).AnyTimes()

	var err error
	w.Controller, err = NewController(vmis, vms, dvs, sources, kubevirts, namespaces, claims, revisions, w.events, client, defaultConfig,
		nil, nil, instancetype.NewControllerStub(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	w.cloneAuthFunc = func(*cdiv1.DataVolume, string, string, cdiv1.AuthorizationHelperProxy, string, string) (bool, string, error) {
		return true, "", nil
	}
	return w
}

// close ends the goroutines of the queue, at their next tick.
func (w *world) close() { w.Queue.ShutDown() }

func machineOf(object interface{}) ([]string, error) {
	for _, owner := range object.(*appsv1.ControllerRevision).OwnerReferences {
		if owner.Kind == "VirtualMachine" {
			return []string{string(owner.UID)}, nil
		}
	}
	return nil, nil
}

// likeAServer keeps status and the rest apart, and an instance with finalizers until they are gone.
func (w *world) likeAServer() {
	tracker := w.kubevirt.Tracker()
	for _, verb := range []struct {
		name    string
		reactor func(func(string) bool, clienttesting.ObjectTracker, func(new, old runtime.Object) runtime.Object) func(clienttesting.Action) (bool, runtime.Object, error)
	}{{"update", UpdateReactor}, {"patch", PatchReactor}} {
		w.kubevirt.PrependReactor(verb.name, "virtualmachines", verb.reactor(SubresourceHandle, tracker, ModifyStatusOnlyVM))
		w.kubevirt.PrependReactor(verb.name, "virtualmachines", verb.reactor(Handle, tracker, ModifyVM))
	}
	w.kubevirt.PrependReactor("delete", "virtualmachineinstances", func(action clienttesting.Action) (bool, runtime.Object, error) {
		name := action.(clienttesting.DeleteAction).GetName()
		found, err := tracker.Get(action.GetResource(), action.GetNamespace(), name)
		if err != nil {
			return true, nil, err
		}
		vmi := found.(*v1.VirtualMachineInstance)
		if len(vmi.Finalizers) == 0 {
			return false, nil, nil
		}
		if vmi.DeletionTimestamp == nil {
			now := metav1.Now()
			vmi.DeletionTimestamp = &now
		}
		return true, nil, tracker.Update(action.GetResource(), vmi, action.GetNamespace())
	})
}
