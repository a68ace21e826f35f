package virtcontroller

import (
	k8sv1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/cache"
	k6tv1 "kubevirt.io/api/core/v1"
	instancetypev1beta1 "kubevirt.io/api/instancetype/v1beta1"

	"kubevirt.io/kubevirt/pkg/testutils"
)

const release = "v1.9.0"

// noTypes: what a machine requests is none of the recorded metrics.
type noTypes struct{}

func (noTypes) ApplyToVM(*k6tv1.VirtualMachine) error { return nil }

// noLabels: nor are its labels.
type noLabels struct{}

func (noLabels) ShouldReport(string) bool { return false }

func setUp() map[string]kind {
	config, _, _ := testutils.NewFakeClusterConfigUsingKV(&k6tv1.KubeVirt{})
	named := func() cache.Store { return cache.NewStore(cache.MetaNamespaceKeyFunc) }
	pods := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
	s := &Stores{
		VM: named(), VMI: named(), PersistentVolumeClaim: named(), ControllerRevision: named(),
		Instancetype: named(), ClusterInstancetype: named(), Preference: named(), ClusterPreference: named(),
	}
	migrations := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{})
	must(SetupMetrics(&Indexers{VMIMigration: migrations, KVPod: pods}, s, config, nil))
	vmApplier, vmLabelsCfg = noTypes{}, noLabels{}
	return map[string]kind{
		"VirtualMachine":                    {s.VM, func() any { return &k6tv1.VirtualMachine{} }},
		"VirtualMachineInstance":            {s.VMI, func() any { return &k6tv1.VirtualMachineInstance{} }},
		"Pod":                               {pods, func() any { return &k8sv1.Pod{} }},
		"VirtualMachineInstancetype":        {s.Instancetype, func() any { return &instancetypev1beta1.VirtualMachineInstancetype{} }},
		"VirtualMachineClusterInstancetype": {s.ClusterInstancetype, func() any { return &instancetypev1beta1.VirtualMachineClusterInstancetype{} }},
		"VirtualMachinePreference":          {s.Preference, func() any { return &instancetypev1beta1.VirtualMachinePreference{} }},
		"VirtualMachineClusterPreference":   {s.ClusterPreference, func() any { return &instancetypev1beta1.VirtualMachineClusterPreference{} }},
	}
}
