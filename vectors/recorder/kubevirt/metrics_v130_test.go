package virt_controller

import (
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/cache"
	k6tv1 "kubevirt.io/api/core/v1"
	instancetypev1beta1 "kubevirt.io/api/instancetype/v1beta1"

	"kubevirt.io/kubevirt/pkg/testutils"
)

const release = "v1.3.0"

func setUp() map[string]kind {
	config, _, _ := testutils.NewFakeClusterConfigUsingKV(&k6tv1.KubeVirt{})
	informer := func(of runtime.Object) cache.SharedIndexInformer {
		return cache.NewSharedIndexInformer(&cache.ListWatch{}, of, 0, cache.Indexers{})
	}
	must(SetupMetrics(
		informer(&k6tv1.VirtualMachine{}),
		informer(&k6tv1.VirtualMachineInstance{}),
		informer(&instancetypev1beta1.VirtualMachineClusterInstancetype{}),
		informer(&instancetypev1beta1.VirtualMachineInstancetype{}),
		informer(&instancetypev1beta1.VirtualMachineClusterPreference{}),
		informer(&instancetypev1beta1.VirtualMachinePreference{}),
		informer(&k6tv1.VirtualMachineInstanceMigration{}),
		config,
	))
	return map[string]kind{
		"VirtualMachine":                    {vmInformer.GetStore(), func() any { return &k6tv1.VirtualMachine{} }},
		"VirtualMachineInstance":            {vmiInformer.GetStore(), func() any { return &k6tv1.VirtualMachineInstance{} }},
		"VirtualMachineInstancetype":        {instanceTypeInformer.GetStore(), func() any { return &instancetypev1beta1.VirtualMachineInstancetype{} }},
		"VirtualMachineClusterInstancetype": {clusterInstanceTypeInformer.GetStore(), func() any { return &instancetypev1beta1.VirtualMachineClusterInstancetype{} }},
		"VirtualMachinePreference":          {preferenceInformer.GetStore(), func() any { return &instancetypev1beta1.VirtualMachinePreference{} }},
		"VirtualMachineClusterPreference":   {clusterPreferenceInformer.GetStore(), func() any { return &instancetypev1beta1.VirtualMachineClusterPreference{} }},
	}
}
