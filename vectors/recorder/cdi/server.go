package recorder

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// server takes writes and notes each; what is read comes from a cache that may not have heard of them.
type server struct {
	client.Client // reads: the cache
	mapper        meta.RESTMapper
	scheme        *runtime.Scheme
	stored        client.Client
	deny          map[string]string
	answer        *answer
}

func (s *server) RESTMapper() meta.RESTMapper { return s.mapper }

func (s *server) kind(of client.Object) schema.GroupVersionKind {
	kind, err := apiutil.GVKForObject(of, s.scheme)
	must(err)
	return kind
}

func (s *server) Create(ctx context.Context, object client.Object, options ...client.CreateOption) error {
	kind := s.kind(object).Kind
	write := write{Verb: "create", Kind: kind, Name: object.GetName()}
	err := s.refusal(object)
	if err == nil {
		object.SetUID(types.UID(fmt.Sprintf("uid-%s-%s", strings.ToLower(kind), object.GetName())))
		fillIn(object)
		err = s.stored.Create(ctx, object, options...)
	}
	write.Object = created(object)
	return s.note(write, err)
}

// fillIn is what a server adds to a new object.
func fillIn(object client.Object) {
	switch it := object.(type) {
	case *core.PersistentVolumeClaim:
		it.Status.Phase = core.ClaimPending
		if it.Spec.VolumeMode == nil {
			it.Spec.VolumeMode = ptr.To(core.PersistentVolumeFilesystem)
		}
	case *core.Pod:
		it.Status.Phase = core.PodPending
	}
}

func (s *server) refusal(object client.Object) error {
	kind := s.kind(object)
	why, denied := s.deny[kind.Kind]
	if !denied {
		return nil
	}
	resource, _ := meta.UnsafeGuessKindToResource(kind)
	return apierrors.NewForbidden(resource.GroupResource(), object.GetName(), errors.New(why))
}

func (s *server) Update(ctx context.Context, object client.Object, options ...client.UpdateOption) error {
	return s.change("update", object, func() error { return s.stored.Update(ctx, object, options...) })
}

func (s *server) Patch(ctx context.Context, object client.Object, patch client.Patch, options ...client.PatchOption) error {
	return s.change("patch", object, func() error { return s.stored.Patch(ctx, object, patch, options...) })
}

func (s *server) Delete(ctx context.Context, object client.Object, options ...client.DeleteOption) error {
	write := write{Verb: "delete", Kind: s.kind(object).Kind, Name: object.GetName()}
	return s.note(write, s.stored.Delete(ctx, object, options...))
}

func (s *server) Status() client.SubResourceWriter {
	return &statusWriter{s.stored.Status(), s}
}

type statusWriter struct {
	client.SubResourceWriter
	server *server
}

func (w *statusWriter) Update(ctx context.Context, object client.Object, options ...client.SubResourceUpdateOption) error {
	return w.server.change("updateStatus", object, func() error {
		return w.SubResourceWriter.Update(ctx, object, options...)
	})
}

func (w *statusWriter) Patch(ctx context.Context, object client.Object, patch client.Patch, options ...client.SubResourcePatchOption) error {
	return w.server.change("patchStatus", object, func() error {
		return w.SubResourceWriter.Patch(ctx, object, patch, options...)
	})
}

// change notes what the stored object has become by a call.
func (s *server) change(verb string, object client.Object, call func() error) error {
	write := write{Verb: verb, Kind: s.kind(object).Kind, Name: object.GetName()}
	before := s.fields(object)
	err := call()
	if after := s.fields(object); err == nil && after != nil {
		write.Change = mergePatch(before, after)
	} else if err == nil {
		// An object that is being deleted goes with its last finalizer.
		write.Change = map[string]any{"metadata": map[string]any{"finalizers": nil}}
	}
	return s.note(write, err)
}

func (s *server) note(write write, err error) error {
	if err != nil {
		write.Error = err.Error()
	}
	s.answer.Writes = append(s.answer.Writes, write)
	return err
}

// fields gives what is stored of the object, nil where it is gone.
func (s *server) fields(object client.Object) map[string]any {
	found := reflect.New(reflect.TypeOf(object).Elem()).Interface().(client.Object)
	if s.stored.Get(context.Background(), client.ObjectKeyFromObject(object), found) != nil {
		return nil
	}
	fields := plain(found)
	delete(fields["metadata"].(map[string]any), "resourceVersion")
	return fields
}

func plain(object any) map[string]any {
	text, err := json.Marshal(object)
	must(err)
	fields := map[string]any{}
	must(json.Unmarshal(text, &fields))
	return fields
}

// mergePatch gives what must change for old to become new (RFC 7386).
func mergePatch(old, new map[string]any) map[string]any {
	patch := map[string]any{}
	for key, now := range new {
		fields, isMap := now.(map[string]any)
		was, wasMap := old[key].(map[string]any)
		if isMap && wasMap {
			now = mergePatch(was, fields)
		}
		if !reflect.DeepEqual(old[key], new[key]) {
			patch[key] = now
		}
	}
	for key := range old {
		if _, kept := new[key]; !kept {
			patch[key] = nil
		}
	}
	return patch
}
