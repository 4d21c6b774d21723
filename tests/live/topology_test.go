package live

import (
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"

	"trailhound/agent/status"
	"trailhound/tests/corpus"
)

// TestRouter: of a router only the interface to the clients is captured. What
// they ask and what they are answered are both seen: the answers leave by it.
func TestRouter(t *testing.T) {
	need(t)
	lan, router, wan := newSpace(t), newSpace(t), newSpace(t)
	router.veth("lan0", lan, "eth0", 1500)
	router.veth("wan0", wan, "eth0", 1500)
	router.IP("addr add 10.1.0.1/24 dev lan0\naddr add 203.0.113.1/24 dev wan0")
	lan.IP("addr add 10.1.0.2/24 dev eth0\nroute add default via 10.1.0.1")
	wan.IP("addr add 203.0.113.66/24 dev eth0\naddr add 203.0.113.10/24 dev eth0\nroute add default via 203.0.113.1")
	if _, err := router.Try("sysctl", "-qw", "net.ipv4.ip_forward=1"); err != nil {
		t.Fatal(err)
	}
	r := start(router, setup{interfaces: "[lan0]", table: writeTable(t, builder(t, rows))})

	flight := corpus.ServerFlight(corpus.Certificate("www.example.com"))
	resolver := answer(wan, "udp", "203.0.113.10:53", func(q string) string { return corpus.Answered(q, "203.0.113.66") })
	beacon := answer(wan, "udp", "203.0.113.66:4444", func(string) string { return "go on, then: sleep" })
	web := answer(wan, "tcp", "203.0.113.10:80", func(string) string { return "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" })
	tls := answer(wan, "tcp", "203.0.113.10:443", func(string) string { return flight })

	ask(lan, resolver, corpus.Query(corpus.Ask("www.evil-parent.com")))
	ask(lan, beacon, "who are you, and what shall I do")
	ask(lan, web, corpus.Get("evil-url.example", "/bad/path"))
	ask(lan, tls, corpus.Record(corpus.ClientHello("tls-evil.example")))

	want := []string{
		"10.1.0.2 > 203.0.113.10 (www).evil-parent.com",
		"10.1.0.2 > 203.0.113.66 203.0.113.66",                       // the question
		"203.0.113.66 > 10.1.0.2 203.0.113.66",                       // and the answer
		"203.0.113.10 > 10.1.0.2 203.0.113.66 (www.evil-parent.com)", // what an answer leads to
		"10.1.0.2 > 203.0.113.10 evil-url.example/bad/path",
		"10.1.0.2 > 203.0.113.10 tls-evil.example",
	}
	var got []string
	r.until("all events are there", func() bool {
		got = nil
		for _, f := range r.found("trail.") {
			got = append(got, fmt.Sprintf("%s > %s %s", f.src, f.dst, f.trail))
		}
		return len(got) >= len(want)
	})
	var s status.Snapshot
	// Two connections of at least SYN, data and FIN, and two questions: each way.
	r.until("both directions are counted, question and answer each", func() bool {
		s = r.status()
		r.pausing()
		if len(s.Capture.Interfaces) != 1 {
			return false
		}
		i := &s.Capture.Interfaces[0]
		return i.Host >= 8 && i.Outgoing >= 8 && i.Kinds["dns"] == 2 && i.Kinds["http"] == 2 && i.Kinds["tls"] >= 2
	})
	r.kill()
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("events\n got:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// service is an address that answers.
type service struct{ network, address string }

// answer runs a service in a namespace until the test ends.
func answer(s *space, network, address string, reply func(string) string) service {
	s.t.Helper()
	err := s.Inside(func() error {
		if network == "udp" {
			c, err := net.ListenPacket(network, address)
			if err != nil {
				return err
			}
			s.t.Cleanup(func() { c.Close() })
			go func() {
				b := make([]byte, 4096)
				for {
					n, from, err := c.ReadFrom(b)
					if err != nil {
						return
					}
					c.WriteTo([]byte(reply(string(b[:n]))), from)
				}
			}()
			return nil
		}
		l, err := net.Listen(network, address)
		if err != nil {
			return err
		}
		s.t.Cleanup(func() { l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				b := make([]byte, 4096)
				n, _ := c.Read(b)
				io.WriteString(c, reply(string(b[:n])))
				c.Close()
			}
		}()
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return service{network, address}
}

// ask sends a request in one piece and reads the answer.
func ask(s *space, to service, request string) {
	s.t.Helper()
	err := s.Inside(func() error {
		c, err := net.Dial(to.network, to.address)
		if err != nil {
			return err
		}
		defer c.Close()
		if _, err := io.WriteString(c, request); err != nil {
			return err
		}
		if n, err := c.Read(make([]byte, 4096)); err != nil || n == 0 {
			return fmt.Errorf("no answer: %w", err)
		}
		return nil
	})
	if err != nil {
		s.t.Fatalf("%s %s: %v", to.network, to.address, err)
	}
}

// TestStacksCountOnce: under "any" a frame counts once, however many devices
// stand above the one that it came by.
func TestStacksCountOnce(t *testing.T) {
	need(t)
	t.Parallel()
	const frames = 200
	for _, c := range []struct {
		name, stack string
		vlan        uint16 // 0: untagged
	}{
		{"bridge", "link add br0 type bridge mcast_snooping 0\nlink set v0 master br0\nlink set br0 up", 0},
		{"macvlan", "link add mv0 link v0 type macvlan mode bridge\nlink set mv0 up", 0},
		{"macvlan on a bridge", "link add br0 type bridge mcast_snooping 0\nlink set v0 master br0\nlink set br0 up\nlink add mv0 link br0 type macvlan mode bridge\nlink set mv0 up", 0},
		{"VLAN", "link add link v0 name v0.7 type vlan id 7\nlink set v0.7 up", 7},
		{"VLAN in a bridge", "link add link v0 name v0.7 type vlan id 7\nlink add br0 type bridge mcast_snooping 0\nlink set v0.7 master br0\nlink set v0.7 up\nlink set br0 up", 7},
		{"bond, VLAN and bridge", "link add bond0 type bond mode active-backup\nlink set v0 down\nlink set v0 master bond0\nlink set bond0 up\n" +
			"link add link bond0 name bond0.7 type vlan id 7\nlink add br0 type bridge mcast_snooping 0\nlink set bond0.7 master br0\nlink set bond0.7 up\nlink set br0 up", 7},
	} {
		t.Run(c.name, func(t *testing.T) {
			near, far := newSpace(t), newSpace(t)
			near.veth("v0", far, "v1", 1500)
			for line := range strings.Lines(c.stack) {
				if out, err := near.Try("ip", strings.Fields(line)...); err != nil {
					if strings.Contains(out, "Unknown device type") || strings.Contains(out, "not supported") {
						lacking.skip(t, "the device of ip "+strings.TrimSpace(line))
					}
					t.Fatal(err)
				}
			}
			r := start(near, setup{interfaces: "[any]", table: writeTable(t, builder(t, rows)), workers: 2})
			list := syns(frames, c.vlan)
			from := far.sender("v1")
			from.send(list...)
			r.until("all frames are seen", func() bool {
				s := r.status()
				r.pausing()
				seen, dropped, _ := reckoned(&s)
				return seen+dropped >= frames
			})
			s := r.status()
			for _, i := range s.Capture.Interfaces {
				if want := map[string]uint64{"v0": frames}[i.Name]; i.Packets != want {
					t.Errorf("%d packets at %s, want %d", i.Packets, i.Name, want)
				}
			}
			r.end(frames)
			events := r.found("trail.")
			if len(events) != frames {
				t.Errorf("%d events of %d frames", len(events), frames)
			}
			for _, e := range events {
				if e.iface != "v0" || c.vlan == 0 && e.vlan != "" || c.vlan != 0 && e.vlan != fmt.Sprint(c.vlan) {
					t.Fatalf("%+v", e)
				}
			}
		})
	}
}

// syns makes SYNs to a trail, no two from the same port, to the broadcast
// address, which every upper device takes.
func syns(n int, vlan uint16) (frames [][]byte) {
	for i := range n {
		p := corpus.IP("10.0.0.66", "66.66.66.66", corpus.Syn(uint16(10000+i), 443))
		if vlan != 0 {
			p = p.VLAN(vlan)
		}
		f := p.Ethernet().Data
		copy(f, "\xff\xff\xff\xff\xff\xff")
		frames = append(frames, f)
	}
	return frames
}

// TestTags: the tag that the kernel takes out of a frame and those that it
// leaves in stand in the event, outermost first.
func TestTags(t *testing.T) {
	need(t)
	t.Parallel()
	near, far := newSpace(t), newSpace(t)
	near.veth("v0", far, "v1", 1500)
	syn := func(port uint16) corpus.Packet { return corpus.IP("10.0.0.66", "66.66.66.66", corpus.Syn(port, 443)) }
	want := map[string]string{"1": "", "2": "7", "3": "99,8", "4": "98,9", "5": "1,2,3"}
	for _, on := range []string{"v0", "any"} {
		t.Run(on, func(t *testing.T) {
			r := start(near, setup{interfaces: "[" + on + "]", table: writeTable(t, builder(t, rows))})
			from := &sender{t: t, fd: far.sender("v1").fd}
			for _, f := range []corpus.Frame{syn(1).Ethernet(), syn(2).VLAN(7).Ethernet(), syn(3).VLAN(8).QinQ(99).Ethernet(),
				syn(4).VLAN(9).VLAN(98).Ethernet(), syn(5).VLAN(3).VLAN(2).QinQ(1).Ethernet()} {
				from.send(f.Data)
			}
			r.account(from.sent)
			r.end(from.sent)
			events := r.found("trail.")
			if len(events) != len(want) {
				t.Errorf("%d events", len(events))
			}
			for _, e := range events {
				if got := strings.NewReplacer(" ", ",", ";", ",").Replace(e.vlan); got != want[e.srcPort] {
					t.Errorf("frame %s: VLANs %q, want %q", e.srcPort, e.vlan, want[e.srcPort])
				}
			}
		})
	}
}

// TestMerged: with segmentation and receive offloads on, what passes is far
// longer than the MTU. Nothing is cut, and what a merged frame says is found.
func TestMerged(t *testing.T) {
	need(t)
	near, far := newSpace(t), newSpace(t)
	near.veth("v0", far, "v1", 1500)
	near.IP("addr add 10.9.0.1/24 dev v0")
	far.IP("addr add 10.9.0.3/24 dev v1")
	for _, end := range []struct {
		*space
		dev string
	}{{near, "v0"}, {far, "v1"}} {
		end.offloads(end.dev, "on")
	}
	r := start(near, setup{interfaces: "[v0]", table: writeTable(t, builder(t, rows)), extra: "capture: {snaplen: 256KiB, ring_total: 128MiB}"})
	const size = 32 << 20
	var l net.Listener
	if err := near.Inside(func() (err error) { l, err = net.Listen("tcp", "10.9.0.1:80"); return }); err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := make(chan int64)
	go func() {
		c, err := l.Accept()
		if err != nil {
			got <- -1
			return
		}
		defer c.Close()
		n, _ := io.Copy(io.Discard, c)
		got <- n
	}()
	request := corpus.Get("evil-url.example", "/bad/path") // at the start of the first, which is long
	if err := far.Inside(func() error {
		c, err := net.Dial("tcp", "10.9.0.1:80")
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = io.WriteString(c, request+strings.Repeat("x", size-len(request)))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if n := <-got; n != size {
		t.Fatalf("%d bytes arrived of %d", n, size)
	}
	r.until("the event is there", func() bool { return len(r.found("trail.url")) == 1 })
	var i status.Interface
	r.until("all bytes are seen", func() bool {
		s := r.status()
		r.pausing()
		if len(s.Capture.Interfaces) != 1 {
			return false
		}
		if _, dropped, _ := reckoned(&s); dropped > 0 {
			t.Fatalf("%d frames dropped", dropped)
		}
		i = s.Capture.Interfaces[0]
		return i.Bytes >= size
	})
	if i.Truncated > 0 {
		t.Errorf("%d frames cut", i.Truncated)
	}
	if long := i.Bytes / max(i.Host, 1); long < 3000 {
		t.Errorf("%d bytes per received frame: nothing was merged, this is no test", long)
	}
	r.kill()
}
