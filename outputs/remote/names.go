package remote

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// lookupTime bounds one look-up: the DNS must not eat the time of a connect when
// an address is known.
const lookupTime = 5 * time.Second

// maxAddresses bounds what is kept of an answer.
const maxAddresses = 32

// names finds addresses of names, and keeps the last good ones for the time in
// which the DNS does not answer. All methods are safe for concurrent use.
type names struct {
	resolver *net.Resolver
	refresh  time.Duration

	mu    sync.Mutex
	known map[string]*known
}

type known struct {
	addrs []netip.Addr
	when  time.Time // of the last look-up that was tried
}

// lookup gives the addresses of a host: an IP address is its own. They are
// looked up when that was not done for the time of refresh; if it fails, the
// last good ones stand.
func (n *names) lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	n.mu.Lock()
	if k := n.known[host]; k != nil && len(k.addrs) > 0 && time.Since(k.when) < n.refresh {
		defer n.mu.Unlock()
		return k.addrs, nil
	}
	n.mu.Unlock()
	return n.ask(ctx, host)
}

// ask is lookup with a question to the DNS in any case.
func (n *names) ask(ctx context.Context, host string) ([]netip.Addr, error) {
	ctx, done := context.WithTimeout(ctx, lookupTime)
	defer done()
	addrs, err := n.resolver.LookupNetIP(ctx, "ip", host)
	for i := range addrs {
		addrs[i] = addrs[i].Unmap()
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	k := n.known[host]
	if k == nil {
		k = &known{}
		n.known[host] = k
	}
	if err != nil || len(addrs) == 0 {
		if len(k.addrs) > 0 {
			k.when = time.Now() // not again at once
			return k.addrs, nil
		}
		return nil, err
	}
	// Both resolvers of package net sort by RFC 6724; the one that worked last
	// stays in front, so that a dead one costs its time once.
	if len(k.addrs) > 0 {
		if i := slices.Index(addrs, k.addrs[0]); i > 0 {
			a := addrs[i]
			copy(addrs[1:], addrs[:i])
			addrs[0] = a
		}
	}
	k.addrs, k.when = addrs[:min(len(addrs), maxAddresses)], time.Now()
	return k.addrs, nil
}

// worked puts an address in front of its host's others.
func (n *names) worked(host string, a netip.Addr) {
	n.mu.Lock()
	defer n.mu.Unlock()
	k := n.known[host]
	if k == nil {
		return
	}
	if i := slices.Index(k.addrs, a); i > 0 {
		// Others may be reading the list.
		k.addrs = slices.Clone(k.addrs)
		copy(k.addrs[1:], k.addrs[:i])
		k.addrs[0] = a
	}
}
