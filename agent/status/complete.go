package status

import (
	"cmp"
	"math"
	"slices"
	"time"

	"trailhound/agent/event"
)

// complete fills in what follows from the rest, and makes lists empty that are
// missing: a reader of the JSON never meets null. Findings are put in order,
// since they come from a map. What the caller set stays.
func (s *Snapshot) complete(now time.Time) {
	if s.Time.IsZero() {
		s.Time = now
	}
	for _, t := range []*time.Time{&s.Time, &s.StartedAt, &s.Config.LoadedAt, &s.Config.LastReload.At, &s.Trails.CreatedAt,
		&s.Retro.Since, &s.Retro.Last, &s.Retro.LastCheck.At} {
		*t = t.UTC()
	}
	if s.UptimeSeconds == 0 {
		s.UptimeSeconds = seconds(s.StartedAt, s.Time)
	}
	if s.Trails.AgeSeconds == 0 {
		s.Trails.AgeSeconds = seconds(s.Trails.CreatedAt, s.Time)
	}
	if s.Sensor.Labels == nil {
		s.Sensor.Labels = map[string]string{}
	}
	present(&s.Config.RestartPending)
	s.Capture.complete()
	present(&s.Detection.Findings)
	if h := &s.Detection.Heuristics; h.MutedByRole == nil {
		h.MutedByRole = make(map[string]uint64, event.NumRoles)
		for role, n := range h.Muted {
			h.MutedByRole[event.Role(role).String()] = n
		}
	}
	slices.SortFunc(s.Detection.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Source, b.Source))
	})
	s.Suppress.complete()
	present(&s.Outputs)
	for i := range s.Outputs {
		o := &s.Outputs[i]
		o.complete()
	}
	present(&s.Health)
	for i := range s.Health {
		s.Health[i].complete()
	}
	if s.Memory.RingsBytes == 0 {
		for i := range s.Capture.Rings {
			s.Memory.RingsBytes += s.Capture.Rings[i].Bytes
		}
	}
	present(&s.Memory.Bounds)
	s.Reasons = NotReady(s)
	present(&s.Reasons)
	s.Ready = len(s.Reasons) == 0
}

func (o *Output) complete() {
	o.OldestAt, o.LastSuccessAt, o.LastErrorAt = o.OldestAt.UTC(), o.LastSuccessAt.UTC(), o.LastErrorAt.UTC()
	if o.ErrorsByClass == nil {
		o.ErrorsByClass = map[string]uint64{}
	}
	if o.Counters == nil {
		o.Counters = map[string]uint64{}
	}
	present(&o.LastErrors)
	for i := range o.LastErrors {
		e := &o.LastErrors[i]
		e.FirstAt, e.LastAt = e.FirstAt.UTC(), e.LastAt.UTC()
	}
	o.Delays.complete()
	o.Sends.complete()
}

func (c *Capture) complete() {
	present(&c.Workers)
	for i := range c.Workers {
		c.Workers[i].LastLoop = c.Workers[i].LastLoop.UTC()
	}
	present(&c.Rings)
	present(&c.Interfaces)
	for i := range c.Interfaces {
		n := &c.Interfaces[i]
		n.LastPacketAt = n.LastPacketAt.UTC()
		if n.Decode == nil {
			n.Decode = map[string]uint64{}
		}
		if n.Kinds == nil {
			n.Kinds = map[string]uint64{}
		}
	}
	present(&c.RestartNeeded)
	present(&c.Missing)
}

// complete leaves out values that JSON cannot say: the share of nothing is no
// reason for a page without an answer.
func (h *Health) complete() {
	h.Since = h.Since.UTC()
	values := make(map[string]any, len(h.Values))
	for name, v := range h.Values {
		if f, ok := v.(float64); ok && (math.IsNaN(f) || math.IsInf(f, 0)) {
			continue
		}
		values[name] = v
	}
	h.Values = values
}

// present makes a missing list an empty one.
func present[T any](list *[]T) {
	if *list == nil {
		*list = []T{}
	}
}

// seconds from one time to another in whole milliseconds; 0 when either is
// missing or they are in the other order.
func seconds(from, to time.Time) float64 {
	if from.IsZero() || to.Before(from) {
		return 0
	}
	return float64(to.Sub(from)/time.Millisecond) / 1000
}
