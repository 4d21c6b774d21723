package journal

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"trailhound/agent/event"
	"trailhound/trails"
)

// trailEvents makes n events as a DNS trail gives them.
func trailEvents(n int) []event.Event {
	list := make([]event.Event, n)
	for i := range list {
		list[i] = event.Event{
			ID: event.NewID(time.Unix(1_771_234_567, 0)), Time: time.UnixMicro(1771234567004200).UTC(), Type: event.DNS, Code: event.TrailDNS, Severity: event.High,
			Confidence: 90, Direction: event.Outbound, Kind: trails.Domain,
			Observable: "cdn.bad-domain.test", Indicator: "bad-domain.test", Trail: "(cdn).bad-domain.test",
			Info: "lumma (malware)", Reference: "(static)",
			Sources: []trails.Source{{Name: "malware/lumma.txt", URLs: []string{"https://blog.test/lumma"}}},
			Src:     netip.MustParseAddr("192.0.2.10"), SrcPort: 51514, Dst: netip.MustParseAddr("198.51.100.53"), DstPort: 53, Protocol: "UDP",
			Application: "dns", DNS: event.DNSFacts{Question: "cdn.bad-domain.test", Type: 1, Class: 1},
			Interface: "eth0", Aggregate: event.Aggregate{ID: [16]byte{5}, Count: 1},
		}
	}
	return list
}

func benchAppend(b *testing.B, batch int, sync Sync) {
	j := Open(Options{Path: b.TempDir(), MaxSize: 256 << 20, MinFree: -1, Sync: sync})
	list := trailEvents(batch)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		j.Append(list)
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)*float64(batch)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(batch), "ns/event")
	if s := j.State(); s.Degraded != nil {
		b.Fatal(s.Degraded)
	}
	if err := j.Close(); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkAppend256Sync1s(b *testing.B)    { benchAppend(b, 256, Interval(time.Second)) }
func BenchmarkAppend256SyncNever(b *testing.B) { benchAppend(b, 256, Never()) }
func BenchmarkAppend1Sync1s(b *testing.B)      { benchAppend(b, 1, Interval(time.Second)) }
func BenchmarkAppend256Always(b *testing.B)    { benchAppend(b, 256, Always()) }

// BenchmarkRead reads, decodes and acknowledges batches of 256 from a backlog
// on disk.
func BenchmarkRead256(b *testing.B) {
	const backlog = 200_000
	j := Open(Options{Path: b.TempDir(), MaxSize: 256 << 20, MinFree: -1, Sync: Never()})
	defer j.Close()
	list := trailEvents(256)
	c, err := j.Cursor("out", CursorOptions{})
	if err != nil {
		b.Fatal(err)
	}
	for n := 0; n < backlog; n += len(list) {
		j.Append(list)
	}
	ctx := context.Background()
	events := 0
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		if c.State().Pending == 0 {
			b.StopTimer()
			for n := 0; n < backlog; n += len(list) {
				j.Append(list)
			}
			b.StartTimer()
		}
		batch, _, err := c.Read(ctx, 256, 0)
		if err != nil {
			b.Fatal(err)
		}
		c.Advance(batch[len(batch)-1].Seq, Sums{Delivered: uint64(len(batch))})
		events += len(batch)
	}
	b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(events), "ns/event")
}
