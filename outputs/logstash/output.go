// Package logstash sends events as JSON to Logstash and to whatever else takes
// JSON lines, JSON datagrams or the protocol of the Beats. Its README is its
// manual.
package logstash

import (
	"context"
	_ "embed"
	"log/slog"
	"sync/atomic"

	"trailhound/agent/event"
	"trailhound/outputs"
	"trailhound/outputs/remote"
)

//go:embed sample.yaml
var sample string

// Sample is an entry of the configuration with all keys.
func Sample() string { return sample }

// Output sends to one receiver at a time.
type Output struct {
	way    way
	remote *remote.Remote
	limits outputs.Limits
	counts counts
	acks   bool
}

// A way is how events get to the receiver: the protocol.
type way interface {
	// send delivers the batch in order and notes per event what became of it. What
	// it did not get to stays Retry.
	send(ctx context.Context, batch []event.Event, r *outputs.Result) error
	resent() uint64 // events that were sent once more after a lost connection
	close() error
}

// counts are written by the sender and read by anyone.
type counts struct {
	events, truncated, rejected, again, keepalives, windows atomic.Uint64
}

// Stats are counts since the start.
type Stats struct {
	Events     uint64 // delivered
	Bytes      uint64 // written to connections, before TLS
	Connects   uint64 // connections made: all but the first are reconnects
	Truncated  uint64 // events that were reduced to fit into a datagram
	Rejected   uint64 // events that could not be made to fit
	Resent     uint64 // events sent once more on a new connection
	Windows    uint64 // lumberjack: windows sent
	Keepalives uint64 // lumberjack: answers that the receiver is busy
}

// New makes an output. It connects nowhere; its errors are of the configuration
// and name the key.
func New(k Keys, env Env) (*Output, error) {
	if err := k.complete(); err != nil {
		return nil, err
	}
	addresses, secure, err := k.receivers()
	if err != nil {
		return nil, err
	}
	id := env.Identity
	if id == nil {
		id = &event.Identity{}
	}
	log := env.Log
	if log == nil {
		log = slog.Default()
	}
	opt := remote.Options{Network: "tcp", Addresses: addresses, Proxy: k.Proxy, Dial: env.Dial, Resolver: env.Resolver, Log: log}
	if secure {
		if opt.TLS, err = remote.NewTLS(k.TLS, log); err != nil {
			return nil, err
		}
	}
	o := &Output{}
	encode := k.encoder(id)
	switch k.Protocol {
	case "udp":
		opt.Network = "udp"
	case "lumberjack":
		opt.Answers = true
	}
	if o.remote, err = remote.New(opt); err != nil {
		return nil, err
	}
	switch k.Protocol {
	case "udp":
		o.way = &datagrams{remote: o.remote, encode: encode, limit: k.MaxDatagram, counts: &o.counts}
	case "lumberjack":
		framer, err := newFramer(encode, k.Compression)
		if err != nil {
			return nil, err
		}
		o.way = &lumberjack{remote: o.remote, framer: framer, silence: k.AckTimeout, most: k.Window, counts: &o.counts}
		o.limits.BatchEvents, o.acks = k.Window, true
	default:
		o.way = newLines(o.remote, encode)
	}
	return o, nil
}

// Send delivers the batch. Over lumberjack an event is delivered when the
// receiver acknowledged it, otherwise when the kernel took it.
func (o *Output) Send(ctx context.Context, batch []event.Event) (outputs.Result, error) {
	r := outputs.Result{Outcomes: make([]outputs.Outcome, len(batch))}
	if err := ctx.Err(); err != nil {
		return r, err
	}
	err := o.way.send(ctx, batch, &r)
	done := uint64(0)
	for _, outcome := range r.Outcomes {
		if outcome == outputs.Delivered {
			done++
		}
	}
	o.counts.events.Add(done)
	return r, err
}

// Check tells whether a connection to the receiver can be made. A receiver of
// datagrams gives no sign of itself, unless its host says that the port is
// closed.
func (o *Output) Check(ctx context.Context) error { return o.remote.Check(ctx) }

// Limits are those of a window for lumberjack, and none otherwise.
func (o *Output) Limits() outputs.Limits { return o.limits }

// Guarantee is Acknowledged for lumberjack, otherwise Sent.
func (o *Output) Guarantee() outputs.Guarantee {
	if o.acks {
		return outputs.Acknowledged
	}
	return outputs.Sent
}

// Close ends the connection.
func (o *Output) Close() error { return o.way.close() }

// Stats gives the counts up to now. Any goroutine may ask.
func (o *Output) Stats() Stats {
	c, r := &o.counts, o.remote.Stats()
	return Stats{Events: c.events.Load(), Bytes: r.Bytes, Connects: r.Connects, Truncated: c.truncated.Load(), Rejected: c.rejected.Load(),
		Resent: o.way.resent(), Windows: c.windows.Load(), Keepalives: c.keepalives.Load()}
}
