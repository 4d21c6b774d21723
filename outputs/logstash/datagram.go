package logstash

import (
	"context"
	"fmt"

	"trailhound/agent/event"
	"trailhound/outputs"
	"trailhound/outputs/format"
	"trailhound/outputs/remote"
)

// datagrams sends each event in a datagram of its own.
type datagrams struct {
	remote *remote.Remote
	encode encoder
	limit  int
	counts *counts
	buf    []byte
}

func (d *datagrams) send(ctx context.Context, batch []event.Event, r *outputs.Result) error {
	for i := range batch {
		var reduced, fits bool
		d.buf, reduced, fits = format.AppendWithin(d.buf[:0], &batch[i], d.limit, d.encode)
		if !fits {
			d.counts.rejected.Add(1)
			r.Outcomes[i] = outputs.Rejected
			if r.Reasons == nil {
				r.Reasons = make(map[int]string)
			}
			r.Reasons[i] = fmt.Sprintf("it cannot be made to fit into a datagram of %d bytes (max_datagram)", d.limit)
			continue
		}
		conn, err := d.remote.Conn(ctx)
		if err != nil {
			return err
		}
		if _, err := conn.Write(ctx, d.buf); err != nil {
			d.remote.Drop()
			return err
		}
		r.Outcomes[i] = outputs.Delivered
		if reduced {
			d.counts.truncated.Add(1)
		}
	}
	return nil
}

func (d *datagrams) resent() uint64 { return 0 }

func (d *datagrams) close() error { return d.remote.Close() }
