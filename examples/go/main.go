// A detector of virtual machines stuck in an error status; it speaks stuckvm's protocol 1 (docs/protocol.md).
package main

import (
	"encoding/json"
	"os"
	"time"
)

// The statuses that there are, each with the runbook's spelling if it is an error.
var statuses = map[string]string{"": "", "Stopped": "", "Provisioning": "", "Starting": "", "Running": "", "Paused": "",
	"Stopping": "", "Terminating": "", "Migrating": "", "WaitingForVolumeBinding": "", "WaitingForReceiver": "",
	"CrashLoopBackOff": "CrashLoopBackOff", "Unknown": "Unknown", "ErrImagePull": "ErrImagePull",
	"DataVolumeError": "DataVolumeError", "ImagePullBackOff": "ImagePullBackOff", "Unschedulable": "Unschedulable",
	"ErrorUnschedulable": "Unschedulable", "PvcNotFound": "PvcNotFound", "ErrorPvcNotFound": "PvcNotFound"}
var lastInstant, out = time.Unix(18446744073, 709551615), json.NewEncoder(os.Stdout)

type object map[string]interface{}
type vm struct{ Namespace, Name, UID string }
type episode struct {
	vm
	Since, Deadline time.Time
	Status, Firing  string // what holds, and what the alert carries
}
type detector struct { // a snapshot keeps what begins with a capital letter
	Newest  time.Time
	Closed  bool       // nothing more may come at the newest instant
	Open    []*episode // as they opened; searched from end to end, since few machines are in trouble
	unknown []string
	start   message
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
	out.Encode(object{"type": "alert", "alert": object{"at": at, "alert": kind, "namespace": e.Namespace, "name": e.Name,
		"uid": e.UID, "status": e.Firing, "since": e.Since}})
}

func (d *detector) next() (next *episode) {
	for _, e := range d.Open {
		if e.Firing == "" && (next == nil || e.Deadline.Before(next.Deadline)) {
			next = e
		}
	}
	return next
}

func (d *detector) input(seq uint64, in message) object {
	if in.At.Before(d.Newest) || d.Closed && in.At.Equal(d.Newest) {
		return object{"type": "error", "seq": seq, "error": in.At.String() + " is too late: it is " + d.Newest.String()}
	}
	d.Newest, d.Closed, d.unknown = in.At, in.Advance, []string{}
	next := d.next() // at one instant every observation counts before any deadline
	for ; next != nil && (next.Deadline.Before(in.At) || in.Advance && next.Deadline.Equal(in.At)); next = d.next() {
		next.Firing = next.Status
		alert(next.Deadline, "firing", next)
	}
	listed := map[vm]bool{}
	for _, each := range in.Relist {
		listed[each.vm] = true
		d.observe(in.At, each)
	}
	for _, e := range append([]*episode{}, d.Open...) {
		if in.Relist != nil && !listed[e.vm] {
			d.observe(in.At, message{vm: e.vm, Deleted: true})
		}
	}
	if in.Relist == nil && !in.Advance {
		d.observe(in.At, in)
	}
	done := object{"type": "done", "seq": seq, "next": nil, "unknown": d.unknown}
	if next = d.next(); next != nil && !next.Deadline.After(lastInstant) {
		done["next"] = next.Deadline
	}
	return done
}

func (d *detector) observe(at time.Time, in message) {
	status, known := statuses[in.Status]
	if !known {
		d.unknown = append(d.unknown, in.Status)
	}
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
	threshold := d.start.Threshold
	for word, own := range d.start.Thresholds {
		if statuses[word] == status {
			threshold = own
		}
	}
	if dwell, err := time.ParseDuration(threshold); err == nil && status != "" {
		d.Open = append(d.Open, &episode{in.vm, at, at.Add(dwell), status, ""})
	}
}

func main() {
	d, lines := &detector{}, json.NewDecoder(os.Stdin)
	for m := (message{Restore: d}); lines.Decode(&m) == nil && m.Type != "stop"; m = (message{Restore: d}) {
		switch m.Type {
		case "start":
			d.start = m
			out.Encode(object{"type": "hello", "protocol": 1, "name": "go", "capabilities": []string{"snapshot", "thresholds"}})
		case "snapshot":
			out.Encode(object{"type": "snapshot", "data": d})
		case "input":
			out.Encode(d.input(m.Seq, *m.Input))
		}
	}
}
