// Package elasticsearch delivers events to Elasticsearch and OpenSearch: ECS
// documents into data streams by the Bulk API, each with the event's id as its
// own, so that sending one twice makes no second document.
//
// One Send is one loop over requests of bounded size, without queue and without
// workers: what a node said of each event is known when Send returns. That is
// what makes Delivered mean acknowledged. README.md is the manual.
package elasticsearch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/elastic/elastic-transport-go/v8/elastictransport"

	"trailhound/agent/event"
	"trailhound/outputs"
)

// Env is what the program gives to an output.
type Env struct {
	Identity *event.Identity
	Log      *slog.Logger                                                         // nil: slog.Default
	Dial     func(ctx context.Context, network, address string) (net.Conn, error) // nil: package net's
	Resolver *net.Resolver                                                        // nil: package net's
}

// An Output delivers to one cluster. Send is for one goroutine at a time;
// Check, Setup and Stats are for any.
type Output struct {
	keys Keys
	log  *slog.Logger

	wire   *wire
	loans  *lender // of bulk requests, on the wire
	nodes  *nodes
	client *elastictransport.Client
	stream string // of detections

	// Of Send alone.
	body     *body
	answers  answerReader
	limit    int  // bytes in one request: as configured, or less after a 413
	accepted bool // a request was accepted as a whole once
	ready    bool // the node is known, and set up if that is wanted
	// connected is when connections were last closed for new ones.
	connected time.Time

	mu    sync.Mutex
	about *about // what GET / told; nil: not asked yet

	counts counts
}

type counts struct {
	requests, bytes, delivered, duplicates, diverted, rejected, retried, splits atomic.Uint64
}

// Stats are counts since New.
type Stats struct {
	Requests   uint64 // bulk requests that were answered
	Bytes      uint64 // of their bodies as sent
	Delivered  uint64 // events that the node has, Duplicates and Diverted included
	Duplicates uint64 // it had them already (409)
	Diverted   uint64 // it put them into the failure store of the data stream
	Rejected   uint64 // refused for good
	Retried    uint64 // times that an event was put off
	Splits     uint64 // requests cut in half after a 413 or 400
}

// New makes an output. It connects nowhere; errors are of the configuration and
// name the key.
func New(k Keys, env Env) (*Output, error) {
	k.complete()
	if err := k.check(); err != nil {
		return nil, err
	}
	urls, err := nodeURLs(&k)
	if err != nil {
		return nil, err
	}
	if env.Identity == nil {
		return nil, errors.New("BUG: no identity is given")
	}
	if env.Log == nil {
		env.Log = slog.Default()
	}
	o := &Output{keys: k, log: env.Log, nodes: newNodes(urls), stream: k.stream(k.Dataset), limit: k.MaxRequest, connected: time.Now()}
	if o.wire, err = newWire(&k, env, "trailhound/"+env.Identity.Version); err != nil {
		return nil, err
	}
	if o.body, err = newBody(&k, env.Identity); err != nil {
		return nil, fmt.Errorf("gzip: %w", err)
	}
	o.loans = &lender{to: o.wire}
	// The client of go-elasticsearch itself is left out for its two habits: it
	// takes every answer without Elastic's header for an error, although the node
	// has the events by then, and it brings the typed API, 19 MB of source.
	o.client, err = elastictransport.NewClient(
		elastictransport.WithURLs(urls...),
		elastictransport.WithTransport(o.loans),
		elastictransport.WithDisableRetry(),
		elastictransport.WithConnectionPoolFunc(func([]*elastictransport.Connection, elastictransport.Selector) elastictransport.ConnectionPool {
			return o.nodes
		}))
	if err != nil {
		return nil, err
	}
	if o.wire.authorization != "" {
		for _, u := range urls {
			if u.Scheme == "http" && !isLoopback(u.Hostname()) {
				o.log.Warn("credentials go over the network in clear text: use https", "address", u.String())
			}
		}
	}
	return o, nil
}

func isLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// Limits are those of one request: a larger batch takes several.
func (o *Output) Limits() outputs.Limits {
	return outputs.Limits{BatchEvents: 4096, BatchBytes: o.keys.MaxRequest}
}

// Guarantee is Acknowledged: the node said of each event that it has it.
func (o *Output) Guarantee() outputs.Guarantee { return outputs.Acknowledged }

// Stats gives the counts up to now.
func (o *Output) Stats() Stats {
	c := &o.counts
	return Stats{c.requests.Load(), c.bytes.Load(), c.delivered.Load(), c.duplicates.Load(), c.diverted.Load(),
		c.rejected.Load(), c.retried.Load(), c.splits.Load()}
}

// Close lets go of the connections.
func (o *Output) Close() error {
	o.wire.base.CloseIdleConnections()
	return nil
}
