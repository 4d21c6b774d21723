package syslog

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	gsyslog "github.com/hashicorp/go-syslog"

	"trailhound/agent/event"
	"trailhound/outputs"
	"trailhound/outputs/remote"
)

// renew is how long a logger is used: it asks for the host's name only when it
// is made.
const renew = 5 * time.Minute

// library sends through hashicorp/go-syslog, over UDP and to this host's own
// syslog socket.
//
// Left to itself over UDP, the library takes 50 ms for look-up and connect
// together, never looks a name up again, opens new sockets as it likes, which
// then are flows that nobody knows to be the sensor's own, and swallows errors.
// So it gets a socket of this process to write to, and what it writes there goes
// on over a Remote. See loop.
type library struct {
	*writer
	*counts
	remote   *remote.Remote // nil: this host's socket
	logger   gsyslog.Syslogger
	loop     *loop // nil: this host's socket
	made     time.Time
	overhead int // bytes of the library's header and of the LF
	buf      []byte
}

func (l *library) send(ctx context.Context, batch []event.Event, r *outputs.Result) error {
	if err := l.open(); err != nil {
		return err
	}
	for i := range batch {
		if err := ctx.Err(); err != nil {
			return err
		}
		e := &batch[i]
		var v verdict
		if l.buf, v = l.body(l.buf[:0], e, 0, l.size-l.overhead); l.settle(v, i, l.size, r) {
			continue
		}
		// The numbers of the library are those of RFC 5424, too.
		if err := l.logger.WriteLevel(gsyslog.Priority(e.Severity.Syslog()), l.buf); err != nil {
			l.shut()
			return fmt.Errorf("cannot write to %s: %w", l.where(), err)
		}
		if l.loop != nil {
			if err := l.forward(ctx); err != nil {
				return err
			}
		}
		l.sent(v, i, r)
	}
	return nil
}

// forward sends on what the library has just written.
func (l *library) forward(ctx context.Context) error {
	datagram, err := l.loop.read()
	if err != nil {
		l.shut() // what else lies there must not count as the next message
		return fmt.Errorf("cannot read back a message: %w", err)
	}
	conn, err := l.remote.Conn(ctx)
	if err != nil {
		return err
	}
	_, err = conn.Write(ctx, datagram)
	return err
}

// open makes the logger when there is none, or when it is old. After Close of a
// logger its next write would open it again behind our back: a closed one is
// forgotten at once.
func (l *library) open() (err error) {
	if l.logger != nil && time.Since(l.made) < renew {
		return nil
	}
	l.shut()
	facility := facilities[l.facility]
	if l.remote == nil {
		l.logger, err = gsyslog.NewLogger(gsyslog.LOG_NOTICE, facility, l.app)
	} else if l.loop, err = newLoop(); err == nil {
		l.logger, err = gsyslog.DialLogger("unixgram", l.loop.name, gsyslog.LOG_NOTICE, facility, l.app)
	}
	if err != nil {
		l.shut()
		return fmt.Errorf("cannot open %s: %w", l.where(), err)
	}
	l.made = time.Now()
	// <PRI>, time, host and tag[pid]: as the library writes them, and LF.
	host, _ := os.Hostname()
	l.overhead = len("<191>") + len(time.RFC3339) + 1 + max(len(host), len("localhost")) + 1 + len(l.app) + len("[]: ") + len(l.pid) + 1
	return nil
}

func (l *library) shut() {
	if l.logger != nil {
		l.logger.Close()
	}
	if l.loop != nil {
		l.loop.close()
	}
	l.logger, l.loop = nil, nil
}

func (l *library) where() string {
	if l.remote == nil {
		return "this host's syslog socket (/dev/log)"
	}
	return l.addresses[0]
}

func (l *library) check(ctx context.Context) error {
	if l.remote != nil {
		return l.remote.Check(ctx)
	}
	logger, err := gsyslog.NewLogger(gsyslog.LOG_NOTICE, facilities[l.facility], l.app)
	if err != nil {
		return errors.New("no syslog listens on this host (/dev/log, /var/run/syslog, /var/run/log)")
	}
	return logger.Close()
}

func (l *library) stats() remote.StreamStats {
	if l.remote == nil {
		return remote.StreamStats{}
	}
	return remote.StreamStats{Stats: l.remote.Stats()}
}

func (l *library) close() error {
	l.shut()
	if l.remote == nil {
		return nil
	}
	return l.remote.Close()
}
