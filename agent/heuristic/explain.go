package heuristic

import (
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"trailhound/agent/event"
)

// Standing is what the board knows of a key that a piece of evidence counts for:
// how far it is from a finding.
type Standing struct {
	Code      event.Code
	Key       string        // whom or what is counted for: "192.0.2.1 to 198.51.100.7"
	Counts    string        // what is counted: "distinct destination ports"
	Value     float64       // within the window; of a name by itself what is measured
	Threshold float64       // of the configuration; raised above it, dns.exhaustion at it
	Window    time.Duration // 0: each piece of evidence is judged by itself
	Silent    time.Time     // nothing is raised of the key before; zero: it is not silent
	Note      string        // what keeps the evidence from counting, or the finding from being raised
}

// String names the kind as people read it.
func (k Kind) String() string {
	names := [numKinds]string{"tcp probe", "udp probe", "web path", "dns query", "long name", "no such name"}
	if int(k) < len(names) {
		return names[k]
	}
	return "kind " + strconv.Itoa(int(k))
}

// Explain says what is known of the keys of a piece of evidence, of each code that
// it may lead to, at its time. It changes nothing: before Take it is what was
// known without the evidence, after Take what is known with it.
func (b *Board) Explain(e *Evidence, name []byte) []Standing {
	x := explainer{board: b, e: e, name: name, now: max(b.now, floor(e.At))}
	if !b.begun || e.Era != b.era || floor(e.At) < b.now-stepBack {
		x.now = floor(e.At) // the first, or Take begins all windows anew
		x.anew = b.begun
	}
	switch e.Kind {
	case ProbeTCP, ProbeUDP, WebPath:
		x.scans()
	case Query, LongName, NXDomain:
		x.names()
	}
	for i := range x.list {
		s := &x.list[i]
		s.Threshold = b.opt.threshold(s.Code)
		if !b.opt.on(s.Code) {
			s.Note = "switched off"
		} else if role, muted := b.opt.Roles.Mutes(s.Code, x.client()); muted && s.Note == "" {
			s.Note = fmt.Sprintf("the host's role %s excuses it", role)
		}
		if x.anew {
			s.Value, s.Silent = 0, time.Time{}
			s.Note = join(s.Note, "the clock was set back: all windows begin anew")
		}
	}
	return x.list
}

// explainer makes the standings of one piece of evidence.
type explainer struct {
	board *Board
	e     *Evidence
	name  []byte
	now   int64
	anew  bool
	list  []Standing
}

func (x *explainer) scans() {
	s, e := &x.board.scans, x.e
	pair := text(e.SrcAddr()) + " to " + text(e.DstAddr())
	switch e.Kind {
	case ProbeTCP:
		x.window(&s.ports, s.pair(e), Standing{Code: event.ScanPort, Key: pair, Counts: "distinct destination ports", Note: x.white()})
		if e.Flags&Stealth == 0 && infects(e.DstPort) {
			note := ""
			if !s.opt.Home.Contains(e.SrcAddr()) {
				note = "the source is not at home"
			}
			x.window(&s.infected, s.infectionKey(e), Standing{Code: event.ScanInfection, Note: note,
				Key: text(e.SrcAddr()) + " to port " + strconv.Itoa(int(e.DstPort)), Counts: "distinct destinations"})
		}
	case ProbeUDP:
		note := x.white()
		if s.asked.answers(s.asker(e), floor(e.At), x.now, false) {
			note = "not counted: it answers a datagram of the other side"
		}
		x.window(&s.udp, s.pair(e), Standing{Code: event.ScanUDP, Key: pair, Counts: "distinct destination ports", Note: note})
	case WebPath:
		note := x.white()
		if b := x.board; note == "" && b.local(e.SrcAddr()) && b.local(e.DstAddr()) {
			note = "both sides are local"
		}
		x.window(&s.web, s.pair(e), Standing{Code: event.ScanWeb, Key: pair, Counts: "distinct first segments of paths", Note: note})
	}
}

// client is the host that a role may excuse.
func (x *explainer) client() (a netip.Addr) {
	if x.e.Kind == NXDomain {
		return x.e.DstAddr()
	}
	return x.e.SrcAddr()
}

// white says that the whitelist has the source. It counts nothing.
func (x *explainer) white() string {
	if w := x.board.opt.White; w != nil && w.Addr(x.e.SrcAddr()) {
		return "the source is whitelisted"
	}
	return ""
}

// window adds what a window of scans knows of a key.
func (x *explainer) window(w *window, key uint64, s Standing) {
	items, silent := w.peek(key, x.now)
	s.Value, s.Window = float64(items), time.Duration(w.length)*time.Second
	if silent > x.now {
		s.Silent = time.Unix(silent, 0).UTC()
	}
	x.list = append(x.list, s)
}

// peek gives how many items of a key count, and the second before which it raises
// nothing.
func (w *window) peek(key uint64, now int64) (items int, silent int64) {
	if m := w.find(key, now); m != nil {
		for _, it := range w.itemsOf(m) {
			if w.alive(it.at(now), now) {
				items++
			}
		}
		return items, m.silent
	}
	set := w.single[key>>32&w.mask.single:][:ways]
	for i := range set {
		if s := &set[i]; s.key == key && w.alive(s.item.at(now), now) {
			return 1, 0
		}
	}
	return 0, 0
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}
