package syslog

import (
	"os"
	"strconv"
	"time"

	"trailhound/agent/event"
	"trailhound/outputs/format"
)

// A writer makes messages of events: header and body.
type writer struct {
	settings
	id     *event.Identity
	name   string // the host's, in the header
	pid    string
	trails func() time.Time // see Env
	ecs    [2]*format.ECS   // json: with enrichments and without
}

func newWriter(s settings, env Env) *writer {
	w := &writer{settings: s, id: env.Identity, pid: strconv.Itoa(os.Getpid()), trails: env.Trails}
	if w.id == nil {
		w.id = &event.Identity{}
	}
	w.name = s.host(w.id)
	if s.json {
		w.ecs = [...]*format.ECS{format.NewECS(w.id, format.ECSOptions{}), format.NewECS(w.id, format.ECSOptions{NoEnrichments: true})}
	}
	return w
}

// verdict is what became of an event on its way to a message.
type verdict uint8

const (
	whole  verdict = iota
	cut            // some of its values
	none           // the format has no record for it
	tooBig         // nothing of it fits
)

// message appends header and body in at most size bytes.
func (w *writer) message(dst []byte, e *event.Event) ([]byte, verdict) {
	at := len(dst)
	dst = w.header(dst, e)
	return w.body(dst, e, at, w.size-(len(dst)-at))
}

// body appends what stands behind the header in at most room bytes; nothing is
// left from at on where that is impossible.
func (w *writer) body(dst []byte, e *event.Event, at, room int) ([]byte, verdict) {
	start := len(dst)
	var short, ok bool
	switch {
	case w.maltrail:
		made := e.Time
		if w.trails != nil {
			if t := w.trails(); !t.IsZero() {
				made = t
			}
		}
		dst, short, ok = format.AppendMaltrailCEF(dst, e, w.id, made, w.zone, room)
		if ok && len(dst) == start {
			return dst[:at], none
		}
	case w.json:
		dst, short, ok = format.AppendWithin(dst, e, room, w.document)
	default:
		dst, short, ok = format.AppendCEFWith(dst, e, w.id, format.CEFOptions{Extra: w.extra, Size: max(room, 1)})
	}
	switch {
	case !ok:
		return dst[:at], tooBig
	case short:
		return dst, cut
	}
	return dst, whole
}

func (w *writer) document(dst []byte, e *event.Event, step int) []byte {
	return w.ecs[min(step, 1)].Append(dst, e)
}

// header appends what stands before the body.
func (w *writer) header(dst []byte, e *event.Event) []byte {
	switch w.rfc {
	case "5424":
		return w.header5424(dst, e)
	case "3164":
		return w.header3164(dst, e)
	}
	return dst
}

func (w *writer) priority(dst []byte, e *event.Event) []byte {
	dst = strconv.AppendInt(append(dst, '<'), int64(w.facility<<3|e.Severity.Syslog()), 10)
	return append(dst, '>')
}

// header3164 is that of RFC 3164 4.1: the event's local time without a year, the
// day padded with a space. On a host's own socket there is no host name.
func (w *writer) header3164(dst []byte, e *event.Event) []byte {
	dst = w.priority(dst, e)
	dst = append(e.Time.In(w.zone).AppendFormat(dst, time.Stamp), ' ')
	if !w.bareHeader {
		dst = append(append(dst, w.name...), ' ')
	}
	dst = append(append(dst, w.app...), '[')
	dst = append(append(dst, w.pid...), "]: "...)
	return dst
}

// header5424 is that of RFC 5424 6: the event's time in UTC with microseconds,
// its code as MSGID, no structured data and no byte order mark, which readers of
// CEF take for text.
func (w *writer) header5424(dst []byte, e *event.Event) []byte {
	dst = append(w.priority(dst, e), "1 "...)
	if year := e.Time.UTC().Year(); year < 0 || year > 9999 {
		dst = append(dst, '-')
	} else {
		dst = e.Time.UTC().AppendFormat(dst, "2006-01-02T15:04:05.000000Z")
	}
	dst = append(append(append(dst, ' '), w.name...), ' ')
	dst = append(append(dst, w.app...), ' ')
	dst = append(append(dst, w.pid...), ' ')
	at := len(dst)
	for i := 0; i < len(e.Code) && len(dst)-at < 32; i++ {
		if c := e.Code[i]; c > 0x20 && c < 0x7F {
			dst = append(dst, c)
		}
	}
	if len(dst) == at {
		dst = append(dst, '-')
	}
	return append(dst, " - "...)
}
