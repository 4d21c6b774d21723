package heuristic

import (
	"net/netip"
	"strconv"
	"time"

	"trailhound/agent/event"
	"trailhound/trails"
)

// scans are the windows of the scan heuristics (D 8).
type scans struct {
	opt                       *Options
	salt                      uint64 // in all keys: another one after the clock was set
	ports, udp, web, infected window
	asked                     asked
}

func (s *scans) configure(opt *Options) {
	s.opt = opt
	memory := opt.Memory / 2 // the names have the other half
	for _, w := range []struct {
		*window
		code  event.Code
		share int // of 16
	}{{&s.ports, event.ScanPort, 5}, {&s.udp, event.ScanUDP, 4}, {&s.web, event.ScanWeb, 2}, {&s.infected, event.ScanInfection, 4}} {
		w.configure(opt.threshold(w.code), opt.window(w.code), memory/16*w.share)
	}
	s.asked.configure(opt.window(event.ScanUDP), memory/16)
}

// reset makes all that was seen count no more. It clears nothing: a capture full of
// clock steps must not cost more than another.
func (s *scans) reset() { s.salt = fold(s.salt^mix1, mix2) }

// evicted is how many keys had to give way.
func (s *scans) evicted() uint64 {
	return s.ports.evicted + s.udp.evicted + s.web.evicted + s.infected.evicted + s.asked.evicted
}

func (s *scans) take(b *Board, e *Evidence) {
	switch e.Kind {
	case ProbeTCP:
		if s.opt.on(event.ScanPort) {
			if m := s.ports.add(s.pair(e), e.Item, b.now, e); m != nil {
				s.scanned(b, e, m, &s.ports, event.ScanPort, "potential port scanning")
			}
		}
		if e.Flags&Stealth == 0 && infects(e.DstPort) && s.opt.on(event.ScanInfection) {
			s.infection(b, e)
		}
	case ProbeUDP:
		if !s.opt.on(event.ScanUDP) {
			return
		}
		// What answers a datagram, from the port that was asked to the one that did,
		// probes nothing: else a server that many ports of a client talk to would
		// scan it.
		at := floor(e.At)
		if s.asked.answers(s.asker(e), at, b.now, true) {
			return
		}
		s.asked.mark(s.asks(e), at, b.now)
		if m := s.udp.add(s.pair(e), e.Item, b.now, e); m != nil {
			s.scanned(b, e, m, &s.udp, event.ScanUDP, "potential udp scanning")
		}
	case WebPath:
		if s.opt.on(event.ScanWeb) {
			s.path(b, e)
		}
	}
}

// infects lists the ports that worms look for (D 7.1).
func infects(port uint16) bool {
	switch port {
	case 135, 139, 445, 1433, 3389, 6379, 6892, 6893, 6901:
		return true
	}
	return false
}

// scanned raises a scan of ports. The ports are those of the first probe.
func (s *scans) scanned(b *Board, e *Evidence, m *multi, w *window, code event.Code, info string) {
	src := e.SrcAddr()
	if b.white(src) {
		m.silent = b.now + 1 // asked again: the list may change
		return
	}
	w.quiet(m, b.now)
	trail := text(src)
	b.find(e, event.IP, code, info, trail, trail, func(v *event.Event) { v.SrcPort, v.DstPort = m.srcPort, m.dstPort })
}

// infection judges a probe of a port that worms look for: one source at home,
// many destinations. The destination is that of the first probe.
func (s *scans) infection(b *Board, e *Evidence) {
	m := s.infected.add(s.infectionKey(e), foldAddr(s.opt.Seed, e.Dst), b.now, e)
	if m == nil {
		return
	}
	if !s.opt.Home.Contains(e.SrcAddr()) {
		m.silent = b.now + 1
		return
	}
	s.infected.quiet(m, b.now)
	trail := strconv.Itoa(int(e.DstPort))
	b.find(e, event.PORT, event.ScanInfection, "potential infection", trail, trail, func(v *event.Event) {
		v.SrcPort, v.Dst = m.srcPort, addr(m.dst, m.flags)
	})
}

// infectionKey is the key of source and destination port.
func (s *scans) infectionKey(e *Evidence) uint64 {
	return s.key(e.Src, [16]byte{15: byte(e.DstPort), 14: byte(e.DstPort >> 8), 0: 1})
}

// path judges a request: many first segments of paths, asked of one server. The
// time is that of the first request.
func (s *scans) path(b *Board, e *Evidence) {
	m := s.web.add(s.pair(e), e.Item, b.now, e)
	if m == nil {
		return
	}
	if src := e.SrcAddr(); b.white(src) || b.local(src) && b.local(e.DstAddr()) {
		m.silent = b.now + 1
		return
	}
	at, number := m.at, m.number
	s.web.quiet(m, b.now)
	b.find(e, event.PATH, event.ScanWeb, "potential web scanning", "*", "*", func(v *event.Event) {
		v.SrcPort, v.DstPort, v.Number = m.srcPort, m.dstPort, number
		v.Time, v.Application = time.Unix(0, at).UTC().Truncate(time.Microsecond), "http"
	})
}

// asks is the key of a datagram, by its addresses and ports; asker that of one
// the other way.
func (s *scans) asks(e *Evidence) uint64 {
	return fold(s.pair(e)^mix1, uint64(e.SrcPort)<<16|uint64(e.DstPort)^mix2)
}

func (s *scans) asker(e *Evidence) uint64 {
	return fold(s.key(e.Dst, e.Src)^mix1, uint64(e.DstPort)<<16|uint64(e.SrcPort)^mix2)
}

// pair is the key of source and destination.
func (s *scans) pair(e *Evidence) uint64 { return s.key(e.Src, e.Dst) }

func (s *scans) key(a, b [16]byte) uint64 {
	return foldAddr(foldAddr(s.opt.Seed^s.salt, a), b) | 1 // 0 is an empty entry
}

// white says whether the whitelist has an address.
func (b *Board) white(a netip.Addr) bool {
	if b.opt.White == nil || !b.opt.White.Addr(a) {
		return false
	}
	b.counts.White++
	return true
}

// local says whether an address is at home, or private as the reference means
// it (D 8).
func (b *Board) local(a netip.Addr) bool {
	if b.opt.Home.Contains(a) || a.IsLoopback() {
		return true
	}
	p := a.IsPrivate() && a.Is4()
	return p
}

func text(a netip.Addr) string { return string(trails.AppendAddr(nil, a)) }
