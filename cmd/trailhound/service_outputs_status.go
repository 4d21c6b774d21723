package main

import (
	"trailhound/agent/config"
	"trailhound/agent/event"
	"trailhound/agent/status"
	"trailhound/outputs"
	"trailhound/outputs/journal"
)

// showOutput is what the status endpoint says of an output.
func showOutput(d *delivery) status.Output {
	n, at, counters := d.Counts(), d.State(), d.Counters()
	out := showCursor(d.entry, at)
	out.Guarantee = d.Guarantee().String()
	out.DelaySeconds, out.Delays, out.Sends = n.Delay.Seconds(), showHistogram(&n.Delays), showHistogram(&n.Sends)
	out.Retries, out.Errors, out.Remade, out.Healthy = n.Retries, n.Errors, n.Remade, n.Failing.IsZero()
	out.LastSuccessAt, out.LastError, out.LastErrorAt = d.lastSuccess(), n.Error, n.LastError
	out.DeadLost, out.DeadResent = n.DeadLost, n.Resent
	for c, count := range n.Classes {
		out.ErrorsByClass[outputs.Class(c).String()] = count
	}
	for _, f := range d.Failures() {
		out.LastErrors = append(out.LastErrors, status.OutputError{FirstAt: f.First, LastAt: f.Last, Times: f.Times, Class: f.Class.String(), Text: f.Text})
	}
	counters.Each(func(name string, value uint64) { out.Counters[name] = value })
	return out
}

// showBroken is the same of one that there is none of: its events wait, as if its
// receiver were away.
func showBroken(b *brokenOutput) status.Output {
	var none outputs.Histogram
	text, _ := event.Clean([]byte(b.err.Error()), event.MaxEvidence)
	out := showCursor(b.entry, b.cursorState())
	out.Delays, out.Sends = showHistogram(&none), showHistogram(&none)
	out.LastError, out.LastErrorAt = text, b.at
	out.LastErrors = []status.OutputError{{FirstAt: b.at, LastAt: b.at, Times: 1, Class: outputs.Other.String(), Text: text}}
	for c := range outputs.NumClasses {
		out.ErrorsByClass[outputs.Class(c).String()] = 0
	}
	return out
}

// showCursor is what the journal knows of an output.
func showCursor(o *config.Output, at journal.CursorState) status.Output {
	return status.Output{Name: o.Name, Type: o.Type,
		StartSeq: at.StartSeq, LastSeq: at.LastSeq, Delivered: at.Delivered, Filtered: at.Filtered, Rejected: at.DeadLettered, Evicted: at.Evicted,
		Quarantined: at.Quarantined, Queued: at.Pending, QueuedBytes: uint64(max(at.PendingBytes, 0)), OldestAt: at.Oldest,
		ErrorsByClass: make(map[string]uint64, outputs.NumClasses), Counters: make(map[string]uint64)}
}

func showHistogram(h *outputs.Histogram) status.Histogram {
	out := status.Histogram{Counts: h.Counts[:], Sum: h.Sum}
	for _, b := range outputs.Bounds() {
		out.Bounds = append(out.Bounds, b.Seconds())
	}
	return out
}
