package main

import (
	"trailhound/agent/status"
	"trailhound/outputs"
)

// showOutput is what the status endpoint says of an output.
func showOutput(d *outputs.Delivery) status.Output {
	n, at, counters := d.Counts(), d.State(), d.Counters()
	out := status.Output{Name: d.Name, Type: d.Type, Guarantee: d.Guarantee().String(),
		StartSeq: at.StartSeq, LastSeq: at.LastSeq, Delivered: at.Delivered, Filtered: at.Filtered, Rejected: at.DeadLettered, Evicted: at.Evicted,
		Quarantined: at.Quarantined, Queued: at.Pending, QueuedBytes: uint64(max(at.PendingBytes, 0)), OldestAt: at.Oldest,
		DelaySeconds: n.Delay.Seconds(), Delays: showHistogram(&n.Delays), Sends: showHistogram(&n.Sends),
		Retries: n.Retries, Errors: n.Errors, LastSuccessAt: n.LastSuccess, LastError: n.Error, LastErrorAt: n.LastError, Healthy: n.Failing.IsZero(),
		DeadLost: n.DeadLost, DeadResent: n.Resent, Remade: n.Remade,
		ErrorsByClass: make(map[string]uint64, outputs.NumClasses), Counters: make(map[string]uint64)}
	for c, count := range n.Classes {
		out.ErrorsByClass[outputs.Class(c).String()] = count
	}
	for _, f := range d.Failures() {
		out.LastErrors = append(out.LastErrors, status.OutputError{FirstAt: f.First, LastAt: f.Last, Times: f.Times, Class: f.Class.String(), Text: f.Text})
	}
	counters.Each(func(name string, value uint64) { out.Counters[name] = value })
	return out
}

func showHistogram(h *outputs.Histogram) status.Histogram {
	out := status.Histogram{Counts: h.Counts[:], Sum: h.Sum}
	for _, b := range outputs.Bounds() {
		out.Bounds = append(out.Bounds, b.Seconds())
	}
	return out
}
