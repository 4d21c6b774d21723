// Package bench measures the sensor as a whole: the packet path over mixes of
// traffic, start, and size.
package bench

import (
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"trailhound/agent/capture"
	"trailhound/agent/detect"
	"trailhound/agent/event"
	"trailhound/agent/heuristic"
	"trailhound/agent/packet"
	"trailhound/agent/retro"
	"trailhound/tests/corpus"
	"trailhound/trails/starter"
	"trailhound/trails/table"
)

// frames reads a whole capture into memory.
func frames(b *testing.B, path string) (list []capture.Frame) {
	b.Helper()
	source, err := capture.OpenFile(path, capture.FileOptions{})
	if errors.Is(err, os.ErrNotExist) {
		b.Skipf("no %s: make bench generates it", filepath.Base(path))
	}
	if err != nil {
		b.Fatal(err)
	}
	defer source.Close()
	// One piece of memory, as the file's or the ring's is.
	var memory []byte
	var ends []int
	for {
		batch, err := source.Next()
		for _, f := range batch {
			memory = append(memory, f.Data...)
			ends = append(ends, len(memory))
			list = append(list, f)
		}
		if err == io.EOF {
			for i, start := 0, 0; i < len(list); i++ {
				list[i].Data = memory[start:ends[i]:ends[i]]
				start = ends[i]
			}
			return list
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

func openTable(b *testing.B) *table.Table {
	b.Helper()
	path := os.Getenv("TRAILHOUND_BENCH_TABLE")
	if path == "" {
		b.Skip("TRAILHOUND_BENCH_TABLE names no trail table")
	}
	t, err := table.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { t.Close() })
	return t
}

func rules(t *table.Table, noCaches bool) *detect.Rules {
	return detect.NewRules(t, starter.Whitelist(), detect.Options{Heuristics: true, NoCaches: noCaches, HostDomains: true, Redact: true,
		Home: event.NewHomeNetworks([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.168.0.0/16")}), UserAgents: starter.UserAgents()})
}

// kindOf names the kind of a frame for the table by kind.
func kindOf(f *capture.Frame) string {
	var d packet.Decoder
	var p packet.Packet
	if d.Decode(f.Link, f.Data, &p) != packet.OK {
		return "undecoded"
	}
	b := p.Payload
	switch {
	case p.Proto == packet.ProtoTCP && p.Flags&0x3f == packet.FlagSYN:
		return "syn"
	case p.Proto == packet.ProtoTCP && len(b) == 0:
		return "ack"
	case p.Proto == packet.ProtoTCP && len(b) > 5 && b[0] == 0x16 && b[1] == 3:
		return "hello"
	case p.Proto == packet.ProtoTCP && len(b) > 5 && b[0] == 0x17:
		return "bulk"
	case p.Proto == packet.ProtoTCP && string(b[:4]) == "HTTP":
		return "response"
	case p.Proto == packet.ProtoTCP:
		return "request"
	case p.Proto == packet.ProtoUDP && p.DstPort == 53:
		return "query"
	case p.Proto == packet.ProtoUDP && p.SrcPort == 53:
		return "answer"
	case p.Proto == packet.ProtoUDP:
		return "udp"
	}
	return "icmp"
}

// ahead is how far the replay's loop looks ahead.
const ahead = 8

// judged is a worker whose evidence a board judges on the same goroutine, so that
// the heuristics over time are measured, too.
func judged(r *detect.Rules) *detect.Worker {
	w := detect.NewWorker(r)
	w.Emit = func(event.Event) {}
	board := heuristic.NewBoard(r.Board())
	board.SetRaise(func(*heuristic.Finding) {})
	w.Evidence = heuristic.NewCollector(r.Board().Seed, func(b *heuristic.Batch) *heuristic.Batch {
		board.TakeAll(b)
		b.Reset()
		return b
	})
	return w
}

// served is a worker with all that the service gives one: it listens for answers and
// takes notes for trails to come. What comes of that is dropped, as the gate takes
// it on a core of its own.
func served(r *detect.Rules) *detect.Worker {
	w := judged(r)
	w.Answer, w.Await = func(event.Answer) {}, time.Minute
	w.Notes = retro.NewNotebook(func(b *retro.Batch) *retro.Batch {
		b.Reset()
		return b
	})
	return w
}

// BenchmarkFlood is a SYN flood: a million invented sources a second of packet
// time, each with one packet, to many ports of one host.
func BenchmarkFlood(b *testing.B) {
	w := served(rules(openTable(b), false))
	frame := corpus.IP("198.51.100.1", "203.0.113.7", corpus.Syn(1, 2)).Ethernet()
	at := time.Unix(1_700_000_000, 0)
	random := rand.New(rand.NewPCG(1, 2))
	b.ReportAllocs()
	for i := range b.N {
		binary.BigEndian.PutUint32(frame.Data[26:], random.Uint32())
		binary.BigEndian.PutUint16(frame.Data[36:], uint16(i))
		w.Frame(packet.LinkType(frame.Link), frame.Data, at.Add(time.Duration(i)*time.Microsecond), 0)
	}
}

// BenchmarkRequest is one HTTP request with twelve headers and a cookie, with
// all categories on; cold is without what is remembered of names and agents.
func BenchmarkRequest(b *testing.B) {
	t := openTable(b)
	payload := corpus.Request("GET", "/shop/items/index.php?category=17&sort=price&page=3&session=5f3a9c0e77", []string{"Host: www.shop.example",
		"User-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
		"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8", "Accept-Language: en-US,en;q=0.5",
		"Accept-Encoding: gzip, deflate, br", "Referer: http://www.shop.example/shop/", "Connection: keep-alive", "Upgrade-Insecure-Requests: 1",
		"Sec-Fetch-Dest: document", "Sec-Fetch-Mode: navigate", "Cache-Control: max-age=0",
		"Cookie: session=5f3a9c0e77aa41b2; theme=dark; cart=17%2C18%2C19; _ga=GA1.2.1234567890.1700000000"}, "")
	frame := corpus.IP("10.0.0.5", "203.0.113.7", corpus.TCP(50000, 80, corpus.PSH|corpus.ACK, payload)).Ethernet()
	for _, noCaches := range []bool{false, true} {
		b.Run(map[bool]string{false: "warm", true: "cold"}[noCaches], func(b *testing.B) {
			w := judged(rules(t, noCaches))
			at := time.Unix(1_700_000_000, 0)
			w.Frame(packet.LinkType(frame.Link), frame.Data, at, 0)
			b.ReportAllocs()
			for b.Loop() {
				w.Frame(packet.LinkType(frame.Link), frame.Data, at, 0)
			}
		})
	}
}

// later moves the times of all frames on, and gives how long that took: a capture
// that is played again goes on, it does not jump back.
func later(list []capture.Frame, by time.Duration) time.Duration {
	start := time.Now()
	for i := range list {
		list[i].Time = list[i].Time.Add(by)
	}
	return time.Since(start)
}

// BenchmarkPacket is the packet path in memory: decode, match, and judge the
// evidence. Warm is the order of the mix; cold shuffles the packets and looks up
// every name and user agent anew; service is warm with all that the service does
// besides.
func BenchmarkPacket(b *testing.B) {
	t := openTable(b)
	for _, mix := range []string{"reference", "office"} {
		all := frames(b, filepath.Join(os.Getenv("TRAILHOUND_BENCH_DIR"), mix+".pcap"))
		run := func(name string, list []capture.Frame, worker func(*detect.Rules) *detect.Worker, noCaches bool) {
			b.Run(mix+"/"+name, func(b *testing.B) {
				w := worker(rules(t, noCaches))
				round := time.Duration(0) // what time moves on by each time round
				for i := range list {
					round = max(round, list[i].Time.Sub(list[0].Time))
				}
				round = round.Truncate(time.Second) + time.Second
				for i := range list { // what happens once: compiling the user agents, growing buffers
					w.Frame(list[i].Link, list[i].Data, list[i].Time, list[i].Number)
				}
				b.ReportAllocs()
				b.ResetTimer()
				// No modulo here: two divisions would be a tenth of what is measured.
				at, next := 0, ahead%len(list)
				aside := later(list, round)
				for range b.N {
					f := &list[at]
					packet.Prefetch(list[next].Data)
					w.Frame(f.Link, f.Data, f.Time, f.Number)
					if at++; at == len(list) {
						at = 0
						aside += later(list, round)
					}
					if next++; next == len(list) {
						next = 0
					}
				}
				// To stop the timer each time round would stop the world, too.
				b.ReportMetric(float64(b.Elapsed()-aside)/float64(b.N), "ns/op")
			})
		}
		run("warm", all, judged, false)
		run("warm/service", all, served, false)
		shuffled := append([]capture.Frame(nil), all...)
		rand.New(rand.NewPCG(1, 1)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		for i := range shuffled { // packets of another order, not a clock that jumps
			shuffled[i].Time = all[i].Time
		}
		run("cold", shuffled, judged, true)
		kinds := make(map[string][]capture.Frame)
		for i := range all {
			k := kindOf(&all[i])
			kinds[k] = append(kinds[k], all[i])
		}
		for _, k := range []string{"bulk", "ack", "syn", "query", "answer", "hello", "request", "response", "udp", "icmp"} {
			if len(kinds[k]) > 0 {
				run("warm/"+k, kinds[k], judged, false)
				run("cold/"+k, kinds[k], judged, true)
			}
		}
	}
}

// BenchmarkOpen is opening a table and preparing to match.
func BenchmarkOpen(b *testing.B) {
	openTable(b)
	path := os.Getenv("TRAILHOUND_BENCH_TABLE")
	for b.Loop() {
		t, err := table.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		rules(t, false)
		t.Close()
	}
}
