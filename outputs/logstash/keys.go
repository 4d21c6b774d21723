package logstash

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"trailhound/agent/event"
	"trailhound/outputs/format"
	"trailhound/outputs/remote"
)

// Keys are those of a logstash output, beside the ones that all outputs have. A
// number that is 0 means its default, but for Compression.
type Keys struct {
	Protocol    string         `key:"protocol" default:"tcp" oneof:"tcp udp lumberjack" yaml:"protocol" doc:"tcp: JSON lines; udp: a JSON object in each datagram; lumberjack: the acknowledged protocol of the Beats"`
	Addresses   []string       `key:"addresses" required:"yes" yaml:"addresses" doc:"receivers as host:port, tried in this order; tls://host:port for TLS without further keys"`
	Profile     string         `key:"profile" default:"ecs" oneof:"ecs compat" yaml:"profile" doc:"ecs: ECS 8 documents; compat: the object of the reference, byte for byte"`
	Namespace   string         `key:"namespace" default:"default" yaml:"namespace" doc:"data_stream.namespace of ECS documents"`
	Enrichments bool           `key:"enrichments" default:"true" yaml:"enrichments" doc:"threat.enrichments, a nested field, in ECS documents"`
	TLS         remote.TLSKeys `key:"tls" yaml:"tls"`
	Proxy       remote.Secret  `key:"proxy" default:"" yaml:"proxy" doc:"http://host:port or socks5://host:port, with user:password@ if it wants them; not for udp"`
	MaxDatagram int            `key:"max_datagram" default:"8192" min:"1024" max:"65507" yaml:"max_datagram" doc:"udp: bytes of a datagram; a longer event is reduced"`
	Window      int            `key:"window" default:"2048" min:"1" max:"16384" yaml:"window" doc:"lumberjack: events that may wait for their acknowledgement"`
	AckTimeout  time.Duration  `key:"ack_timeout" default:"30s" min:"1s" max:"10m" yaml:"ack_timeout" doc:"lumberjack: how long the receiver may say nothing at all, not even that it is busy, before the connection is given up"`
	Compression int            `key:"compression" default:"3" min:"0" max:"9" yaml:"compression" doc:"lumberjack: level of zlib; 0: none"`
}

// Env is what the program gives to the output.
type Env struct {
	Identity *event.Identity
	Log      *slog.Logger                                                         // nil: slog.Default
	Dial     func(ctx context.Context, network, address string) (net.Conn, error) // nil: package net's
	Resolver *net.Resolver                                                        // nil: package net's
}

// Limits that only New sees.
const (
	defaultDatagram = 8192
	maxDatagram     = 65507 // what UDP over IPv4 can carry
	minECSDatagram  = 4096  // an ECS document cannot be made much smaller
	minDatagram     = 1024
	defaultWindow   = 2048
	maxWindow       = 16384
)

// complete puts in the defaults and refuses what cannot work. The errors name
// the key.
func (k *Keys) complete() error {
	for _, d := range []struct {
		value *string
		dflt  string
	}{{&k.Protocol, "tcp"}, {&k.Profile, "ecs"}, {&k.Namespace, "default"}} {
		if *d.value == "" {
			*d.value = d.dflt
		}
	}
	if k.MaxDatagram == 0 {
		k.MaxDatagram = defaultDatagram
	}
	if k.Window == 0 {
		k.Window = defaultWindow
	}
	if k.AckTimeout == 0 {
		k.AckTimeout = 30 * time.Second
	}
	switch {
	case k.Protocol != "tcp" && k.Protocol != "udp" && k.Protocol != "lumberjack":
		return fmt.Errorf("protocol: %q is none of tcp, udp, lumberjack", k.Protocol)
	case k.Profile != "ecs" && k.Profile != "compat":
		return fmt.Errorf("profile: %q is none of ecs, compat", k.Profile)
	case k.MaxDatagram < minDatagram || k.MaxDatagram > maxDatagram:
		return fmt.Errorf("max_datagram: %d is not from %d to %d", k.MaxDatagram, minDatagram, maxDatagram)
	case k.Protocol == "udp" && k.Profile == "ecs" && k.MaxDatagram < minECSDatagram:
		return fmt.Errorf("max_datagram: %d is too little for ECS documents: give %d or more, or use profile compat", k.MaxDatagram, minECSDatagram)
	case k.Window < 1 || k.Window > maxWindow:
		return fmt.Errorf("window: %d is not from 1 to %d", k.Window, maxWindow)
	case k.AckTimeout < 0:
		return errors.New("ack_timeout: cannot be negative")
	case k.Compression < 0 || k.Compression > 9:
		return fmt.Errorf("compression: %d is not from 0 to 9", k.Compression)
	}
	return checkNamespace(k.Namespace)
}

// checkNamespace holds data_stream.namespace to what Elasticsearch takes as a
// part of an index name.
func checkNamespace(name string) error {
	if len(name) > 100 || strings.ToLower(name) != name || strings.ContainsAny(name, "\\/*?\"<>| ,#:-\t\r\n") {
		return fmt.Errorf("namespace: %q must be lower case, at most 100 bytes, without spaces and any of \\ / * ? \" < > | , # : -", name)
	}
	return nil
}

// receivers gives the addresses without their schemes, and whether they are
// spoken to over TLS.
func (k *Keys) receivers() (addresses []string, secure bool, err error) {
	if len(k.Addresses) == 0 {
		return nil, false, errors.New("addresses: none is given")
	}
	secure = k.TLS.Given()
	clear := ""
	for _, text := range k.Addresses {
		scheme, address, err := remote.ParseAddress(text, "")
		if err != nil {
			return nil, false, fmt.Errorf("addresses: %w", err)
		}
		switch scheme {
		case "tls":
			secure = true
		case "", k.Protocol:
			clear = text
		default:
			return nil, false, fmt.Errorf("addresses: %q: the scheme is neither tls nor %s", text, k.Protocol)
		}
		addresses = append(addresses, address)
	}
	if secure && !k.TLS.Given() && clear != "" {
		return nil, false, fmt.Errorf("addresses: %q is in clear text and another has tls://", clear)
	}
	if secure && k.Protocol == "udp" {
		return nil, false, errors.New("tls: datagrams cannot be encrypted, use protocol tcp or lumberjack")
	}
	if k.Proxy != "" && k.Protocol == "udp" {
		return nil, false, errors.New("proxy: datagrams go through none, use protocol tcp or lumberjack")
	}
	return addresses, secure, nil
}

// encoder gives the profile's encoder. From step 1 on it leaves out what can be
// found elsewhere in the document, in the last step the operator's labels too.
func (k *Keys) encoder(id *event.Identity) encoder {
	if k.Profile == "compat" {
		return func(dst []byte, e *event.Event, _ int) []byte { return format.AppendLogstash(dst, e, id) }
	}
	opt := format.ECSOptions{Namespace: k.Namespace, NoEnrichments: !k.Enrichments}
	small := opt
	small.NoEnrichments = true
	bare := *id
	bare.Labels = nil
	whole, reduced, last := format.NewECS(id, opt), format.NewECS(id, small), format.NewECS(&bare, small)
	return func(dst []byte, e *event.Event, step int) []byte {
		switch step {
		case 0:
			return whole.AppendLogstash(dst, e)
		case format.ReduceSteps:
			return last.AppendLogstash(dst, e)
		}
		return reduced.AppendLogstash(dst, e)
	}
}
