package syslog

import (
	"context"

	"trailhound/agent/event"
	"trailhound/outputs"
	"trailhound/outputs/remote"
)

// datagrams sends each message in a datagram of its own (RFC 5426), without
// anything behind it.
type datagrams struct {
	*writer
	*counts
	remote *remote.Remote
	buf    []byte
}

func (d *datagrams) send(ctx context.Context, batch []event.Event, r *outputs.Result) error {
	for i := range batch {
		var v verdict
		if d.buf, v = d.message(d.buf[:0], &batch[i]); d.settle(v, i, d.size, r) {
			continue
		}
		conn, err := d.remote.Conn(ctx)
		if err == nil {
			_, err = conn.Write(ctx, d.buf)
		}
		if err != nil {
			return err
		}
		d.sent(v, i, r)
	}
	return nil
}

func (d *datagrams) check(ctx context.Context) error { return d.remote.Check(ctx) }
func (d *datagrams) stats() remote.StreamStats       { return remote.StreamStats{Stats: d.remote.Stats()} }
func (d *datagrams) close() error                    { return d.remote.Close() }
