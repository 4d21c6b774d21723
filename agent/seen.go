package agent

import (
	"time"

	"trailhound/agent/capture/live"
	"trailhound/agent/detect"
	"trailhound/agent/event"
	"trailhound/agent/packet"
)

// Seen counts what one worker made of the frames of one interface.
type Seen struct {
	Port           live.Port // by its present name
	tenant         uint64    // of the slot
	Packets, Bytes uint64    // bytes as they were on the wire
	Decode         [packet.NumReasons]uint64
	Kinds          [detect.NumKinds]uint64 // of those that were decoded
	// TCP segments with SYN alone, with SYN and ACK, and with neither but with
	// data: what tells whether both directions of conversations are seen.
	Syn, SynAck, Data uint64
	// Of the packets whose sides were looked up, those with a side at home and
	// those without. See look.
	Home, Foreign uint64
	looks         uint32    // how many more are looked up before more are allowed
	Last          time.Time // of the last frame
}

// looksEvery and looksMost say how many packets of an interface have their sides
// looked up: two look-ups for each packet are too dear, so it is the first 64 that
// a worker meets in each tenth of a second. So on a quiet interface it is
// each packet, and on a busy one 640 a second, whatever it carries. The shares are
// those of the time, then, rather than of the packets: one transfer at full
// speed does not outweigh the rest of the day's conversations.
const (
	looksEvery = 100 * time.Millisecond
	looksMost  = 64
)

// look notes whether a packet has a side at home. Those for all or many, or which
// stay on their link, say nothing.
func (s *Seen) look(p *packet.Packet, home *event.HomeNetworks) {
	at, tells := home.Sides(p.Src, p.Dst)
	switch {
	case !tells:
		return
	case at:
		s.Home++
	default:
		s.Foreign++
	}
	s.looks--
}

// count notes a packet that was decoded.
func (s *Seen) count(p *packet.Packet, kind detect.Kind) {
	s.Kinds[kind]++
	if p.Proto != packet.ProtoTCP {
		return
	}
	switch p.Flags & (packet.FlagSYN | packet.FlagACK) {
	case packet.FlagSYN:
		s.Syn++
	case packet.FlagSYN | packet.FlagACK:
		s.SynAck++
	case packet.FlagACK:
		if len(p.Payload) > 0 {
			s.Data++
		}
	}
}

// allowLooks lets the sides of some more packets be looked up, if there are home
// networks.
func (w *watcher) allowLooks() {
	if w.home.Known() {
		for slot := range w.seen {
			w.seen[slot].looks = looksMost
		}
	}
}

// add adds what was seen of another interface.
func (s *Seen) add(o *Seen) {
	s.Packets += o.Packets
	s.Bytes += o.Bytes
	for i := range s.Decode {
		s.Decode[i] += o.Decode[i]
	}
	for i := range s.Kinds {
		s.Kinds[i] += o.Kinds[i]
	}
	s.Syn += o.Syn
	s.SynAck += o.SynAck
	s.Data += o.Data
	s.Home += o.Home
	s.Foreign += o.Foreign
	if o.Last.After(s.Last) {
		s.Last = o.Last
	}
}

// report is what a worker has published of itself.
type report struct {
	stats    detect.Stats
	faults   uint64
	evidence Evidence
	notes    Notes
	seen     []Seen
	former   Seen
}

// publish makes the counts readable for others. When one of them is reading it
// is left for the next time round, which is soon, also when idle; at the end
// it is waited for.
func (w *watcher) publish(wait bool) {
	if wait {
		w.mu.Lock()
	} else if !w.mu.TryLock() {
		return
	}
	w.report.stats, w.report.faults = w.worker.Stats, w.faults
	if c := w.evidence; c != nil {
		w.report.evidence = Evidence{c.Taken, c.Repeated, c.Dropped}
	}
	if n := w.notes; n != nil {
		w.report.notes = Notes{n.Taken, n.Dropped}
	}
	w.report.seen, w.report.former = append(w.report.seen[:0], w.seen...), w.former
	w.mu.Unlock()
}

// WorkerTraffic is what one worker has seen.
type WorkerTraffic struct {
	detect.Stats
	Evidence    Evidence
	Notes       Notes
	Faults      uint64    // batches in which the trail table could not be read
	Dropped     uint64    // events that did not fit into the queue
	Queued      int       // events that wait for the gate
	QueuedBytes uint64    // of them, about; at most QueueBytes
	Loops       uint64    // times round the worker's loop, idle ones included
	Turned      time.Time // when it last went round; zero: not yet
	Seen        []Seen
	Former      Seen // the sum of what was seen of interfaces that are gone and whose place was needed; no Port
}

// Traffic gives the counts of each worker, in the order of the sources.
func (l *Live) Traffic() []WorkerTraffic {
	all := make([]WorkerTraffic, len(l.workers))
	for i, w := range l.workers {
		w.mu.Lock()
		all[i] = WorkerTraffic{Stats: w.report.stats, Evidence: w.report.evidence, Notes: w.report.notes, Faults: w.report.faults, Seen: append([]Seen(nil), w.report.seen...), Former: w.report.former}
		w.mu.Unlock()
		for slot := range all[i].Seen {
			s := &all[i].Seen[slot]
			if tenant := w.source.Tenant(slot); tenant != s.tenant { // the worker has not noticed yet
				all[i].Former.add(s)
				*s = Seen{tenant: tenant}
			}
			s.Port = w.source.Interface(slot) // it may have been renamed since the first frame
		}
		if turned := w.turned.Load(); turned != 0 {
			all[i].Turned = time.Unix(0, turned).UTC()
		}
		all[i].QueuedBytes = uint64(max(w.lane.bytes.Load(), 0))
		all[i].Dropped, all[i].Queued, all[i].Loops = w.lane.dropped.Load(), len(w.lane.queue), w.loops.Load()
	}
	return all
}

// Loops gives how many times each worker has gone round its loop: a worker
// that lives does so several times a second, with frames or without.
func (l *Live) Loops() []uint64 {
	loops := make([]uint64, len(l.workers))
	for i, w := range l.workers {
		loops[i] = w.loops.Load()
	}
	return loops
}
