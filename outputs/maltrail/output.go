// Package maltrail sends events to a Maltrail server, as the reference's sensors
// do with LOG_SERVER. Its README is its manual.
package maltrail

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"trailhound/agent/event"
	"trailhound/outputs"
	"trailhound/outputs/format"
	"trailhound/outputs/remote"
)

//go:embed sample.yaml
var sample string

// Sample is an entry of the configuration with all keys.
func Sample() string { return sample }

// Keys are those of a maltrail output, beside the ones that all outputs have.
type Keys struct {
	Address     string `key:"address" required:"yes" yaml:"address" doc:"the server as host:port, or host for its port 8337"`
	Sensor      string `key:"sensor" default:"" yaml:"sensor" doc:"name in the log lines; empty: sensor.name"`
	TimeZone    string `key:"time_zone" default:"" yaml:"time_zone" doc:"zone of the times in the log lines, as in Europe/Berlin or UTC; empty: that of this machine"`
	MaxDatagram int    `key:"max_datagram" default:"8192" min:"1024" max:"65507" yaml:"max_datagram" doc:"bytes of a datagram; a longer event is reduced"`
}

// Env is what the program gives to the output.
type Env struct {
	Identity *event.Identity
	Log      *slog.Logger                                                         // nil: slog.Default
	Dial     func(ctx context.Context, network, address string) (net.Conn, error) // nil: package net's
	Resolver *net.Resolver                                                        // nil: package net's
}

const (
	port            = "8337" // of the server, as it is shipped
	defaultDatagram = 8192
	minDatagram     = 1024
	maxDatagram     = 65507 // what UDP over IPv4 can carry
)

// Output sends each event in a datagram of its own.
type Output struct {
	remote *remote.Remote
	encode func(dst []byte, e *event.Event, step int) []byte
	limit  int
	buf    []byte

	events, health, truncated, rejected atomic.Uint64
}

// Stats are counts since the start.
type Stats struct {
	Events    uint64 // handed to the kernel
	Health    uint64 // health events and follow-ups, which are passed over
	Bytes     uint64
	Truncated uint64 // events that were reduced to fit
	Rejected  uint64 // events that could not be made to fit
}

// New makes an output. It connects nowhere; its errors are of the configuration
// and name the key.
func New(k Keys, env Env) (*Output, error) {
	if k.MaxDatagram == 0 {
		k.MaxDatagram = defaultDatagram
	}
	if k.MaxDatagram < minDatagram || k.MaxDatagram > maxDatagram {
		return nil, fmt.Errorf("max_datagram: %d is not from %d to %d", k.MaxDatagram, minDatagram, maxDatagram)
	}
	if k.Address == "" {
		return nil, errors.New("address: is missing")
	}
	scheme, address, err := remote.ParseAddress(k.Address, port)
	if err != nil {
		return nil, fmt.Errorf("address: %w", err)
	}
	if scheme != "" && scheme != "udp" {
		return nil, fmt.Errorf("address: %q: the server takes datagrams only", k.Address)
	}
	zone := time.Local
	if k.TimeZone != "" && !strings.EqualFold(k.TimeZone, "local") {
		if zone, err = time.LoadLocation(k.TimeZone); err != nil {
			return nil, fmt.Errorf("time_zone: %w", err)
		}
	}
	id := event.Identity{}
	if env.Identity != nil {
		id = *env.Identity
	}
	if k.Sensor != "" {
		id.Name = k.Sensor
	}
	o := &Output{limit: k.MaxDatagram}
	o.encode = func(dst []byte, e *event.Event, _ int) []byte { return format.AppendLogServer(dst, e, &id, zone) }
	if o.remote, err = remote.New(remote.Options{Network: "udp", Addresses: []string{address}, Dial: env.Dial, Resolver: env.Resolver, Log: env.Log}); err != nil {
		return nil, fmt.Errorf("address: %w", err)
	}
	return o, nil
}

// Send hands the batch to the kernel in order. What is BeyondReference, which
// the server would take for a detection of now, counts as delivered without being
// sent.
func (o *Output) Send(ctx context.Context, batch []event.Event) (outputs.Result, error) {
	r := outputs.Result{Outcomes: make([]outputs.Outcome, len(batch))}
	for i := range batch {
		e := &batch[i]
		if e.BeyondReference() {
			o.health.Add(1)
			r.Outcomes[i] = outputs.Delivered
			continue
		}
		if err := ctx.Err(); err != nil {
			return r, err
		}
		var reduced, fits bool
		if o.buf, reduced, fits = format.AppendWithin(o.buf[:0], e, o.limit, o.encode); !fits {
			o.rejected.Add(1)
			r.Outcomes[i] = outputs.Rejected
			if r.Reasons == nil {
				r.Reasons = make(map[int]string)
			}
			r.Reasons[i] = fmt.Sprintf("it cannot be made to fit into a datagram of %d bytes (max_datagram)", o.limit)
			continue
		}
		conn, err := o.remote.Conn(ctx)
		if err != nil {
			return r, err
		}
		if _, err := conn.Write(ctx, o.buf); err != nil {
			o.remote.Drop()
			return r, err
		}
		r.Outcomes[i] = outputs.Delivered
		o.events.Add(1)
		if reduced {
			o.truncated.Add(1)
		}
	}
	return r, nil
}

// Check tells whether the server's name can be found. The server itself answers
// nothing.
func (o *Output) Check(ctx context.Context) error { return o.remote.Check(ctx) }

// Limits are none: each event is cut to its datagram.
func (o *Output) Limits() outputs.Limits { return outputs.Limits{} }

// Guarantee is Sent: nobody acknowledges a datagram.
func (o *Output) Guarantee() outputs.Guarantee { return outputs.Sent }

// Close ends the use of the address.
func (o *Output) Close() error { return o.remote.Close() }

// Stats gives the counts up to now. Any goroutine may ask.
func (o *Output) Stats() Stats {
	return Stats{Events: o.events.Load(), Health: o.health.Load(), Bytes: o.remote.Stats().Bytes, Truncated: o.truncated.Load(), Rejected: o.rejected.Load()}
}
