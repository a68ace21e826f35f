package watch

import (
	k8score "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/cache"
	cdiv1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"

	"kubevirt.io/kubevirt/pkg/controller"
)

const release = "v0.59.0"

func newController(volumes []*cdiv1.DataVolume, claims []*k8score.PersistentVolumeClaim) *VMController {
	c := &VMController{
		expectations:       controller.NewUIDTrackingControllerExpectations(controller.NewControllerExpectations()),
		dataVolumeInformer: informer(&cdiv1.DataVolume{}),
		pvcInformer:        informer(&k8score.PersistentVolumeClaim{}),
	}
	for _, volume := range volumes {
		must(c.dataVolumeInformer.GetStore().Add(volume))
	}
	for _, claim := range claims {
		must(c.pvcInformer.GetStore().Add(claim))
	}
	return c
}

func informer(of runtime.Object) cache.SharedIndexInformer {
	return cache.NewSharedIndexInformer(&cache.ListWatch{}, of, 0, cache.Indexers{})
}
