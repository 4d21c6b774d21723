// Package bench measures the sensor as a whole: the packet path over mixes of
// traffic, start, and size.
package bench

import (
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"trailhound/agent/capture"
	"trailhound/agent/detect"
	"trailhound/agent/event"
	"trailhound/agent/packet"
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
		Home: event.NewHomeNetworks(nil), UserAgents: starter.UserAgents()})
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

// BenchmarkPacket is the packet path in memory: decode and match. Warm is the
// order of the mix; cold shuffles the packets and looks up every name and user
// agent anew.
func BenchmarkPacket(b *testing.B) {
	t := openTable(b)
	for _, mix := range []string{"reference", "office"} {
		all := frames(b, filepath.Join(os.Getenv("TRAILHOUND_BENCH_DIR"), mix+".pcap"))
		run := func(name string, list []capture.Frame, noCaches bool) {
			b.Run(mix+"/"+name, func(b *testing.B) {
				w := detect.NewWorker(rules(t, noCaches))
				w.Emit = func(event.Event) {}
				for i := range list { // what happens once: compiling the user agents, growing buffers
					w.Frame(list[i].Link, list[i].Data, list[i].Time, list[i].Number)
				}
				b.ReportAllocs()
				b.ResetTimer()
				// No modulo here: two divisions would be a tenth of what is measured.
				at, next := 0, ahead%len(list)
				for range b.N {
					f := &list[at]
					packet.Prefetch(list[next].Data)
					w.Frame(f.Link, f.Data, f.Time, f.Number)
					if at++; at == len(list) {
						at = 0
					}
					if next++; next == len(list) {
						next = 0
					}
				}
			})
		}
		run("warm", all, false)
		shuffled := append([]capture.Frame(nil), all...)
		rand.New(rand.NewPCG(1, 1)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		run("cold", shuffled, true)
		kinds := make(map[string][]capture.Frame)
		for i := range all {
			k := kindOf(&all[i])
			kinds[k] = append(kinds[k], all[i])
		}
		for _, k := range []string{"bulk", "ack", "syn", "query", "answer", "hello", "request", "response", "udp", "icmp"} {
			if len(kinds[k]) > 0 {
				run("warm/"+k, kinds[k], false)
				run("cold/"+k, kinds[k], true)
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
