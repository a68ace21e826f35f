package recorder

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"sort"
	"strings"

	"github.com/go-logr/logr"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	cdi "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	"kubevirt.io/containerized-data-importer/pkg/controller"
	"kubevirt.io/containerized-data-importer/pkg/controller/datavolume"
	"kubevirt.io/containerized-data-importer/pkg/controller/populators"
)

const (
	importer = "importer"
	cloner   = "cloner"
	policy   = "IfNotPresent"
)

var key = func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(err)
	return key
}()

// build calls the controller's own constructor.
func build(name string, manager *fakeManager) (reconcile.Reconciler, error) {
	ctx, log, labels := context.Background(), logr.Discard(), map[string]string{}
	switch name {
	case "dv-import":
		return datavolume.NewImportController(ctx, manager, log, labels)
	case "dv-upload":
		return datavolume.NewUploadController(ctx, manager, log, labels)
	case "dv-pvc-clone":
		return datavolume.NewPvcCloneController(ctx, manager, log, cloner, importer, policy, &key.PublicKey, key, labels)
	case "dv-snapshot-clone":
		return datavolume.NewSnapshotCloneController(ctx, manager, log, cloner, importer, policy, &key.PublicKey, key, labels)
	case "dv-populator":
		return datavolume.NewPopulatorController(ctx, manager, log, labels)
	case "import":
		return controller.NewImportController(manager, log, importer, policy, "1", labels)
	case "import-populator":
		return populators.NewImportPopulator(ctx, manager, log, labels)
	case "upload-populator":
		return populators.NewUploadPopulator(ctx, manager, log, labels)
	case "clone-populator":
		return populators.NewClonePopulator(ctx, manager, log, cloner, policy, labels, &key.PublicKey)
	}
	return nil, fmt.Errorf("no controller %q: there are dv-*, import and *-populator", name)
}

// reconcile lets the controller look once at what the case asks for.
func (c *Case) reconcile(old bool) *answer {
	answer := &answer{Writes: []write{}, Events: []event{}}
	manager := newManager(answer)
	must(datavolume.CreateCommonIndexes(manager))
	must(populators.CreateCommonPopulatorIndexes(manager))
	controller, err := build(c.Controller, manager)
	must(err)
	c.store(manager, old)
	c.setPages()
	namespace, name, _ := strings.Cut(c.Request, "/")
	request := types.NamespacedName{Namespace: namespace, Name: name}
	before := volume(manager, request)
	result, err := controller.Reconcile(context.Background(), reconcile.Request{NamespacedName: request})
	answer.RequeueAfter, answer.Requeue = result.RequeueAfter.Seconds(), result.Requeue
	if err != nil {
		answer.Error = err.Error()
	}
	c.look(manager, request, before)
	return answer
}

// setPages lets each importer answer for the DataVolume and for the claim that is populated.
func (c *Case) setPages() {
	pages = map[string]string{}
	for ip, percent := range c.Progress {
		percent := strings.Trim(string(percent), `"`)
		for _, owner := range []string{"uid-datavolume-disk", "uid-persistentvolumeclaim-disk"} {
			pages[ip] += fmt.Sprintf("kubevirt_cdi_import_progress_total{ownerUID=%q} %s\n", owner, percent)
		}
	}
}

// look tells how the reconcile left what it was asked for.
func (c *Case) look(manager *fakeManager, request types.NamespacedName, before *cdi.DataVolume) {
	if !strings.HasPrefix(c.Controller, "dv-") {
		claim := &core.PersistentVolumeClaim{}
		if manager.client.stored.Get(context.Background(), request, claim) == nil {
			manager.answer.Annotations = claim.Annotations
		}
		return
	}
	if after := volume(manager, request); after != nil {
		manager.answer.Status = plain(after.Status)
		manager.answer.Status["phase"] = after.Status.Phase
		manager.answer.Transitions = transitions(before, after)
	}
}

func volume(manager *fakeManager, request types.NamespacedName) *cdi.DataVolume {
	volume := &cdi.DataVolume{}
	if manager.client.stored.Get(context.Background(), request, volume) != nil {
		return nil
	}
	return volume
}

// transitions names the conditions that have another lastTransitionTime than before.
func transitions(before, after *cdi.DataVolume) []string {
	times := map[string]string{}
	for _, condition := range before.Status.Conditions {
		times[string(condition.Type)] = condition.LastTransitionTime.String()
	}
	var changed []string
	for _, condition := range after.Status.Conditions {
		kind := string(condition.Type)
		if was, had := times[kind]; !had || was != condition.LastTransitionTime.String() {
			changed = append(changed, kind)
		}
	}
	sort.Strings(changed)
	return changed
}
