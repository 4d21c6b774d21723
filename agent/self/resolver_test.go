package self

import (
	"context"
	"errors"
	"net"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/sys/unix"
)

// TestResolver looks a name up at a server of its own: the question is of a
// flow that is known, over UDP and, when the answer is cut off, over TCP.
func TestResolver(t *testing.T) {
	r := New()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	l := listen(t, "tcp", pc.LocalAddr().String())
	answer := func(question []byte, truncated bool) []byte {
		var m dnsmessage.Message
		if err := m.Unpack(question); err != nil || len(m.Questions) != 1 {
			t.Errorf("question: %v", err)
			return nil
		}
		m.Response, m.Truncated, m.Additionals = true, truncated, nil
		if q := m.Questions[0]; q.Type == dnsmessage.TypeA && !truncated {
			m.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 1},
				Body: &dnsmessage.AResource{A: [4]byte{192, 0, 2, 9}}}}
		}
		b, err := m.Pack()
		if err != nil {
			t.Error(err)
		}
		return b
	}
	go func() {
		b := make([]byte, 4096)
		for {
			n, from, err := pc.ReadFrom(b)
			if err != nil {
				return
			}
			if !knows(r, UDP, from, pc.LocalAddr()) {
				t.Error("a question of a flow that is not known")
			}
			pc.WriteTo(answer(b[:n], true), from)
		}
	}()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if !knows(r, TCP, c.RemoteAddr(), c.LocalAddr()) {
				t.Error("a connection that is not known")
			}
			b := make([]byte, 4096)
			if n, err := c.Read(b); err == nil && n > 2 {
				a := answer(b[2:n], false)
				c.Write(append([]byte{byte(len(a) >> 8), byte(len(a))}, a...))
			}
			c.Close()
		}
	}()
	// The server's address instead of that in /etc/resolv.conf.
	d := r.Dialer(net.Dialer{})
	resolver := *r.Resolver()
	if !resolver.PreferGo || resolver.Dial == nil {
		t.Fatal("a resolver that dials for itself")
	}
	resolver.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return d.DialContext(ctx, network, pc.LocalAddr().String())
	}
	addrs, err := resolver.LookupNetIP(t.Context(), "ip4", "siem.example.")
	if err != nil || len(addrs) != 1 || addrs[0].String() != "192.0.2.9" {
		t.Errorf("%v %v", addrs, err)
	}
	// A dialer without a resolver of its own uses the registry's.
	base := net.Dialer{Resolver: &resolver}
	if _, err := r.Dialer(base).DialContext(t.Context(), "udp", "siem.example.:9"); err != nil && !errors.Is(err, unix.ENETUNREACH) {
		t.Error(err)
	}
}
