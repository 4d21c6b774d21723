package detect

import (
	"trailhound/agent/event"
	"trailhound/agent/protocol/attack"
)

// maxResponses bounds the answers that are looked at in one segment.
const maxResponses = 16

// response reads the answers of a server (D 12.10): those of a sinkhole, of a
// domain that was seized, and of types that browsers run.
func (w *Worker) response(b []byte) {
	r := &w.answer
	for range maxResponses {
		if len(b) == 0 || !r.Parse(b) {
			return
		}
		f := &w.facts
		f.app, f.status, f.method, f.host, f.target, f.agent = "http", r.Status, nil, nil, nil, nil
		f.contentType, f.forwarded, f.reply = r.ContentType, nil, true
		whole := b
		if r.Size > 0 && r.Size < len(b) {
			whole = b[:r.Size]
		}
		w.answered(whole, r.ContentType)
		f.app, f.reply, f.status, f.contentType = "", false, 0, nil
		if r.Size <= 0 {
			return
		}
		b = b[min(r.Size, len(b)):]
	}
}

func (w *Worker) answered(whole, contentType []byte) {
	d := w.rules.opt.Disabled
	w.rules.trace.response(&w.answer, whole)
	if matched, ok := attack.Sinkhole(whole); ok {
		if !d[event.HTTPSinkhole] {
			w.heuristic(event.HTTP, event.HTTPSinkhole, "sinkhole response (malware)", matched, matched)
		}
	} else if title, ok := attack.Seized(whole); ok && !d[event.HTTPSeized] {
		w.heuristic(event.HTTP, event.HTTPSeized, "seized domain (suspicious)", title, title)
	}
	if len(contentType) == 0 {
		return
	}
	if value, ok := attack.ContentType(contentType); ok && !d[event.HTTPCType] {
		w.heuristic(event.HTTP, event.HTTPCType, "content type (suspicious)", []byte(value), contentType)
	}
}
