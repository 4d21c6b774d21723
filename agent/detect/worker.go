package detect

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"net/netip"
	"time"

	"trailhound/agent/event"
	"trailhound/agent/heuristic"
	"trailhound/agent/packet"
	"trailhound/agent/protocol/attack"
	"trailhound/agent/protocol/dns"
	"trailhound/agent/protocol/http"
	"trailhound/agent/protocol/quic"
	"trailhound/agent/protocol/tls"
	"trailhound/agent/retro"
	"trailhound/trails/table"
)

// Worker matches one stream of packets. It is used by one goroutine.
type Worker struct {
	// Emit takes each event as it is raised. The event is the receiver's.
	Emit func(e event.Event)
	// NewID gives the id of the n-th event (from 0) of the present packet.
	NewID func(e *event.Event, n int) [16]byte
	// Tag is the VLAN tag that was stripped from the next frame on its way to
	// the sensor (capture.Frame.Tag: 1<<12 and the VLAN id); 0: none.
	Tag uint16
	// Self tells the sensor's own flows, of which no event is raised. It is
	// asked when one is about to be. nil: none.
	Self interface {
		Own(proto uint8, src netip.Addr, srcPort uint16, dst netip.Addr, dstPort uint16) bool
	}
	// Evidence takes what the heuristics over time judge. nil: none is given.
	Evidence *heuristic.Collector
	// Notes takes what is remembered for trails to come. nil: nothing is.
	Notes *retro.Notebook
	// Answer takes what is seen of answers to what raised events, in the order of the
	// packets; Await is how long they are waited for, in the time of packets. 0: not
	// at all.
	Answer func(a event.Answer)
	Await  time.Duration
	// Stats counts what the worker met.
	Stats Stats

	rules   *Rules
	decoder packet.Decoder
	p       packet.Packet
	kind    Kind
	raised  []mark      // what the present packet raised already
	event   event.Event // that is being raised
	seen    repeats
	// repeated is set when the present packet is a DNS message seen before in
	// this second.
	repeated bool

	names    table.Names
	message  dns.Message
	question dns.Question
	request  http.Request
	answer   http.Response
	matcher  *attack.Matcher
	hello    tls.Hello
	certs    tls.Certificates
	quic     *quic.Decoder
	facts    facts
	name     [256]byte
	sha1     [sha1.Size]byte
	sha256   [sha256.Size]byte
	host     []byte
	path     []byte
	text     []byte
	plain    []byte
	urls     candidates

	print []byte // of a fingerprint
	md5   [md5.Size]byte

	watched     watch
	pairs       pairs
	errors      int   // ICMP errors that were told of
	errorSecond int64 // in this second, Unix

	cleanNames, cleanAgents, cleanPaths clean

	plainHosts plainHosts
	overlaps   overlaps
	nameHash   uint64 // of the name that was looked up last
}

// The texts that a worker remembers as clean.
const (
	cleanNames  = 1 << 14
	cleanAgents = 1 << 8
	cleanPaths  = 1 << 12
)

// wideHosts is how many hosts beyond ASCII a worker remembers the A-labels of.
const wideHosts = 1 << 8

// Stats counts what passed a worker. The packets that were not decoded are
// counted by reason in Decode.
type Stats struct {
	Packets, Bytes, Events, Repeats uint64
	Crowded                         uint64                 // not raised: the packet had raised the most a packet may
	Self                            uint64                 // not raised: of the sensor's own flows
	Muted                           [event.NumRoles]uint64 // not raised: a role of the host excuses it
}

// NewWorker makes a worker for rules.
func NewWorker(rules *Rules) *Worker {
	names, agents, paths := cleanNames, cleanAgents, cleanPaths
	if rules.opt.NoCaches {
		names, agents, paths = 0, 0, 0
	}
	w := &Worker{rules: rules, quic: quic.NewDecoder(), matcher: attack.NewMatcher(), seen: newRepeats(), overlaps: newOverlaps(),
		cleanNames: newClean(names), cleanAgents: newClean(agents), cleanPaths: newClean(paths), plainHosts: newPlainHosts(wideHosts),
		host: make([]byte, 0, 256), path: make([]byte, 0, 4096), text: make([]byte, 0, 8192)}
	w.matcher.Omit(rules.omitted...)
	return w
}

// SetRules changes what is matched against, between two packets.
func (w *Worker) SetRules(rules *Rules) {
	w.rules = rules
	w.matcher.Omit(rules.omitted...)
	w.facts.app, w.facts.transport = "", 0 // a fault may have ended the last packet half-way
	w.cleanNames.reset()
	w.cleanAgents.reset()
	w.cleanPaths.reset()
}

// Decode gives the counts of frames by the outcome of decoding.
func (w *Worker) Decode() *[packet.NumReasons]uint64 { return &w.decoder.Counts }

// Frame decodes one frame and matches it. Number counts the capture's frames
// from 1 and is 0 live.
func (w *Worker) Frame(link packet.LinkType, frame []byte, at time.Time, number uint64) packet.Reason {
	w.Stats.Packets++
	w.Stats.Bytes += uint64(len(frame))
	reason := w.decoder.Decode(link, frame, &w.p)
	switch reason {
	case packet.OK:
		w.begin(at, number)
		w.match()
	case packet.ShortTransport, packet.UnknownTransport:
		w.begin(at, number)
		w.tiny()
	case packet.LaterFragment:
		if w.p.Proto == packet.ProtoTCP {
			w.begin(at, number)
			w.laterTCP()
		}
	}
	return reason
}

// begin makes the packet just decoded the present one.
func (w *Worker) begin(at time.Time, number uint64) {
	w.p.Time, w.p.Number = at, number
	if w.Tag != 0 {
		w.p.Outer(w.Tag & 0xfff)
	}
	if len(w.raised) > 0 {
		w.raised = w.raised[:0]
	}
	w.repeated = false
	w.facts.reply = false
}

// match is the order of checks per packet (D 4): what a handshake names, then
// by protocol. Payload is recognised by its first bytes; no port decides alone.
func (w *Worker) match() {
	p := &w.p
	switch p.Proto {
	case packet.ProtoTCP:
		w.kind = KindTCP
		w.tcp(p)
	case packet.ProtoUDP:
		w.kind = KindUDP
		w.udp(p)
	case packet.ProtoICMP, packet.ProtoICMPv6:
		w.kind = KindICMP
		w.other(p)
	default:
		w.kind = KindOther
		w.other(p)
	}
	if w.Await > 0 {
		w.listen()
	}
}

func (w *Worker) tcp(p *packet.Packet) {
	if p.Flags&packet.FlagACK == 0 { // what is a probe has none
		w.probeTCP(p)
	}
	if isSyn(p.Flags) {
		w.noteEndpoint(p)
		w.syn(p)
	} else if p.Fragment {
		w.firstTCP()
	}
	b := p.Payload
	if len(b) < 8 {
		return
	}
	switch {
	case tls.Looks(b):
		w.kind = KindTLS
		w.handshake(b)
	default:
		switch http.Looks(b) {
		case http.RequestLike:
			w.kind = KindHTTP
			w.requests(b)
			return
		case http.ResponseLike:
			w.kind = KindHTTP
			w.response(b)
			return
		}
		// A message whose length says that it lies in this segment, or on DNS's port.
		if int(b[0])<<8|int(b[1]) <= len(b)-2 || p.DstPort == 53 || p.SrcPort == 53 {
			w.dnsTCP(p, b)
		}
	}
}

func (w *Worker) udp(p *packet.Packet) {
	w.probeUDP(p)
	w.noteEndpoint(p)
	b := p.Payload
	if p.DstPort == 53 || p.SrcPort == 53 {
		if w.dns(p, b, true) {
			return
		}
	}
	w.datagram(p)
	if len(b) < 12 {
		return
	}
	if quic.Looks(b) {
		w.kind = KindQUIC
		w.facts.transport = tls.OverQUIC
		if name, ok := w.quic.ServerName(b); ok {
			w.serverName(name, "quic")
		}
		if w.rules.fingerprints {
			w.fingerprints("quic")
		}
		w.facts.transport = 0
		return
	}
	if dns.Looks(b) {
		w.dns(p, b, false)
	}
}

// handshake reads the server name of a ClientHello, else the certificates of a
// server's flight (D 13).
func (w *Worker) handshake(b []byte) {
	if w.hello.Parse(b) {
		w.facts.transport = tls.OverTCP
		if len(w.hello.ServerName) > 0 {
			w.serverName(w.hello.ServerName, "tls")
		}
		if w.rules.fingerprints {
			w.fingerprints("tls")
		}
		w.facts.transport = 0
		return
	}
	if w.rules.digests {
		w.certificates(b)
	}
}

func (w *Worker) serverName(name []byte, app string) {
	if host, ok := tls.HostName(w.name[:], name); ok {
		w.facts.app, w.facts.serverName = app, host
		w.rules.trace.server(app, host)
		w.domain(host)
		w.facts.app = ""
	}
}

// Packet is the packet last decoded, valid as long as its frame.
func (w *Worker) Packet() *packet.Packet { return &w.p }
