package status

import (
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Bounds of a listener that is full.
const (
	// grace is for how long a connection must have kept the server waiting
	// before it gives way: longer than a request lags behind its connection.
	grace = 50 * time.Millisecond
	// lookAgain is when one that waits for room looks for it again.
	lookAgain = time.Millisecond
	// evictTell is the least time between two lines of the log about it.
	evictTell = time.Minute
)

// limited is a listener that holds a number of connections, and a smaller one of
// each address. When there is no room the newest gets in and an old one that
// keeps the server waiting is closed: who holds connections without asking shuts
// nobody out, and neither does who asks and does not read the answer.
type limited struct {
	net.Listener
	log *slog.Logger

	mu      sync.Mutex
	held    []*slotted // in the order in which they came
	evicted uint64
	told    time.Time // when the log was told last
	unsaid  uint64    // evictions since then
}

func newLimited(l net.Listener, log *slog.Logger) *limited { return &limited{Listener: l, log: log} }

func (l *limited) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	s := &slotted{Conn: c, from: source(c.RemoteAddr())}
	s.free = sync.OnceFunc(func() { l.drop(s) })
	// Nobody is kept waiting for long: every connection that is held ends soon or
	// keeps the server waiting.
	out, ok := l.admit(s)
	for !ok {
		time.Sleep(lookAgain)
		out, ok = l.admit(s)
	}
	if out != nil {
		out.Close()
	}
	return s, nil
}

// admit gives a connection its place, if there is one, and the connection that
// gives way for it, if any.
func (l *limited) admit(s *slotted) (out *slotted, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if out, ok = l.surplus(s.from, now); !ok {
		return nil, false
	}
	if out != nil {
		l.remove(out)
		l.evicted++
		if l.unsaid++; l.told.IsZero() || now.Sub(l.told) >= evictTell {
			l.log.Warn("too many connections to the status endpoint: the oldest give way", "closed", l.unsaid, "one_from", out.RemoteAddr().String(),
				"most", MaxConnections, "most_per_address", MaxPerAddress)
			l.told, l.unsaid = now, 0
		}
	}
	l.held = append(l.held, s)
	return out, true
}

// surplus is the connection that has to go before another one comes from an
// address; nil: there is room, or, not ok, none can go yet. Of those that can go
// it is the oldest that has not asked, else the oldest.
func (l *limited) surplus(from netip.Prefix, now time.Time) (oldest *slotted, ok bool) {
	same := 0
	for _, s := range l.held {
		if from.IsValid() && s.from == from {
			same++
		}
	}
	crowded := same >= MaxPerAddress
	if !crowded && len(l.held) < MaxConnections {
		return nil, true
	}
	for _, s := range l.held {
		if crowded && s.from != from || !s.idle(now) {
			continue
		}
		if !s.asked.Load() {
			return s, true
		}
		if oldest == nil {
			oldest = s
		}
	}
	return oldest, oldest != nil
}

func (l *limited) drop(s *slotted) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.remove(s)
}

// remove takes a connection out of those held, if it is still one of them. l.mu
// is held.
func (l *limited) remove(s *slotted) {
	for i := range l.held {
		if l.held[i] == s {
			l.held = append(l.held[:i], l.held[i+1:]...)
			return
		}
	}
}

// counts are the connections that are held, and those that gave way so far.
func (l *limited) counts() (held, evicted uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return uint64(len(l.held)), l.evicted
}

// source is what counts as one address: of IPv6 the network, in which a host
// has as many as it likes. Peers of a unix socket have none.
func source(a net.Addr) netip.Prefix {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Prefix{}
	}
	ip := tcp.AddrPort().Addr().Unmap().WithZone("")
	bits := 64
	if ip.Is4() {
		bits = 32
	}
	p, _ := ip.Prefix(bits) // an address that is none gives none
	return p
}
