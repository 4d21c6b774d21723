package detect

import (
	"crypto/md5"
	"encoding/hex"

	"trailhound/agent/event"
	"trailhound/agent/protocol/tls"
	"trailhound/trails"
	"trailhound/trails/table"
)

// greeting is the ClientHello of the present packet; nil: there is none.
func (w *Worker) greeting() *tls.Hello {
	switch w.facts.transport {
	case tls.OverTCP:
		return &w.hello
	case tls.OverQUIC:
		return w.quic.Hello()
	}
	return nil
}

// fingerprints looks the client's JA3 and JA4 up. The reference knows neither.
func (w *Worker) fingerprints(app string) {
	h := w.greeting()
	if h == nil {
		return
	}
	t, f, trace := w.rules.table, &w.facts, w.rules.trace
	f.serverName = nil
	if host, ok := tls.HostName(w.name[:], h.ServerName); ok {
		f.serverName = host
	}
	if text := tls.AppendJA3(w.print[:0], h); len(text) > 0 {
		trace.hello(text)
		w.print, w.md5 = text, md5.Sum(text)
		sum := hex.AppendEncode(w.print[:0], w.md5[:])
		w.fingerprint(app, event.TrailJA3, trace.key("ja3", sum, t.Find(trails.JA3, w.md5[:])), sum)
	} else {
		trace.unprinted("ja3", h)
	}
	if text := tls.AppendJA4(w.print[:0], h, f.transport); len(text) > 0 {
		w.print = text
		for i, c := range text { // the protocol may be in capitals
			if 'A' <= c && c <= 'Z' {
				text[i] = c | 0x20
			}
		}
		w.fingerprint(app, event.TrailJA4, trace.key("ja4", text, t.Find(trails.JA4, text)), text)
	} else {
		trace.unprinted("ja4", h)
	}
}

// fingerprint raises the event of a fingerprint, if it is listed.
func (w *Worker) fingerprint(app string, code event.Code, ref table.Ref, seen []byte) {
	if ref = w.rules.listed(ref); ref == 0 {
		return
	}
	t := w.rules.table
	w.facts.app = app
	w.trailAs(code, event.CERT, ref, trails.AppendText(w.text[:0], t.Kind(ref), t.Key(ref)), seen)
	w.facts.app = ""
}

// fingerprinted adds the fingerprints of the present ClientHello to an event.
func (w *Worker) fingerprinted(e *event.TLSFacts) {
	h := w.greeting()
	if h == nil {
		return
	}
	if text := tls.AppendJA3(nil, h); len(text) > 0 {
		sum := md5.Sum(text)
		e.JA3 = hex.EncodeToString(sum[:])
	}
	e.JA4 = string(tls.AppendJA4(nil, h, w.facts.transport))
}
