package vmstats

import (
	"k8s.io/client-go/tools/cache"
	k6tv1 "kubevirt.io/api/core/v1"
)

const release = "v0.59.0"

func setUp() map[string]kind {
	vms := cache.NewSharedIndexInformer(&cache.ListWatch{}, &k6tv1.VirtualMachine{}, 0, cache.Indexers{})
	SetupVMCollector(vms)
	return map[string]kind{"VirtualMachine": {vms.GetStore(), func() any { return &k6tv1.VirtualMachine{} }}}
}
