package live

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"trailhound/agent/status"
	"trailhound/tests/corpus"
)

// bout is what somebody does that only many packets together show.
type bout struct {
	name   string
	frames [][]byte
	want   string // the one event of it: its code, and finding.key; empty: none
}

// series makes the frames of a bout.
func series(n int, of func(i int) corpus.Packet) (frames [][]byte) {
	for i := range n {
		frames = append(frames, of(i).Ethernet().Data)
	}
	return frames
}

// bouts are what each heuristic over time is about, well beyond its limit; and,
// from others, as much of it as is just within.
func bouts() []bout {
	ports := func(src, dst string, n int) [][]byte {
		return series(n, func(i int) corpus.Packet { return corpus.IP(src, dst, corpus.Syn(40000, uint16(1000+i))) })
	}
	datagrams := func(src, dst string, n int) [][]byte {
		return series(n, func(i int) corpus.Packet { return corpus.IP(src, dst, corpus.UDP(40000, uint16(1000+i), "probe")) })
	}
	sweep := func(src string, hosts int) [][]byte {
		return series(hosts, func(i int) corpus.Packet {
			return corpus.IP(src, fmt.Sprintf("192.0.2.%d", i), corpus.Syn(uint16(53000+i), 445))
		})
	}
	// The questions go to several resolvers, so that several workers see them.
	tunnel := func(base string, n int) [][]byte {
		return series(n, func(i int) corpus.Packet {
			return corpus.IP("10.0.0.7", fmt.Sprintf("198.51.100.%d", 50+i%7), corpus.UDP(uint16(50000+i), 53, corpus.Query(corpus.Ask(fmt.Sprintf("a%d.%s", i, base)))))
		})
	}
	missing := func(name func(i int) string, n int) [][]byte {
		return series(n, func(i int) corpus.Packet {
			return corpus.IP("198.51.100.53", "10.0.0.8", corpus.UDP(53, uint16(51000+i), corpus.Reply(3, corpus.Query(corpus.Ask(name(i))))))
		})
	}
	is := func(name string) func(int) string { return func(int) string { return name } }
	below := func(base string) func(int) string {
		return func(i int) string { return fmt.Sprintf("%c.%s", 'a'+i, base) }
	}
	paths := func(src, dst string, n int) [][]byte {
		return series(n, func(i int) corpus.Packet {
			return corpus.IP(src, dst, corpus.Data(52000, 80, corpus.Get("shop.example", fmt.Sprintf("/dir%d/index", i))))
		})
	}
	raises := func(code string, f finding, info string) string {
		f.info, f.reference = info, "(heuristic)"
		return code + " " + f.key()
	}
	return []bout{
		{"a port scan", ports("203.0.113.9", "198.51.100.7", 40), raises("scan.port",
			finding{src: "203.0.113.9", srcPort: "40000", dst: "198.51.100.7", dstPort: "1000", protocol: "TCP", typ: "IP", trail: "203.0.113.9"}, "potential port scanning")},
		{"ten ports", ports("203.0.113.19", "198.51.100.7", 10), ""},
		{"a scan by datagrams", datagrams("203.0.113.29", "198.51.100.7", 40), raises("scan.udp",
			finding{src: "203.0.113.29", srcPort: "40000", dst: "198.51.100.7", dstPort: "1000", protocol: "UDP", typ: "IP", trail: "203.0.113.29"}, "potential udp scanning")},
		{"ten of them", datagrams("203.0.113.39", "198.51.100.7", 10), ""},
		{"a sweep for shares", sweep("10.0.0.5", 100), raises("scan.infection",
			finding{src: "10.0.0.5", srcPort: "53000", dst: "192.0.2.0", dstPort: "445", protocol: "TCP", typ: "PORT", trail: "445"}, "potential infection")},
		{"32 of them", sweep("10.0.0.6", 32), ""},
		{"a tunnel in names", tunnel("tunnel.com", 1500), raises("dns.exhaustion",
			finding{src: "10.0.0.7", srcPort: "51000", dst: "198.51.100.56", dstPort: "53", protocol: "UDP", typ: "DNS", trail: "(a1000).tunnel.com"}, "potential dns exhaustion (suspicious)")},
		{"a thousand names", tunnel("crowd.com", 1000), ""},
		{"a name that does not exist", missing(is("gone.com"), 40), raises("dns.nxdomain",
			finding{src: "198.51.100.53", srcPort: "53", dst: "10.0.0.8", dstPort: "51020", protocol: "UDP", typ: "DNS", trail: "gone.com"}, "excessive no such domain (suspicious)")},
		{"twenty answers", missing(is("away.com"), 20), ""},
		{"names that do not exist", missing(below("lost.com"), 26), raises("dns.nxdomain",
			finding{src: "198.51.100.53", srcPort: "53", dst: "10.0.0.8", dstPort: "51020", protocol: "UDP", typ: "DNS",
				trail: "(b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u).lost.com"}, "excessive no such domain (suspicious)")},
		{"twenty names", missing(below("left.com"), 20), ""},
		{"a scan of paths", paths("203.0.113.9", "198.51.100.8", 40), raises("scan.web",
			finding{src: "203.0.113.9", srcPort: "52000", dst: "198.51.100.8", dstPort: "80", protocol: "TCP", typ: "PATH", trail: "*"}, "potential web scanning")},
		{"ten paths", paths("203.0.113.19", "198.51.100.8", 10), ""},
	}
}

// mixed takes a frame of each in turn, as long as there are some.
func mixed(all []bout) (frames [][]byte) {
	for i, some := 0, true; some; i++ {
		some = false
		for _, b := range all {
			if i < len(b.frames) {
				frames, some = append(frames, b.frames[i]), true
			}
		}
	}
	return frames
}

// told gives the events about traffic, each with its code, sorted.
func told(list []finding) (lines []string) {
	for i := range list {
		if f := &list[i]; !strings.HasPrefix(f.code, "health.") {
			lines = append(lines, f.code+" "+f.key())
		}
	}
	slices.Sort(lines)
	return lines
}

// TestHeuristics: what only many packets together show is told once, of all who
// do it at the same time and of nobody else, whatever the number of workers; and
// a replay of the same frames tells the same.
func TestHeuristics(t *testing.T) {
	need(t)
	t.Parallel()
	all := bouts()
	frames := mixed(all)
	var want []string
	for _, b := range all {
		if b.want != "" {
			want = append(want, b.want)
		}
	}
	slices.Sort(want)
	table := writeTable(t, builder(t, rows))
	same := func(t *testing.T, what string, got []string) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s\n got:\n  %s\nwant:\n  %s", what, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
		}
	}
	same(t, "replay", told(replayedEvents(t, table, frames, time.Millisecond)))
	for _, workers := range []int{1, 4} {
		t.Run(fmt.Sprintf("%d workers", workers), func(t *testing.T) {
			near, far := newSpace(t), newSpace(t)
			near.veth("v0", far, "v1", 1500)
			r := start(near, setup{interfaces: "[v0]", table: table, workers: workers})
			from := far.sender("v1")
			from.send(frames...)
			shown := r.account(from.sent)
			r.end(from.sent)
			same(t, "live", told(r.found("")))
			if busy := slices.DeleteFunc(shown.Capture.Workers, func(w status.Worker) bool { return w.Packets == 0 }); len(busy) != workers {
				t.Errorf("%d of %d workers had a frame", len(busy), workers)
			}
			for _, e := range r.found("") {
				if !strings.HasPrefix(e.code, "health.") && e.iface != "v0" {
					t.Errorf("%+v", e)
				}
			}
		})
	}
}
