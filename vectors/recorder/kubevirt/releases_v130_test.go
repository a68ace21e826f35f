package watch

import (
	k8score "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/cache"
	cdiv1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"

	"kubevirt.io/kubevirt/pkg/controller"
)

const release = "v1.3.0"

func newController(volumes []*cdiv1.DataVolume, claims []*k8score.PersistentVolumeClaim) *VMController {
	c := &VMController{
		expectations:    controller.NewUIDTrackingControllerExpectations(controller.NewControllerExpectations()),
		dataVolumeStore: cache.NewStore(cache.MetaNamespaceKeyFunc),
		pvcStore:        cache.NewStore(cache.MetaNamespaceKeyFunc),
	}
	for _, volume := range volumes {
		must(c.dataVolumeStore.Add(volume))
	}
	for _, claim := range claims {
		must(c.pvcStore.Add(claim))
	}
	return c
}
