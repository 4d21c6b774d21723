package self

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
)

// A Dialer dials connections that its Registry knows before their first packet
// leaves.
type Dialer struct {
	registry *Registry
	base     net.Dialer
}

// Dialer gives a Dialer with the options of base. Names are looked up by
// Resolver unless base has one of its own.
func (r *Registry) Dialer(base net.Dialer) *Dialer {
	// Further paths of a connection would be flows that nobody entered.
	base.SetMultipathTCP(false)
	return &Dialer{registry: r, base: base}
}

// DialContext connects as net.Dialer does. The connection can do what
// *net.TCPConn or *net.UDPConn can; NetConn gives that itself. Networks are tcp
// and udp, with 4 or 6, whose flows are known until Linger after Close, and
// those of unix sockets, which leave no packets.
//
// When no local port can be bound in advance, the flow is known from the moment
// it is connected only.
func (d *Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	switch network {
	case "unix", "unixgram", "unixpacket":
		return d.base.DialContext(ctx, network, address)
	case "tcp", "tcp4", "tcp6", "udp", "udp4", "udp6":
	default:
		return nil, &net.OpError{Op: "dial", Net: network, Err: net.UnknownNetworkError(network)}
	}
	t := &attempt{registry: d.registry, proto: protocol(network), local: addrPort(d.base.LocalAddr)}
	dialer := d.base
	if dialer.Resolver == nil {
		dialer.Resolver = d.registry.resolver
	}
	// The hook binds; net would bind once more.
	dialer.LocalAddr, dialer.Control = nil, nil
	dialer.ControlContext = d.hook(t)
	conn, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		t.end(nil)
		return nil, err
	}
	return d.registry.wrap(conn, t.end(conn)), nil
}

func protocol(network string) uint8 {
	if network[0] == 'u' {
		return UDP
	}
	return TCP
}

// attempt is one call of DialContext: one flow for each address that it tries,
// some of them at the same time (RFC 8305).
type attempt struct {
	registry *Registry
	proto    uint8
	local    netip.AddrPort // asked for by the caller; zero: none

	mu    sync.Mutex
	flows []*flow
	ended bool
}

// prepare binds a socket that is about to connect to address, and enters its
// flow. The local address is not known yet, so any counts.
func (t *attempt) prepare(address string, bind func(netip.AddrPort) (netip.AddrPort, error)) error {
	remote, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("cannot read the address %q: %w", address, err)
	}
	local, err := bind(t.local)
	if err != nil {
		if t.local.IsValid() {
			return fmt.Errorf("cannot bind to %s: %w", t.local, err)
		}
		return nil // no port to be had: an event that is delivered counts for more
	}
	f := t.registry.enter(local, remote, t.proto)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended { // a slower address; the dial is over, and this socket with it
		t.registry.close(f)
	} else if f != nil {
		t.flows = append(t.flows, f)
	}
	return nil
}

// end gives the flow of the connection that was made, nil for none, with its
// exact local address. The others are closed.
func (t *attempt) end(conn net.Conn) (made *flow) {
	if conn != nil {
		made = t.registry.enter(addrPort(conn.LocalAddr()), addrPort(conn.RemoteAddr()), t.proto)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
	for _, f := range t.flows {
		if made != nil && f.remote == made.remote && f.local.port == made.local.port {
			t.registry.drop(f)
		} else {
			t.registry.close(f)
		}
	}
	return made
}

// addrPort reads the address of a TCP or UDP socket; zero for any other.
func addrPort(a net.Addr) netip.AddrPort {
	switch a := a.(type) {
	case *net.TCPAddr:
		return a.AddrPort()
	case *net.UDPAddr:
		return a.AddrPort()
	}
	return netip.AddrPort{}
}
