// Package syslog sends events as syslog messages, with CEF or an ECS document as
// their text. Its README is its manual.
package syslog

import (
	"context"
	_ "embed"
	"fmt"
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
	size   int
	counts counts
}

// A way is how messages get to the receiver.
type way interface {
	// send delivers events in order and notes per event what became of it. What it
	// did not get to stays Retry.
	send(ctx context.Context, batch []event.Event, r *outputs.Result) error
	check(ctx context.Context) error
	stats() remote.StreamStats
	close() error
}

// counts are written by the sender and read by anyone.
type counts struct{ events, truncated, rejected, skipped atomic.Uint64 }

// Stats are counts since the start.
type Stats struct {
	Events      uint64 // handed to the kernel
	Truncated   uint64 // of these, with values that were cut
	Rejected    uint64 // did not fit, whatever was cut
	Skipped     uint64 // health events and follow-ups in the profile maltrail, which has none
	Bytes       uint64 // written to connections, before TLS; 0 for sockets of this host
	Connects    uint64 // connections made: all but the first are reconnects
	Failures    uint64 // attempts to connect that failed
	Losses      uint64 // connections that ended before we ended them
	Resent      uint64 // messages sent once more after a loss
	ResentBytes uint64
}

// New makes an output. It connects nowhere; its errors are of the configuration
// and name the key.
func New(k Keys, env Env) (*Output, error) {
	s, err := k.settings()
	if err != nil {
		return nil, err
	}
	if env.Log == nil {
		env.Log = slog.Default()
	}
	o := &Output{size: s.size}
	w := newWriter(s, env)
	switch s.scheme {
	case "local":
		o.way = &library{writer: w, counts: &o.counts}
		return o, nil
	case "unix":
		o.way = &socket{writer: w, counts: &o.counts, path: s.addresses[0]}
		return o, nil
	}
	opt := remote.Options{Network: "tcp", Addresses: s.addresses, Proxy: k.Proxy, Dial: env.Dial, Resolver: env.Resolver, Log: env.Log}
	if s.scheme == "udp" {
		opt.Network = "udp"
	}
	if s.scheme == "tls" {
		if opt.TLS, err = remote.NewTLS(k.TLS, env.Log); err != nil {
			return nil, err
		}
	}
	r, err := remote.New(opt) // the addresses are known to be good; an error names proxy
	if err != nil {
		return nil, err
	}
	switch {
	case s.scheme != "udp":
		o.way = &stream{writer: w, counts: &o.counts, stream: remote.NewStream(r)}
	case s.rfc == "go-syslog":
		o.way = &library{writer: w, counts: &o.counts, remote: r}
	default:
		o.way = &datagrams{writer: w, counts: &o.counts, remote: r}
	}
	return o, nil
}

// Send hands the batch to the kernel in order. Delivered means that the kernel
// has it, for no receiver of syslog acknowledges anything.
func (o *Output) Send(ctx context.Context, batch []event.Event) (outputs.Result, error) {
	r := outputs.Result{Outcomes: make([]outputs.Outcome, len(batch))}
	if err := ctx.Err(); err != nil {
		return r, err
	}
	return r, o.way.send(ctx, batch, &r)
}

// Check tells whether the receiver can be reached: over tcp and tls whether it
// takes a connection, over udp whether its name is known and a route leads there.
func (o *Output) Check(ctx context.Context) error { return o.way.check(ctx) }

// Limits are none: an event that is too large is cut.
func (o *Output) Limits() outputs.Limits { return outputs.Limits{} }

// Guarantee is Sent.
func (o *Output) Guarantee() outputs.Guarantee { return outputs.Sent }

// Close ends the connection, over tcp and tls once everything has been
// acknowledged by the receiver's kernel or a few seconds later.
func (o *Output) Close() error { return o.way.close() }

// Stats gives the counts up to now. Any goroutine may ask.
func (o *Output) Stats() Stats {
	c, s := &o.counts, o.way.stats()
	return Stats{Events: c.events.Load(), Truncated: c.truncated.Load(), Rejected: c.rejected.Load(), Skipped: c.skipped.Load(),
		Bytes: s.Bytes, Connects: s.Connects, Failures: s.Failures, Losses: s.Losses, Resent: s.Resent, ResentBytes: s.ResentBytes}
}

// settle notes the outcome of an event that is not sent, and says whether it is
// one. An event of the others counts when it has been handed over.
func (c *counts) settle(v verdict, i, size int, r *outputs.Result) bool {
	switch v {
	case none:
		c.skipped.Add(1)
		r.Outcomes[i] = outputs.Delivered
		return true
	case tooBig:
		c.rejected.Add(1)
		r.Outcomes[i] = outputs.Rejected
		if r.Reasons == nil {
			r.Reasons = make(map[int]string)
		}
		r.Reasons[i] = fmt.Sprintf("does not fit into max_message, %d bytes", size)
		return true
	}
	return false
}

// sent notes that an event has been handed over.
func (c *counts) sent(v verdict, i int, r *outputs.Result) {
	r.Outcomes[i] = outputs.Delivered
	c.events.Add(1)
	if v == cut {
		c.truncated.Add(1)
	}
}
