// Package self knows the sensor's own flows, so that no event is born of an
// event: a delivered event is full of the very names and URLs that trails list,
// and where it is sent in clear text the sensor sees it go by.
//
// A flow is known by its exact local and remote address and port. It is entered
// before its first packet leaves, because the receiver's address may itself be
// a trail: Dialer binds the local port first, enters it, and only then connects.
// After it is closed it stays for a while, for packets that still lie in a ring.
//
// What is rewritten on the host, by network address translation or a proxy, and
// then captured a second time is another flow, and is not known.
package self

import (
	"encoding/binary"
	"hash/maphash"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// MaxFlows bounds the flows of a Registry. When it is reached, those closed
	// first are forgotten first, then those opened first.
	MaxFlows = 1 << 16
	// Linger is how long a flow is known after it was closed.
	Linger = 2 * time.Minute
)

// Protocol numbers (IANA): those that have ports and that the sensor speaks.
const (
	TCP uint8 = 6
	UDP uint8 = 17
)

// buckets of the table of flows. A sensor has some ten flows; at MaxFlows a
// chain is sixteen long.
const buckets = 1 << 12

// A Registry holds the flows of this process. All methods are safe for
// concurrent use. Own takes no lock and never waits.
type Registry struct {
	seed     maphash.Seed
	start    time.Time
	resolver *net.Resolver
	table    [buckets]atomic.Pointer[flow]

	mu           sync.Mutex
	open, closed list // under mu
}

// New makes an empty Registry.
func New() *Registry {
	r := &Registry{seed: maphash.MakeSeed(), start: time.Now()}
	r.open.init()
	r.closed.init()
	r.resolver = &net.Resolver{PreferGo: true, Dial: r.Dialer(net.Dialer{}).DialContext}
	return r
}

// Resolver looks up names over connections that are known here. It reads
// /etc/resolv.conf itself, since the C library would open sockets of its own.
func (r *Registry) Resolver() *net.Resolver { return r.resolver }

// end is one end of a flow in a form that compares: IPv4 as IPv4-mapped IPv6,
// without a zone, which no packet carries.
type end struct {
	addr [16]byte
	port uint16
}

func endOf(a netip.Addr, port uint16) end { return end{a.As16(), port} }

// unspecified says whether a is one of the two addresses that mean: any.
func unspecified(a netip.Addr) bool { return !a.IsValid() || a.Unmap().IsUnspecified() }

// flow is an entry of the table. Readers follow next; all that they read never
// changes, or is atomic.
type flow struct {
	local  end // address zero: any of this host's
	remote end
	proto  uint8
	slot   *atomic.Pointer[flow]
	next   atomic.Pointer[flow]
	until  atomic.Int64 // nanoseconds from the start of the registry; 0: while it is open

	list         *list // under mu: where it is; nil: forgotten
	older, newer *flow // under mu
}

// slot is the start of the chain that a flow is in. The local address is no
// part of the hash: it is not known before connect(2).
func (r *Registry) slot(proto uint8, localPort uint16, remote *end) *atomic.Pointer[flow] {
	var b [21]byte
	b[0] = proto
	binary.NativeEndian.PutUint16(b[1:], localPort)
	binary.NativeEndian.PutUint16(b[3:], remote.port)
	copy(b[5:], remote.addr[:])
	return &r.table[maphash.Bytes(r.seed, b[:])%buckets]
}

// Own says whether a packet between these ends, in either direction, is of one
// of the sensor's own flows. It does not allocate.
func (r *Registry) Own(proto uint8, src netip.Addr, srcPort uint16, dst netip.Addr, dstPort uint16) bool {
	a, b := endOf(src, srcPort), endOf(dst, dstPort)
	return r.has(proto, &a, &b) || r.has(proto, &b, &a)
}

func (r *Registry) has(proto uint8, local, remote *end) bool {
	for f := r.slot(proto, local.port, remote).Load(); f != nil; f = f.next.Load() {
		if f.proto != proto || f.remote != *remote || f.local.port != local.port {
			continue
		}
		if f.local.addr != local.addr && f.local.addr != ([16]byte{}) {
			continue
		}
		if until := f.until.Load(); until == 0 || r.now() < until {
			return true
		}
	}
	return false
}

// now is never 0, which is the mark of an open flow.
func (r *Registry) now() int64 { return int64(time.Since(r.start)) + 1 }

// Add enters a flow that no Dialer opened: a datagram socket that is not
// connected, or an accepted connection. An unspecified local address stands for
// every address of this host; ports and the remote address must be given, else
// nothing is entered. Remove says that the flow is closed; it may be called
// more than once.
func (r *Registry) Add(local, remote netip.AddrPort, proto uint8) (remove func()) {
	f := r.enter(local, remote, proto)
	return func() { r.close(f) }
}

// enter gives nil for what is no flow.
func (r *Registry) enter(local, remote netip.AddrPort, proto uint8) *flow {
	if unspecified(remote.Addr()) || remote.Port() == 0 || local.Port() == 0 {
		return nil
	}
	f := &flow{local: endOf(local.Addr(), local.Port()), remote: endOf(remote.Addr(), remote.Port()), proto: proto}
	if unspecified(local.Addr()) {
		f.local.addr = [16]byte{}
	}
	f.slot = r.slot(proto, f.local.port, &f.remote)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.expire()
	if r.open.n+r.closed.n >= MaxFlows {
		if r.closed.n > 0 {
			r.forget(r.closed.first())
		} else {
			r.forget(r.open.first())
		}
	}
	r.open.push(f)
	f.next.Store(f.slot.Load())
	f.slot.Store(f)
	return f
}

// close starts the time that a flow is still known.
func (r *Registry) close(f *flow) {
	if f == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if f.list == &r.open {
		f.until.Store(r.now() + int64(Linger))
		r.open.remove(f)
		r.closed.push(f)
	}
	r.expire()
}

// drop forgets a flow at once: another entry stands for it.
func (r *Registry) drop(f *flow) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if f.list != nil {
		r.forget(f)
	}
}

// expire forgets what has been closed for long enough. It is called whenever a
// flow comes or goes, so that nothing has to run in between: Own looks at the
// time itself.
func (r *Registry) expire() {
	for now := r.now(); r.closed.n > 0 && r.closed.first().until.Load() <= now; {
		r.forget(r.closed.first())
	}
}

// forget takes a flow out of the table. A reader that stands on it goes on to
// the same rest of the chain: flows are only ever put in front.
func (r *Registry) forget(f *flow) {
	f.list.remove(f)
	at := f.slot
	for g := at.Load(); g != f; g = at.Load() {
		at = &g.next
	}
	at.Store(f.next.Load())
}

// Len is the number of flows that are open, and that are closed and still
// known.
func (r *Registry) Len() (open, closed int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.expire()
	return r.open.n, r.closed.n
}
