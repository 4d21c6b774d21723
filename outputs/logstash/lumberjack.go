package logstash

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"trailhound/agent/event"
	"trailhound/outputs"
	"trailhound/outputs/remote"
)

// lumberjack sends windows and waits for their acknowledgements, one window at
// a time. When the time for a Send is over while the receiver is busy with a
// window, that window stays under way: the next Send goes on waiting for it
// instead of giving a receiver that is behind the same events again.
type lumberjack struct {
	remote  *remote.Remote
	framer  *framer
	silence time.Duration // how long the receiver may say nothing
	most    int           // events in a window
	counts  *counts

	session *session // nil: none yet
	under   [][16]byte
	told    int // events of the window that Send has reported as delivered
}

var errSilent = outputs.Mark(errors.New("has said nothing"), os.ErrDeadlineExceeded)

func (l *lumberjack) send(ctx context.Context, batch []event.Event, r *outputs.Result) error {
	for done := 0; done < len(batch); {
		n, used := 0, false
		var err error
		if !l.resumes(batch[done:]) {
			used, err = l.begin(ctx, batch[done:])
		}
		if err == nil {
			n, err = l.await(ctx, len(batch)-done)
		}
		for i := range n {
			r.Outcomes[done+i] = outputs.Delivered
		}
		done += n
		// A receiver ends connections that were idle for long. If that crosses with
		// a window, a new connection is all it takes.
		crossed := used && n == 0 && ctx.Err() == nil && !errors.Is(err, errProtocol) && !errors.Is(err, errSilent)
		if err != nil && !crossed {
			return err
		}
	}
	return nil
}

// resumes says whether the window under way begins with these events, as far as
// it has not been reported. If it is lost or holds others, it is forgotten.
func (l *lumberjack) resumes(batch []event.Event) bool {
	rest := l.under[l.told:]
	if len(rest) == 0 {
		return false
	}
	for i := range min(len(rest), len(batch)) {
		if batch[i].ID != rest[i] {
			l.lose()
			return false
		}
	}
	if acked, err := l.session.state(); err != nil && acked <= l.told {
		l.lose()
		return false
	}
	return true
}

// begin sends as many events as fit into a window. It says whether the
// connection was used before.
func (l *lumberjack) begin(ctx context.Context, batch []event.Event) (used bool, err error) {
	conn, err := l.remote.Conn(ctx)
	if err == nil && l.session != nil && l.session.conn == conn {
		used = true
		if _, unfit := l.session.state(); unfit != nil { // it said something that makes no sense
			l.remote.Drop()
			conn, err = l.remote.Conn(ctx)
			used = false
		}
	}
	if err != nil {
		return false, err
	}
	if !used {
		l.session = listen(conn, l.counts)
	}
	frames, n := l.framer.window(batch[:min(len(batch), l.most)])
	l.under, l.told = l.under[:0], 0
	for i := range batch[:n] {
		l.under = append(l.under, batch[i].ID)
	}
	l.session.expect(n)
	if _, err = conn.Write(ctx, frames); err != nil {
		l.lose()
		return used, err
	}
	l.counts.windows.Add(1)
	l.session.sent()
	return used, nil
}

// await waits until the window, or as many of its events as are wanted, are
// acknowledged, and gives the number of events that are so now.
func (l *lumberjack) await(ctx context.Context, wanted int) (n int, err error) {
	timer := time.NewTimer(l.silence)
	defer timer.Stop()
	for {
		acked, err := l.session.state()
		if fresh := min(acked-l.told, wanted-n); fresh > 0 {
			n += fresh
			l.told += fresh
		}
		switch {
		case l.told == len(l.under):
			l.session.expect(0)
			return n, nil
		case n == wanted:
			return n, nil
		case err != nil:
			err = fmt.Errorf("%w: %d of %d events are not acknowledged", err, len(l.under)-l.told, len(l.under))
			l.lose()
			return n, err
		}
		quiet := l.session.quiet()
		if quiet >= l.silence {
			err := fmt.Errorf("%s %w for %s: %d of %d events are not acknowledged", l.session.conn.Name(), errSilent,
				quiet.Round(time.Second), len(l.under)-l.told, len(l.under))
			l.lose()
			return n, err
		}
		timer.Reset(l.silence - quiet)
		select {
		case <-l.session.heard:
		case <-timer.C:
		case <-ctx.Done():
			return n, fmt.Errorf("%s has not acknowledged %d of %d events yet: %w", l.session.conn.Name(), len(l.under)-l.told, len(l.under), ctx.Err())
		}
	}
}

// lose gives up the window under way and the connection with it: what comes on
// it could no longer be told apart.
func (l *lumberjack) lose() {
	l.counts.again.Add(uint64(len(l.under) - l.told))
	l.under, l.told = l.under[:0], 0
	l.remote.Drop()
}

func (l *lumberjack) close() error {
	err := l.remote.Close()
	if l.session != nil {
		<-l.session.over
	}
	return err
}

func (l *lumberjack) resent() uint64 { return l.counts.again.Load() }
