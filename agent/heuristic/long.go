package heuristic

import (
	"bytes"

	"trailhound/agent/event"
)

// long finds names whose first label is long, as tunnels and some malware use
// them (D 11c). The worker has found that the label is, and that no trail
// matches the name.
type long struct {
	on        bool
	threshold int // bytes
}

var blogspot = []byte("blogspot")

func (l *long) configure(opt *Options) {
	l.on = opt.on(event.DNSLong)
	l.threshold = int(min(opt.threshold(event.DNSLong), 255))
}

// takeLong raises every such name; it is asked once in a second for a client and
// server. Names of which only every other one were raised would look like a different
// tunnel.
func (n *names) takeLong(b *Board, e *Evidence, name []byte) {
	// The threshold may be another than when the worker saw the name.
	if !n.long.on || !HasLongHead(name, n.long.threshold) {
		return
	}
	front, rest, more := splitTwo(name)
	if !more {
		front = firstLabel(name)
		if len(front) == len(name) {
			return
		}
		rest = name[len(front)+1:]
	}
	if bytes.Contains(name, blogspot) || b.mutedName(e, event.DNSLong, name) {
		return
	}
	b.findName(e, event.DNSLong, "long domain (suspicious)", enclosed(front, rest), name)
}

// Carrier says what a name of LongName was in; the worker puts it in QType.
type Carrier uint16

// The carriers.
const (
	Elsewhere Carrier = iota
	InTLS
	InQUIC
	InHTTP
)

// fill sets the facts of an event by the carrier of its name.
func (c Carrier) fill(f *event.Event, name string) {
	switch c {
	case InTLS:
		f.Application, f.TLS.ServerName = "tls", name
	case InQUIC:
		f.Application, f.TLS.ServerName = "quic", name
	case InHTTP:
		f.Application, f.HTTP.Host = "http", name
	}
}
