package syslog

import (
	"context"
	"strconv"

	"trailhound/agent/event"
	"trailhound/outputs"
	"trailhound/outputs/remote"
)

// flushBytes is how much text is gathered before it is written.
const flushBytes = 128 << 10

// stream sends messages over TCP or TLS, framed after RFC 6587 3.4. A message
// begins with <, so that no receiver takes it for an octet count, and holds no
// line break.
type stream struct {
	*writer
	*counts
	stream *remote.Stream
	buf    []byte
	text   []byte    // one message, to be counted
	ends   []int     // of the messages in buf
	events []int     // which events they are
	short  []verdict // and what became of these
}

func (s *stream) send(ctx context.Context, batch []event.Event, r *outputs.Result) error {
	for next := 0; next < len(batch); {
		s.buf, s.ends, s.events, s.short = s.buf[:0], s.ends[:0], s.events[:0], s.short[:0]
		for ; next < len(batch) && len(s.buf) < flushBytes; next++ {
			v := s.frame(&batch[next])
			if s.settle(v, next, s.size, r) {
				continue
			}
			s.ends, s.events, s.short = append(s.ends, len(s.buf)), append(s.events, next), append(s.short, v)
		}
		n, err := s.stream.Send(ctx, s.buf, s.ends)
		for i := range n {
			s.sent(s.short[i], s.events[i], r)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// frame appends a message to buf as it stands in the stream.
func (s *stream) frame(e *event.Event) (v verdict) {
	if !s.counting {
		if s.buf, v = s.message(s.buf, e); v == whole || v == cut {
			s.buf = append(s.buf, '\n')
		}
		return v
	}
	if s.text, v = s.message(s.text[:0], e); v == whole || v == cut {
		s.buf = append(strconv.AppendInt(s.buf, int64(len(s.text)), 10), ' ')
		s.buf = append(s.buf, s.text...)
	}
	return v
}

func (s *stream) check(ctx context.Context) error { return s.stream.Check(ctx) }
func (s *stream) stats() remote.StreamStats       { return s.stream.Stats() }
func (s *stream) close() error                    { return s.stream.Close() }
