package main

import (
	"runtime"
	"strings"
	"time"

	"trailhound/agent"
	"trailhound/agent/capture/live"
	"trailhound/agent/detect"
	"trailhound/agent/event"
	"trailhound/agent/packet"
	"trailhound/agent/retro"
	"trailhound/agent/status"
	"trailhound/agent/suppress"
	"trailhound/outputs/journal"
)

// snapshot is the sensor's state for the status endpoint.
func (s *service) snapshot() status.Snapshot {
	s.mu.Lock()
	c, g, id, list, broken := s.config, s.current, s.id, s.deliveries, s.broken
	out := status.Snapshot{
		State: s.state, StartedAt: s.started,
		Version: programVersion(),
		Sensor:  status.Sensor{Name: id.Name, ID: id.ID, Labels: id.Labels},
		Config:  status.Config{Hash: s.hash, LoadedAt: s.loaded, LastReload: s.reloaded, RestartPending: s.pending},
		Capture: status.Capture{Filter: s.filter},
	}
	reloads, rules := s.trails, s.suppression
	s.mu.Unlock()
	traffic, tally := s.live.Traffic(), s.live.Tally()
	out.Trails = status.Trails{
		Source: g.Source, Starter: g.Starter, Generation: g.Number, Count: uint64(g.Table.Len()), SizeBytes: uint64(g.Table.Size()),
		CreatedAt: g.Table.Created(), MaxAgeSeconds: c.Trails.MaxAge.Seconds(), Reloads: reloads,
	}
	s.showCapture(&out.Capture, s.capture.Snapshot(), traffic)
	showDetection(&out, traffic, tally)
	out.Gate = status.Gate{Detected: tally.Gate.Detected, Suppressed: tally.Gate.Suppressed, Folded: tally.Gate.Folded,
		Passed: tally.Gate.Passed, Summaries: tally.Gate.Summaries, Unkeyed: tally.Gate.Unkeyed, Keys: uint64(tally.Gate.Keys),
		Ignored: tally.Gate.Ignored, Ruled: tally.Gate.Ruled, Whitelisted: tally.Gate.Whitelisted,
		Local: tally.Gate.Local, Lowered: tally.Gate.Lowered, Restored: tally.Gate.Restored,
		FollowUps: tally.Gate.FollowUps, Withheld: tally.Gate.Withheld, Outcomes: showOutcomes(&tally.Gate)}
	out.Retro = s.retro.show(traffic, tally)
	out.Suppress = showSuppression(rules, time.Now())
	for _, d := range list {
		out.Outputs = append(out.Outputs, showOutput(d))
	}
	for _, b := range broken {
		out.Outputs = append(out.Outputs, showBroken(b))
	}
	out.Journal = showJournal(s.journal.State())
	for _, h := range s.monitor.States() {
		values := make(map[string]any, len(h.Measures))
		for _, m := range h.Measures {
			values[m.Name] = m.Value
		}
		state := event.Raised
		if h.Clear {
			state = event.Recovered
		}
		out.Health = append(out.Health, status.Health{Code: h.Code, Cause: h.Cause, State: state, Since: h.Since, Info: h.Info, Values: values})
	}
	out.Memory.RSSBytes, out.Memory.HeapBytes = status.ReadMemory()
	out.Memory.Bounds = []status.Bound{
		{Store: "rings", UsedBytes: ringBytes(&out.Capture), BoundBytes: uint64(s.opened.RingTotal)},
		{Store: "queues", UsedBytes: queuedBytes(traffic), BoundBytes: uint64(len(traffic)) * agent.QueueBytes},
		{Store: "aggregation", UsedBytes: uint64(tally.Gate.Held), BoundBytes: suppress.MaxBytes + suppress.MaxFollowed},
	}
	if r := &out.Retro; r.MostEntries > 0 {
		out.Memory.Bounds = append(out.Memory.Bounds, status.Bound{Store: "retro", UsedBytes: r.Bytes, BoundBytes: uint64(max(s.booted.Retro.Memory, retro.MinMemory))})
	}
	return out
}

// showOutcomes is what the status endpoint says of outcomes.
func showOutcomes(c *suppress.Counts) status.Outcomes {
	o := &c.Outcomes
	return status.Outcomes{Unknown: o[event.OutcomeUnknown], Attempted: o[event.Attempted], Answered: o[event.Answered], Refused: o[event.Refused]}
}

// showJournal is what the status endpoint says of the journal.
func showJournal(j journal.State) status.Journal {
	out := status.Journal{Path: j.Path, Epoch: j.Epoch, FirstSeq: j.First, LastSeq: j.Last, Segments: uint64(j.Segments), Bytes: uint64(j.Bytes),
		MaxBytes: uint64(max(j.MaxSize, 0)), MemoryBytes: uint64(j.MemoryBytes), Appended: j.Appended, Evicted: j.Evicted, Quarantined: j.Quarantined,
		Missing: j.Missing, Lost: j.Lost, Full: j.Full}
	if j.Degraded != nil {
		out.Degraded = j.Degraded.Error()
	}
	return out
}

func ringBytes(c *status.Capture) (n uint64) {
	for i := range c.Rings {
		n += c.Rings[i].Bytes
	}
	return n
}

func queuedBytes(traffic []agent.WorkerTraffic) (n uint64) {
	for i := range traffic {
		n += traffic[i].QueuedBytes
	}
	return n
}

// showDetection sums up what the workers did.
func showDetection(out *status.Snapshot, traffic []agent.WorkerTraffic, tally agent.Tally) {
	d, h := &out.Detection, &out.Detection.Heuristics
	for i := range traffic {
		w := &traffic[i]
		d.Packets += w.Former.Packets
		d.Bytes += w.Former.Bytes
		for j := range w.Seen {
			d.Packets += w.Seen[j].Packets
			d.Bytes += w.Seen[j].Bytes
		}
		d.Events += w.Events
		d.Repeats += w.Repeats
		d.Crowded += w.Crowded
		d.Self += w.Self
		h.Evidence += w.Evidence.Taken
		h.Repeated += w.Evidence.Repeated
		h.Dropped += w.Evidence.Dropped
		for role, n := range w.Muted {
			h.Muted[role] += n
		}
		d.Dropped += w.Dropped
		d.Queued += uint64(w.Queued)
		out.Trails.Faults += w.Faults
	}
	b := &tally.Board
	d.Events += b.Found + tally.Recalled
	h.Judged, h.Late, h.Steps, h.Found, h.White = b.Taken, b.Late, b.Steps, b.Found, b.White
	h.EvictedScans, h.EvictedNames, h.Refused = b.ScanEvicted, b.NameEvicted, b.Refused
	for role, n := range b.Muted {
		h.Muted[role] += n
	}
	d.Health = tally.Health
	for f, n := range tally.Findings {
		d.Findings = append(d.Findings, status.Finding{Type: f.Type, Severity: f.Severity.String(), Source: f.Category, Count: n})
	}
}

// showCapture joins what the rings know of each interface with what the
// workers made of it.
func (s *service) showCapture(out *status.Capture, snapshot live.Snapshot, traffic []agent.WorkerTraffic) {
	out.SpareSockets, out.RestartNeeded, out.Missing = snapshot.Spare, snapshot.RestartNeeded, s.showMissing(snapshot.Missing)
	out.ClosedPackets, out.ClosedDrops, out.FormerPackets = snapshot.Closed.Packets, snapshot.Closed.Drops, snapshot.Former.Packets
	out.Damaged, out.Lost = snapshot.Damaged, snapshot.Lost
	out.Workers = make([]status.Worker, len(traffic))
	for i := range traffic {
		out.Workers[i] = status.Worker{Worker: i, Loops: traffic[i].Loops, LastLoop: traffic[i].Turned}
	}
	place := make(map[string]int)
	at := func(name string) *status.Interface {
		if _, ok := place[name]; !ok {
			place[name] = len(out.Interfaces)
			out.Interfaces = append(out.Interfaces, status.Interface{Name: name, Decode: noOutcome(), Kinds: noKind()})
		}
		return &out.Interfaces[place[name]]
	}
	for _, l := range snapshot.Links {
		if !l.Repeats {
			i := at(l.Name)
			i.Alias, i.Group, i.Up, i.Promiscuous = l.Alias, l.Group, l.Up, l.Promiscuous
		}
	}
	for _, seen := range snapshot.Interfaces {
		add(at(seen.Name), &seen)
	}
	for _, r := range snapshot.Rings {
		out.Rings = append(out.Rings, status.Ring{Group: r.Group, Worker: r.Worker, Interface: r.Interface, Alias: r.Alias,
			Blocks: r.Blocks, BlockBytes: uint64(r.Block), Bytes: uint64(r.Bytes), WantedBytes: uint64(r.Wanted),
			KernelPackets: r.Packets, KernelDrops: r.Drops, Freezes: r.Freezes})
		if r.Worker < len(out.Workers) {
			out.Workers[r.Worker].Group = r.Group
		}
		if r.Interface != live.Any {
			at(r.Interface).Drops += r.Drops
		}
	}
	for i := range traffic {
		out.Workers[i].Packets += traffic[i].Former.Packets
		out.Workers[i].Bytes += traffic[i].Former.Bytes
		for j := range traffic[i].Seen {
			seen := &traffic[i].Seen[j]
			out.Workers[i].Packets += seen.Packets
			out.Workers[i].Bytes += seen.Bytes
			to := at(seen.Port.Name)
			to.Home += seen.Home
			to.Foreign += seen.Foreign
			for reason, n := range seen.Decode {
				to.Decode[packet.Reason(reason).String()] += n
			}
			for kind, n := range seen.Kinds {
				to.Kinds[detect.Kind(kind).String()] += n
			}
		}
	}
}

// add adds what one worker saw of an interface.
func add(to *status.Interface, s *live.Seen) {
	to.Alias, to.Group = s.Alias, s.Group
	to.Packets += s.Packets
	to.Bytes += s.Bytes
	to.Truncated += s.Truncated
	to.Skipped += s.Skipped
	to.Host += s.Host
	to.Broadcast += s.Broadcast
	to.Multicast += s.Multicast
	to.OtherHost += s.OtherHost
	to.Outgoing += s.Outgoing
	if s.Last.After(to.LastPacketAt) {
		to.LastPacketAt = s.Last
	}
}

// noOutcome and noKind hold every name, so that no series appears only when
// something goes wrong.
func noOutcome() map[string]uint64 {
	m := make(map[string]uint64, packet.NumReasons)
	for r := range packet.NumReasons {
		m[packet.Reason(r).String()] = 0
	}
	return m
}

func noKind() map[string]uint64 {
	m := make(map[string]uint64, detect.NumKinds)
	for k := range detect.NumKinds {
		m[detect.Kind(k).String()] = 0
	}
	return m
}

// programVersion is what this binary is.
func programVersion() status.Version {
	return status.Version{Version: version, Revision: strings.TrimSpace(revision()), GoVersion: runtime.Version()}
}
