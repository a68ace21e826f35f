// A detector of virtual machines stuck in an error status; it speaks stuckvm's protocol 1 (docs/protocol.md).
package main

import (
	"encoding/json"
	"os"
	"sort"
	"time"
)

// The statuses that there are, each with the runbook's spelling if it is an error.
var statuses = map[string]string{"": "", "Stopped": "", "Provisioning": "", "Starting": "", "Running": "", "Paused": "",
	"Stopping": "", "Terminating": "", "Migrating": "", "WaitingForVolumeBinding": "", "WaitingForReceiver": "",
	"CrashLoopBackOff": "CrashLoopBackOff", "Unknown": "Unknown", "ErrImagePull": "ErrImagePull",
	"DataVolumeError": "DataVolumeError", "ImagePullBackOff": "ImagePullBackOff", "Unschedulable": "Unschedulable",
	"ErrorUnschedulable": "Unschedulable", "PvcNotFound": "PvcNotFound", "ErrorPvcNotFound": "PvcNotFound"}
var lastInstant, out = time.Unix(18446744073, 709551615), json.NewEncoder(os.Stdout)

type vm struct{ Namespace, Name, UID string }
type episode struct {
	vm
	Since, Deadline time.Time
	Status, Firing  string // what holds, and what the alert carries
}
type detector struct { // a snapshot keeps what begins with a capital letter
	Newest time.Time
	Closed bool       // nothing more may come at the newest instant
	Open   []*episode // by deadline, then as they opened; searched from end to end, since few machines are in trouble
	start  message
}
type message struct { // a line, or the input in it
	vm
	Type, Threshold, Status string
	Thresholds              map[string]string
	Restore                 *detector
	Seq                     uint64
	At                      time.Time
	Advance, Deleted        bool
	Relist                  []message
	Input                   *message
}

func alert(at time.Time, kind string, e *episode) {
	out.Encode(map[string]any{"type": "alert", "alert": map[string]any{"at": at, "alert": kind, "since": e.Since,
		"namespace": e.Namespace, "name": e.Name, "uid": e.UID, "status": e.Firing}})
}

func (d *detector) input(seq uint64, in message) map[string]any {
	if in.At.Before(d.Newest) || d.Closed && in.At.Equal(d.Newest) {
		return map[string]any{"type": "error", "seq": seq, "error": in.At.String() + " is too late: it is " + d.Newest.String()}
	}
	d.Newest, d.Closed = in.At, in.Advance
	pending := func(i int) bool { return d.Open[i].Firing == "" }  // those that fire stand first
	for _, e := range d.Open[sort.Search(len(d.Open), pending):] { // observations of an instant count before its deadlines
		if e.Deadline.Before(in.At) || in.Advance && e.Deadline.Equal(in.At) {
			e.Firing = e.Status
			alert(e.Deadline, "firing", e)
		}
	}
	listed, unknown := map[vm]bool{}, []string{}
	for _, each := range append(in.Relist, in) { // a relist and an advance name no machine themselves
		if _, known := statuses[each.Status]; !known {
			unknown = append(unknown, each.Status)
		}
		listed[each.vm] = true
		d.observe(in.At, each)
	}
	for _, e := range append([]*episode{}, d.Open...) {
		if in.Relist != nil && !listed[e.vm] {
			d.observe(in.At, message{vm: e.vm, Deleted: true})
		}
	}
	done := map[string]any{"type": "done", "seq": seq, "next": nil, "unknown": unknown}
	if i := sort.Search(len(d.Open), pending); i < len(d.Open) && !d.Open[i].Deadline.After(lastInstant) {
		done["next"] = d.Open[i].Deadline
	}
	return done
}

func (d *detector) observe(at time.Time, in message) {
	status, threshold := statuses[in.Status], d.start.Threshold
	for i, e := range d.Open {
		if e.vm == in.vm && status != "" {
			e.Status = status
			return
		} else if e.vm == in.vm || !in.Deleted && e.Namespace == in.Namespace && e.Name == in.Name {
			if e.Firing != "" { // with another uid it was deleted and made anew
				alert(at, "resolved", e)
			}
			d.Open = append(d.Open[:i], d.Open[i+1:]...)
			break
		}
	}
	for word, own := range d.start.Thresholds {
		if statuses[word] == status {
			threshold = own
		}
	}
	if dwell, err := time.ParseDuration(threshold); err == nil && status != "" {
		due := at.Add(dwell)
		i := sort.Search(len(d.Open), func(i int) bool { return d.Open[i].Deadline.After(due) })
		d.Open = append(d.Open[:i], append([]*episode{{in.vm, at, due, status, ""}}, d.Open[i:]...)...)
	}
}

func main() {
	d, lines := &detector{}, json.NewDecoder(os.Stdin)
	for m := (message{Restore: d}); lines.Decode(&m) == nil && m.Type != "stop"; m = (message{Restore: d}) {
		switch m.Type {
		case "start":
			d.start = m
			out.Encode(map[string]any{"type": "hello", "protocol": 1, "name": "go", "capabilities": []string{"snapshot", "thresholds"}})
		case "snapshot":
			out.Encode(map[string]any{"type": "snapshot", "data": d})
		case "input":
			out.Encode(d.input(m.Seq, *m.Input))
		}
	}
}
