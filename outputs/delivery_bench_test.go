package outputs

import (
	"bytes"
	"context"
	"net/netip"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"testing"
	"time"

	"trailhound/agent/event"
	"trailhound/outputs/journal"
)

// null is an output that takes everything at once.
type null struct{ taken int }

func (n *null) Send(_ context.Context, batch []event.Event) (Result, error) {
	n.taken += len(batch)
	return AllDelivered(len(batch)), nil
}
func (*null) Check(context.Context) error { return nil }
func (*null) Limits() Limits              { return Limits{} }
func (*null) Guarantee() Guarantee        { return Acknowledged }
func (*null) Close() error                { return nil }

// journalled makes n events as a DNS trail gives them.
func journalled(n int) []event.Event {
	list := make([]event.Event, n)
	now := time.Unix(1_771_234_567, 0).UTC()
	for i := range list {
		list[i] = event.Event{ID: event.NewID(now), Time: now, Type: event.DNS, Code: event.TrailDNS, Severity: event.High, Confidence: 90,
			Direction: event.Outbound, Observable: "cdn.bad-domain.test", Indicator: "bad-domain.test", Trail: "(cdn).bad-domain.test",
			Info: "lumma (malware)", Reference: "(static)", Src: netip.MustParseAddr("192.0.2.10"), SrcPort: 51514,
			Dst: netip.MustParseAddr("198.51.100.53"), DstPort: 53, Protocol: "UDP", Application: "dns",
			DNS: event.DNSFacts{Question: "cdn.bad-domain.test", Type: 1, Class: 1}, Interface: "eth0", Aggregate: event.Aggregate{ID: [16]byte{5}, Count: 1}}
	}
	return list
}

// cpuTime is what this process has used, in user and kernel, to 10 ms (proc(5)).
func cpuTime(tb testing.TB) time.Duration {
	tb.Helper()
	text, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		tb.Skip(err)
	}
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	var ticks int64
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(string(f), 10, 64)
		if err != nil {
			tb.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / 100
}

func openBench(tb testing.TB, size int64) (*journal.Journal, *journal.Cursor) {
	tb.Helper()
	j := journal.Open(journal.Options{Path: tb.TempDir(), MaxSize: size, MinFree: -1})
	if err := j.State().Degraded; err != nil {
		tb.Fatal(err)
	}
	c, err := j.Cursor("null", journal.CursorOptions{FromStart: true})
	if err != nil {
		tb.Fatal(err)
	}
	return j, c
}

// BenchmarkDelivery is the whole way of an event: append in batches of 256,
// journal on disk, cursor, loop, an output that takes it. Once while events
// come, once from a backlog; CPU is that of both sides and of the collector.
func BenchmarkDelivery(b *testing.B) {
	for _, backlog := range []bool{false, true} {
		name := "while events come"
		if backlog {
			name = "from a backlog"
		}
		b.Run(name, func(b *testing.B) {
			defer debug.SetGCPercent(debug.SetGCPercent(50)) // as the program
			j, c := openBench(b, 64<<30)
			list, out := journalled(256), &null{}
			d := NewDelivery("null", "test", out, c, settings(), nil, nil, quiet())
			fill := func() {
				for n := b.N; n > 0; n -= len(list) {
					j.Append(list[:min(n, len(list))])
				}
				j.End()
			}
			if backlog {
				fill()
			}
			b.ReportAllocs()
			b.ResetTimer()
			used := cpuTime(b)
			go d.Run(b.Context())
			if !backlog {
				fill()
			}
			<-d.Done()
			b.StopTimer()
			used = cpuTime(b) - used
			if s := d.State(); out.taken != b.N || s.Delivered != uint64(b.N) || s.Pending != 0 {
				b.Fatalf("%d of %d, %+v", out.taken, b.N, s)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
			b.ReportMetric(float64(used.Nanoseconds())/float64(b.N), "cpu-ns/event")
			if err := j.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// Five million events wait on disk, 1.5 GB: delivering them takes as little
// memory as any other batch.
func TestDeliveryMemoryOfABacklog(t *testing.T) {
	events := 5_000_000
	if os.Getenv("TRAILHOUND_LONG") == "" {
		events = 100_000
	}
	defer debug.SetGCPercent(debug.SetGCPercent(50)) // as the program
	j, c := openBench(t, 8<<30)
	list := journalled(256)
	for n := events; n > 0; n -= len(list) {
		j.Append(list[:min(n, len(list))])
	}
	j.End()
	out := &sampler{sample: []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/unused:bytes"}}}
	d := NewDelivery("null", "test", out, c, settings(), nil, nil, quiet())
	s := d.State()
	if s.Pending != uint64(events) {
		t.Fatalf("%+v", s)
	}
	d.Run(t.Context())
	t.Logf("%d events, %d MiB in the journal, heap at most %.1f MiB", events, s.PendingBytes>>20, float64(out.most)/(1<<20))
	if out.most > 32<<20 {
		t.Errorf("heap of %d bytes, more than 32 MiB", out.most)
	}
	if s := d.State(); out.taken != events || s.Delivered != uint64(events) {
		t.Errorf("%d taken, %+v", out.taken, s)
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
}

// sampler is a null output that looks at the heap with each batch.
type sampler struct {
	null
	sample []metrics.Sample
	most   uint64
}

func (s *sampler) Send(ctx context.Context, batch []event.Event) (Result, error) {
	metrics.Read(s.sample)
	s.most = max(s.most, s.sample[0].Value.Uint64()+s.sample[1].Value.Uint64())
	return s.null.Send(ctx, batch)
}
