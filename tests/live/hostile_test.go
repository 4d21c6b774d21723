package live

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"

	"trailhound/tests/corpus"
)

// TestCorruptFrames sends what no host would, as fast as the device takes it:
// noise, headers that lie, frames that end in the middle of one. Each is counted
// by what is wrong with it, and what is sound in between is found.
func TestCorruptFrames(t *testing.T) {
	need(t)
	near, far := newSpace(t), newSpace(t)
	near.veth("v0", far, "v1", 1500)
	r := start(near, setup{interfaces: "[v0]", table: writeTable(t, builder(t, rows)), workers: 2})
	from := far.sender("v1")
	bad := corrupt(rand.New(rand.NewPCG(3, 4)), 5000)
	const rounds, between = 30, 100
	queries := 0
	for range rounds {
		for i, f := range bad {
			if from.send(f); i%between == 0 {
				from.send(query(queries))
				queries++
			}
		}
	}
	s := r.account(from.sent)
	_, dropped, _ := reckoned(&s)
	i := s.Capture.Interfaces[0]
	var sum uint64
	for _, n := range i.Decode {
		sum += n
	}
	if sum != i.Packets {
		t.Errorf("%d packets, by reason %d: %v", i.Packets, sum, i.Decode)
	}
	for _, reason := range []string{"ok", "short_link", "not_ip", "short_ip_header", "bad_ip_header", "too_many_headers", "later_fragment", "short_transport"} {
		if i.Decode[reason] < rounds && dropped == 0 {
			t.Errorf("%d frames counted as %s", i.Decode[reason], reason)
		}
	}
	last := r.end(from.sent)
	if n := uint64(len(raised(r))); n+last.KernelDrops < uint64(queries) || n > uint64(queries) {
		t.Errorf("events of %d queries of %d; %d frames dropped by the kernel", n, queries, last.KernelDrops)
	}
	t.Logf("%d frames, %d queries, %d frames dropped: %v", from.sent, queries, last.KernelDrops, i.Decode)
}

// corrupt makes n bad frames out of good ones without a trail.
func corrupt(r *rand.Rand, n int) (frames [][]byte) {
	good := []corpus.Frame{
		corpus.IP("10.0.0.1", "203.0.113.10", corpus.Data(2000, 443, "\x17\x03\x03\x00\x08whatever")).Ethernet(),
		corpus.IP("10.0.0.1", "203.0.113.10", corpus.UDP(2001, 53, corpus.Query(corpus.Ask("www.example.org")))).VLAN(7).Ethernet(),
		corpus.IP("dead::1", "dead::2", corpus.Data(2002, 80, corpus.Get("www.example.org", "/"))).Ethernet(),
		corpus.IPv6("dead::1", "dead::2", corpus.Syn(2003, 80), corpus.HopByHop(), corpus.Destination(), corpus.Destination()).Ethernet(),
		corpus.IP("10.0.0.1", "203.0.113.10", corpus.Data(2004, 443, corpus.Record(corpus.ClientHello("www.example.org")))).PPPoE(true).Ethernet(),
		corpus.IP("10.0.0.1", "203.0.113.10", corpus.ICMP(8, 0)).MPLS(16, 17).Ethernet(),
		corpus.IP("10.0.0.1", "203.0.113.10", corpus.Syn(2005, 80)).SNAP(),
		corpus.IP("10.0.0.1", "203.0.113.10", corpus.Syn(2006, 80)).MPLS(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20).Ethernet(),
	}
	for _, p := range corpus.Fragments("10.0.0.1", "203.0.113.10", corpus.UDP(2007, 9999, string(make([]byte, 100))), 24, 48) {
		good = append(good, p.Ethernet())
	}
	for len(frames) < n {
		f := append([]byte(nil), good[r.IntN(len(good))].Data...)
		switch r.IntN(4) {
		case 0: // as it is, but for its end
			f = f[:ethernetHeader+r.IntN(len(f)-ethernetHeader+1)]
		case 1: // headers lie
			for range 1 + r.IntN(4) {
				f[12+r.IntN(min(len(f)-12, 60))] ^= byte(1 + r.IntN(255))
			}
		case 2: // one field lies
			f[12+r.IntN(min(len(f)-12, 60))] = []byte{0, 1, 0x40, 0x45, 0x60, 0x7f, 0x80, 0xff}[r.IntN(8)]
		case 3: // noise, sometimes behind a header
			f = f[:12+r.IntN(len(f)-12)]
			for i := len(f); i < ethernetHeader || r.IntN(200) > 0 && i < 1500; i++ {
				f = append(f, byte(r.Uint32()))
			}
		}
		if !unstackable(f) {
			frames = append(frames, f)
		}
	}
	return frames
}

// connections is how many are opened to the status endpoint, as far as the
// limit of open files allows.
const connections = 10_000

// TestStatusUnderAttack keeps the status endpoint busy under load: connections
// that never end their request, and thousands that say nothing. The capture
// does not feel it, and afterwards the endpoint answers.
func TestStatusUnderAttack(t *testing.T) {
	need(t)
	near, far := newSpace(t), newSpace(t)
	near.veth("v0", far, "v1", 1500)
	near.IP("link set lo up")
	const address = "127.0.0.1:8339"
	r := start(near, setup{interfaces: "[v0]", table: writeTable(t, builder(t, rows)), workers: 2, extra: "status: {listen: \"" + address + "\"}"})
	dial := func(ctx context.Context) (c net.Conn, err error) {
		err = near.Inside(func() (err error) { c, err = new(net.Dialer).DialContext(ctx, "tcp", address); return err })
		return c, err
	}
	r.http.Transport = &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) }}
	r.status() // it answers
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	count := int(min(connections, limit.Cur-min(limit.Cur, 1000)))
	l := begin(far.sender("v1"), 0)
	l.more(r, 10)

	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var slow sync.WaitGroup
	stop := make(chan struct{})
	for range 100 {
		slow.Go(func() { drip(ctx, dial, stop) })
	}
	var idle []net.Conn
	if err := near.Inside(func() error {
		for range count {
			c, err := new(net.Dialer).DialContext(ctx, "tcp", address)
			if err != nil {
				return fmt.Errorf("connection %d: %w", len(idle), err)
			}
			idle = append(idle, c)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	l.more(r, 500)
	sent, asked := l.end()
	close(stop)
	slow.Wait()
	for _, c := range idle {
		c.Close()
	}
	t.Logf("%d connections, 100 at a time that are slow; %d frames", len(idle), sent)
	r.until("the endpoint answers again", func() bool {
		answer, err := r.http.Get("http://localhost/status")
		if err != nil {
			r.pausing()
			return false
		}
		defer answer.Body.Close()
		io.Copy(io.Discard, answer.Body)
		return answer.StatusCode == http.StatusOK
	})
	r.account(sent)
	last := r.end(sent)
	if last.KernelDrops > 0 {
		t.Errorf("%d frames dropped by the kernel", last.KernelDrops)
	}
	if n := uint64(len(raised(r))); n != asked-min(asked, last.KernelDrops) {
		t.Errorf("events of %d queries of %d", n, asked)
	}
}

// drip sends one request after another, each a byte at a time and never to its
// end.
func drip(ctx context.Context, dial func(context.Context) (net.Conn, error), stop <-chan struct{}) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		c, err := dial(ctx)
		if err == nil {
			_, err = io.WriteString(c, "GET /status HTTP/1.1\r\nX-Slow: ")
		}
		for err == nil {
			select {
			case <-tick.C:
				_, err = c.Write([]byte("x"))
			case <-stop:
				err = context.Canceled
			}
		}
		if c != nil {
			c.Close()
		}
		select {
		case <-stop:
			return
		case <-tick.C:
		}
	}
}
