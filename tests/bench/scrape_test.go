package bench

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"trailhound/agent"
	"trailhound/agent/capture"
	"trailhound/agent/capture/live"
	"trailhound/agent/event"
	"trailhound/agent/status"
	"trailhound/agent/suppress"
)

// loop is a source that hands out the same frames again and again.
type loop struct {
	frames []capture.Frame
	at     int
	left   int
}

const loopBatch = 64

func (l *loop) Next() ([]capture.Frame, error) {
	if l.left <= 0 {
		return nil, io.EOF
	}
	if l.at+loopBatch > len(l.frames) {
		l.at = 0
	}
	batch := l.frames[l.at : l.at+min(loopBatch, l.left)]
	l.at += loopBatch
	l.left -= len(batch)
	return batch, nil
}

func (l *loop) Interface(int) live.Port { return live.Port{Index: 1, Name: "eth0"} }
func (l *loop) Tenant(int) uint64       { return 1 }
func (l *loop) Reused() uint64          { return 0 }
func (l *loop) Ahead()                  {}
func (l *loop) Interrupt()              {}
func (l *loop) Close() error            { return nil }

// scraper is a status endpoint over the counters of a Live, and who asks it for
// metrics ten times a second.
func scraper(b *testing.B, of *agent.Live) (stop func()) {
	server := status.New(status.Options{Listen: "127.0.0.1:0", Snapshot: func() (s status.Snapshot) {
		for _, w := range of.Traffic() {
			for i := range w.Seen {
				s.Detection.Packets += w.Seen[i].Packets
			}
		}
		s.Gate.Detected = of.Tally().Gate.Detected
		return s
	}})
	if err := server.Listen(); err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { server.Serve(ctx) })
	running.Go(func() {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			answer, err := http.Get("http://" + server.Addr().(*net.TCPAddr).String() + "/metrics")
			if err != nil {
				b.Error(err)
				return
			}
			io.Copy(io.Discard, answer.Body)
			answer.Body.Close()
		}
	})
	return func() {
		cancel()
		running.Wait()
	}
}

// BenchmarkScrape is the packet path of the running sensor, with and without
// somebody who reads its metrics ten times a second: the counters are the
// worker's own, so it must make no difference. Compare the two over several
// runs of at least two seconds.
func BenchmarkScrape(b *testing.B) {
	list := frames(b, filepath.Join(os.Getenv("TRAILHOUND_BENCH_DIR"), "reference.pcap"))
	set := rules(openTable(b), false)
	for _, name := range []string{"without", "with"} {
		b.Run(name, func(b *testing.B) {
			l := agent.NewLive(agent.LiveOptions{Sources: []agent.LiveSource{&loop{frames: list, left: b.N}}, Rules: set,
				Gate: suppress.New(suppress.Options{}), Sink: func([]event.Event) {}})
			if name == "with" {
				defer scraper(b, l)()
			}
			b.ResetTimer()
			l.Start()
			<-l.Done()
			b.StopTimer()
		})
	}
}
