package elasticsearch

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"trailhound/agent/event"
)

// The sink of the benchmarks is a process of its own, so that what it costs is
// not counted as the output's.
const sinkVariable = "TRAILHOUND_TEST_SINK"

func TestMain(m *testing.M) {
	if os.Getenv(sinkVariable) != "" {
		sink()
		return
	}
	os.Exit(m.Run())
}

// sink answers like a node that takes everything, and prints its address.
func sink() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(l.Addr())
	go func() {
		io.Copy(io.Discard, os.Stdin) // ends with the parent
		os.Exit(0)
	}()
	panic(http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Elastic-Product", "Elasticsearch")
		if r.URL.Path == "/" {
			io.WriteString(w, `{"version":{"number":"8.19.7"},"tagline":"You Know, for Search"}`)
			return
		}
		n, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Query().Get("pipeline"), "n"))
		io.Copy(io.Discard, r.Body)
		io.WriteString(w, `{"items":[`+strings.Repeat(`{"create":{"status":201}},`, n-1)+`{"create":{"status":201}}]}`)
	})))
}

func startSink(b *testing.B) string {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), sinkVariable+"=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { in.Close(); cmd.Wait() })
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return "http://" + strings.TrimSpace(address)
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkSend measures the output's own CPU time per event: encoding, sending
// over loopback, reading the answer.
func BenchmarkSend(b *testing.B) {
	const size = 2000 // about as many as fit into one request
	for _, level := range []int{0, 1} {
		b.Run(fmt.Sprintf("gzip=%d", level), func(b *testing.B) {
			// The sink is told in the name of the pipeline how many items it is to
			// answer, so that it need not read them.
			o := openOutput(b, Keys{Addresses: []string{startSink(b)}, Gzip: level, Pipeline: fmt.Sprint("n", size), MaxRequest: 20_000_000})
			batch := batchOf(size)
			if _, err := o.Send(b.Context(), batch); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			start := cpuTime()
			for b.Loop() {
				if r, err := o.Send(b.Context(), batch); err != nil || len(r.Outcomes) != size {
					b.Fatal(err)
				}
			}
			events := float64(b.N) * size
			b.ReportMetric(float64((cpuTime()-start).Nanoseconds())/1000/events, "cpu-µs/event")
			b.ReportMetric(events/b.Elapsed().Seconds(), "events/s")
			b.ReportMetric(float64(o.Stats().Bytes)/float64(o.Stats().Delivered), "B/event")
		})
	}
}

func BenchmarkFill(b *testing.B) {
	body, err := newBody(&Keys{Dataset: "trailhound.event", HealthDataset: "trailhound.health", Namespace: "default", Enrichments: true}, identity())
	if err != nil {
		b.Fatal(err)
	}
	batch := batchOf(1000)
	b.ReportAllocs()
	for b.Loop() {
		body.fill(batch, 20_000_000)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/event")
	b.SetBytes(int64(len(body.text)))
}

func TestFill(t *testing.T) {
	body, err := newBody(&Keys{Dataset: "d", HealthDataset: "h", Namespace: "n"}, identity())
	if err != nil {
		t.Fatal(err)
	}
	batch := batchOf(10)
	batch[9].Trail = strings.Repeat("x", 4000)
	one := func(e event.Event) int { body.fill([]event.Event{e}, 1); return len(body.text) }
	size := one(batch[0])
	for _, c := range []struct{ limit, from, want int }{{1, 0, 1}, {size, 0, 1}, {2*size + 10, 0, 2}, {1 << 20, 0, 10}, {100, 9, 1}} {
		n := body.fill(batch[c.from:], c.limit)
		if n != c.want || len(body.ends) != n || body.ends[n-1] != len(body.text) {
			t.Errorf("limit %d: %d events, %v", c.limit, n, body.ends)
		}
		if lines := bytes.Count(body.part(n-1, n), []byte("\n")); lines != 2 {
			t.Errorf("%d lines for an event", lines)
		}
	}
}

func TestRequestGolden(t *testing.T) {
	body, err := newBody(&Keys{Dataset: "trailhound.event", HealthDataset: "trailhound.health", Namespace: "default", Enrichments: true}, identity())
	if err != nil {
		t.Fatal(err)
	}
	batch := []event.Event{dnsEvent(1), hostileEvent(2), healthEvent(3), maximalEvents()[0]}
	icmp := dnsEvent(4)
	icmp.SrcPort, icmp.DstPort, icmp.Protocol, icmp.Src = 0, 0, "ICMPV6", netip.MustParseAddr("2001:db8::1")
	icmp.Dst = netip.MustParseAddr("2001:db8::2")
	batch = append(batch, icmp)
	body.fill(batch, 1<<20)
	golden(t, "request.ndjson", body.text)
}
