package main

import (
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/api/resource"
)

type question struct {
	ID string `json:"id,omitempty"`
	Op string `json:"op"`
	In string `json:"in,omitempty"`
	A  string `json:"a,omitempty"`
	B  string `json:"b,omitempty"`
}

// quantity answers one question.
func quantity(line []byte) (any, error) {
	var q question
	if err := json.Unmarshal(line, &q); err != nil {
		return nil, err
	}
	answer := map[string]any{"op": q.Op}
	if q.ID != "" {
		answer["id"] = q.ID
	}
	switch q.Op {
	case "parse":
		answer["in"] = q.In
		parsed, err := resource.ParseQuantity(q.In)
		describe(answer, &parsed, err)
	case "json":
		answer["in"] = q.In
		var parsed resource.Quantity
		err := parsed.UnmarshalJSON([]byte(q.In))
		describe(answer, &parsed, err)
	case "cmp", "add", "sub":
		answer["a"], answer["b"] = q.A, q.B
		return answer, compute(answer, q)
	default:
		return nil, fmt.Errorf("an operation that is not known: %s", q.Op)
	}
	return answer, nil
}

func describe(answer map[string]any, parsed *resource.Quantity, err error) {
	if err != nil {
		answer["error"] = err.Error()
		return
	}
	answer["error"] = nil
	// String keeps what it prints, so the text comes last from a copy.
	text := parsed.DeepCopy()
	answer["string"] = parsed.String()
	canonical, suffix := text.CanonicalizeBytes(nil)
	answer["canonical"] = string(canonical) + string(suffix)
	answer["format"] = parsed.Format
	answer["sign"] = parsed.Sign()
	answer["value"] = parsed.Value()
	answer["milli"] = parsed.MilliValue()
	answer["int64"] = nil
	if whole, ok := parsed.AsInt64(); ok {
		answer["int64"] = whole
	}
	answer["approx"] = parsed.AsApproximateFloat64()
}

func compute(answer map[string]any, q question) error {
	a, err := resource.ParseQuantity(q.A)
	if err != nil {
		return err
	}
	b, err := resource.ParseQuantity(q.B)
	if err != nil {
		return err
	}
	switch q.Op {
	case "cmp":
		answer["cmp"] = a.Cmp(b)
		return nil
	case "add":
		a.Add(b)
	case "sub":
		a.Sub(b)
	}
	canonical, suffix := a.CanonicalizeBytes(nil)
	answer["canonical"] = string(canonical) + string(suffix)
	answer["format"], answer["value"], answer["milli"] = a.Format, a.Value(), a.MilliValue()
	return nil
}
