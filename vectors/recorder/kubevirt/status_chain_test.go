// Plays a case of status/chain: KubeVirt's VM and VMI controllers with real informers, on virtual time.
package vm

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/mock/gomock"
	appsv1 "k8s.io/api/apps/v1"
	k8sv1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apimachinery/pkg/watch"
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
	virtconfig "kubevirt.io/kubevirt/pkg/virt-config"
	"kubevirt.io/kubevirt/pkg/virt-controller/services"
	"kubevirt.io/kubevirt/pkg/virt-controller/watch/vmi"
)

type chainCase struct {
	Script script            `json:"script"`
	Until  string            `json:"until"`
	VM     v1.VirtualMachine `json:"vm"`
}

// cluster is a server of three clients, and what was seen of it.
type cluster struct {
	start                     time.Time
	kubevirt, cdi, kubernetes *server
	// turn is held while the environment acts: the controllers' requests wait.
	turn sync.Mutex
	seen
}

func newCluster(t *testing.T, stop chan struct{}) *cluster {
	c := &cluster{start: time.Now()}
	virt, cdi, kubernetes := fake.NewSimpleClientset(), cdifake.NewSimpleClientset(), k8sfake.NewSimpleClientset()
	c.kubevirt = &server{ObjectTracker: virt.Tracker(), wrote: c.wrote}
	c.cdi, c.kubernetes = &server{ObjectTracker: cdi.Tracker()}, &server{ObjectTracker: kubernetes.Tracker()}
	virt.PrependReactor("*", "*", clienttesting.ObjectReaction(c.kubevirt))
	cdi.PrependReactor("*", "*", clienttesting.ObjectReaction(c.cdi))
	kubernetes.PrependReactor("*", "*", clienttesting.ObjectReaction(c.kubernetes))
	virt.PrependReactor("update", "virtualmachines", UpdateReactor(SubresourceHandle, c.kubevirt, ModifyStatusOnlyVM))
	virt.PrependReactor("update", "virtualmachines", UpdateReactor(Handle, c.kubevirt, ModifyVM))
	virt.PrependReactor("patch", "virtualmachines", PatchReactor(SubresourceHandle, c.kubevirt, ModifyStatusOnlyVM))
	virt.PrependReactor("patch", "virtualmachines", PatchReactor(Handle, c.kubevirt, ModifyVM))
	wait := func(clienttesting.Action) (bool, runtime.Object, error) {
		c.turn.Lock()
		defer c.turn.Unlock()
		return false, nil, nil
	}
	virt.PrependReactor("*", "*", wait)
	cdi.PrependReactor("*", "*", wait)
	kubernetes.PrependReactor("*", "*", wait)

	client := kubecli.NewMockKubevirtClient(gomock.NewController(t))
	client.EXPECT().VirtualMachine(gomock.Any()).DoAndReturn(func(namespace string) kubevirtv1.VirtualMachineInterface {
		return virt.KubevirtV1().VirtualMachines(namespace)
	}).AnyTimes()
	client.EXPECT().VirtualMachineInstance(gomock.Any()).DoAndReturn(func(namespace string) kubevirtv1.VirtualMachineInstanceInterface {
		return virt.KubevirtV1().VirtualMachineInstances(namespace)
	}).AnyTimes()
	client.EXPECT().GeneratedKubeVirtClient().Return(virt).AnyTimes()
	client.EXPECT().CdiClient().Return(cdi).AnyTimes()
	client.EXPECT().AppsV1().Return(kubernetes.AppsV1()).AnyTimes()
	client.EXPECT().CoreV1().Return(kubernetes.CoreV1()).AnyTimes()

	vms := informer[v1.VirtualMachine](controller.GetVirtualMachineInformerIndexers(), virt.KubevirtV1().VirtualMachines("").List, virt.KubevirtV1().VirtualMachines("").Watch)
	vmis := informer[v1.VirtualMachineInstance](controller.GetVMIInformerIndexers(), virt.KubevirtV1().VirtualMachineInstances("").List, virt.KubevirtV1().VirtualMachineInstances("").Watch)
	pods := informer[k8sv1.Pod](namespaced, kubernetes.CoreV1().Pods("").List, kubernetes.CoreV1().Pods("").Watch)
	claims := informer[k8sv1.PersistentVolumeClaim](namespaced, kubernetes.CoreV1().PersistentVolumeClaims("").List, kubernetes.CoreV1().PersistentVolumeClaims("").Watch)
	dvs := informer[cdiv1.DataVolume](namespaced, cdi.CdiV1beta1().DataVolumes("").List, cdi.CdiV1beta1().DataVolumes("").Watch)
	revisions := informer[appsv1.ControllerRevision](cache.Indexers{"vm": machineOf}, kubernetes.AppsV1().ControllerRevisions("").List, kubernetes.AppsV1().ControllerRevisions("").Watch)
	migrations := cacheOf[*v1.VirtualMachineInstanceMigration](nil, controller.GetVirtualMachineInstanceMigrationInformerIndexers())
	namespaces := cacheOf([]*k8sv1.Namespace{{ObjectMeta: metav1.ObjectMeta{Name: "default"}}}, nil)

	machines, err := NewController(vmis, vms, dvs, cacheOf[*cdiv1.DataSource](nil, nil), cacheOf[*v1.KubeVirt](nil, nil), namespaces, claims,
		revisions, &record.FakeRecorder{}, client, defaultConfig, nil, nil, instancetype.NewControllerStub(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	empty := cache.NewIndexer(cache.MetaNamespaceKeyFunc, nil)
	templates := services.NewTemplateService("launcher-image", 240, "share", "ephemeral", "disks", v1.HotplugDiskDir, "",
		claims.GetStore(), client, defaultConfig, 107, "exporter", empty, empty)
	networks := func(*v1.VirtualMachineInstance, *k8sv1.Pod) error { return nil }
	valid := func(*field.Path, *v1.VirtualMachineInstanceSpec, *virtconfig.ClusterConfig) []metav1.StatusCause {
		return nil
	}
	instances, err := vmi.NewController(templates, vmis, vms, pods, claims, migrations, cacheOf[*storagev1.StorageClass](nil, nil),
		&record.FakeRecorder{}, client, dvs, cacheOf[*cdiv1.StorageProfile](nil, nil), cacheOf[*cdiv1.CDI](nil, nil),
		cacheOf[*cdiv1.CDIConfig](nil, nil), cacheOf[*v1.KubeVirt](nil, nil), defaultConfig, silent{}, silent{}, silent{}, networks, valid, silent{}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, informer := range []cache.SharedIndexInformer{vms, vmis, pods, claims, dvs, revisions} {
		go informer.Run(stop)
	}
	synctest.Wait()
	for _, run := range []func(){machines.runWorker, func() {
		for instances.Execute() {
		}
	}} {
		go run()
	}
	go func() { <-stop; machines.Queue.ShutDown(); instances.Queue.ShutDown() }()
	return c
}

var namespaced = cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc}

func informer[T any, L runtime.Object](indexers cache.Indexers, list func(context.Context, metav1.ListOptions) (L, error),
	watches func(context.Context, metav1.ListOptions) (watch.Interface, error)) cache.SharedIndexInformer {
	lw := &cache.ListWatch{
		ListFunc: func(options metav1.ListOptions) (runtime.Object, error) { return list(context.Background(), options) },
		WatchFunc: func(options metav1.ListOptions) (watch.Interface, error) {
			return watches(context.Background(), options)
		},
	}
	object, _ := any(new(T)).(runtime.Object)
	// Without a resync it would wait on a channel from outside of the case.
	return cache.NewSharedIndexInformer(lw, object, 1000*time.Hour, indexers)
}

// play gives what every instant left behind.
func play(t *testing.T, text []byte) (any, error) {
	c := chainCase{}
	if err := json.Unmarshal(text, &c); err != nil {
		return nil, err
	}
	until, err := time.ParseDuration(c.Until)
	if err != nil {
		return nil, err
	}
	every, err := time.ParseDuration(c.Script.Every)
	if err != nil {
		return nil, err
	}
	stop := make(chan struct{})
	cluster := newCluster(t, stop)
	environment, err := newEnvironment(cluster, c.Script)
	if err != nil {
		return nil, err
	}
	if err := cluster.kubevirt.Create(machinesResource, &c.VM, "default"); err != nil {
		return nil, err
	}
	for passed := time.Duration(0); passed <= until; passed += every {
		time.Sleep(time.Until(cluster.start.Add(passed)))
		synctest.Wait()
		cluster.turn.Lock()
		err := environment.tick(passed)
		cluster.turn.Unlock()
		if err != nil {
			return nil, fmt.Errorf("at %v: %w", passed, err)
		}
		synctest.Wait()
	}
	close(stop)
	time.Sleep(time.Minute)
	return cluster.answer(), nil
}
