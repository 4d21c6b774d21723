package logstash

import (
	"context"

	"trailhound/agent/event"
	"trailhound/outputs"
	"trailhound/outputs/remote"
)

// flushBytes is how much text is gathered before it is written.
const flushBytes = 128 << 10

// lines writes JSON lines. An object holds no line end of its own and does not
// begin with a digit, so no receiver can mistake it for an octet count.
type lines struct {
	stream *remote.Stream
	encode encoder
	buf    []byte
	ends   []int // of the lines in buf
}

func newLines(r *remote.Remote, encode encoder) *lines {
	return &lines{stream: remote.NewStream(r), encode: encode}
}

func (l *lines) send(ctx context.Context, batch []event.Event, r *outputs.Result) error {
	for done := 0; done < len(batch); {
		l.buf, l.ends = l.buf[:0], l.ends[:0]
		for next := done; next < len(batch) && len(l.buf) < flushBytes; next++ {
			l.buf = append(l.encode(l.buf, &batch[next], 0), '\n')
			l.ends = append(l.ends, len(l.buf))
		}
		n, err := l.stream.Send(ctx, l.buf, l.ends)
		for i := range n {
			r.Outcomes[done+i] = outputs.Delivered
		}
		if done += n; err != nil {
			return err
		}
	}
	return nil
}

func (l *lines) close() error { return l.stream.Close() }

func (l *lines) resent() uint64 { return l.stream.Stats().Resent }
