package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"trailhound/agent/capture"
	"trailhound/agent/detect"
	"trailhound/agent/event"
	"trailhound/agent/suppress"
	"trailhound/tests/corpus"
	"trailhound/trails"
	"trailhound/trails/table"
)

// listed is the address that every table of these tests lists.
const listed = "66.66.66.66"

func builder(t testing.TB, info string) *table.Builder {
	t.Helper()
	b := table.NewBuilder(table.Options{Seed: 1, Now: corpus.Start})
	b.Add(trails.Address, []byte{66, 66, 66, 66}, b.Provenance(trails.Provenance{Info: info, Reference: "(static)"}))
	return b
}

// memoryRules lists the address in memory.
func memoryRules(t testing.TB, info string) *detect.Rules {
	t.Helper()
	tab, err := builder(t, info).Memory()
	if err != nil {
		t.Fatal(err)
	}
	return detect.NewRules(tab, nil, detect.Options{})
}

// fileRules lists the address in a table file that can be truncated.
func fileRules(t testing.TB) (*detect.Rules, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "trails.thd")
	if err := builder(t, "file").WriteFile(path); err != nil {
		t.Fatal(err)
	}
	tab, err := table.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tab.Close() })
	return detect.NewRules(tab, nil, detect.Options{}), path
}

// syns makes n SYNs to the listed address, each from a host of its own, one a
// millisecond.
func syns(n int) (all []corpus.Stamped) {
	for i := range n {
		src := fmt.Sprintf("10.%d.%d.%d", i>>16&255, i>>8&255, i&255)
		all = append(all, corpus.Stamped{Time: corpus.Start.Add(time.Duration(i) * time.Millisecond), Frame: corpus.IP(src, listed, corpus.Syn(1, 443)).Ethernet()})
	}
	return all
}

func write(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// collect makes a replay whose events are kept.
func collect(rules *detect.Rules, workers int, files ...string) (*Replay, *[]event.Event) {
	var events []event.Event
	r := &Replay{Files: files, Workers: workers, Rules: rules, Gate: suppress.New(suppress.Options{})}
	r.Sink = func(e event.Event) error { events = append(events, e); return nil }
	return r, &events
}

func run1(t *testing.T, r *Replay) Summary {
	t.Helper()
	s, err := r.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// longRun is more than the queues of three workers hold.
func longRun() []corpus.Stamped { return syns(3*QueueEvents + 3*64 + 3*512 + 4096) }

// TestSinkErrorEndsTheRun: the bubble of synctest fails when a goroutine is
// left behind.
func TestSinkErrorEndsTheRun(t *testing.T) {
	path := write(t, "a.pcap", corpus.Pcap(longRun()))
	full := errors.New("disk full")
	for workers := 1; workers <= 3; workers++ {
		for _, at := range []int{1, 700} {
			synctest.Test(t, func(t *testing.T) {
				r, _ := collect(memoryRules(t, "x"), workers, path, path)
				n := 0
				r.Sink = func(event.Event) error {
					if n++; n >= at {
						return full
					}
					return nil
				}
				s, err := r.Run(context.Background())
				if !errors.Is(err, full) || n != at || s.Packets == 0 || s.Packets >= 2*uint64(len(longRun())) {
					t.Errorf("%d workers: %v after %d events and %d packets", workers, err, n, s.Packets)
				}
			})
		}
	}
	// In the flush at the end, too.
	r, _ := collect(memoryRules(t, "x"), 2, write(t, "b.pcap", corpus.Pcap(append(syns(2), syns(2)...))))
	r.Gate = suppress.New(suppress.Options{Window: time.Minute})
	r.Sink = func(e event.Event) error {
		if e.Aggregate.Summary {
			return full
		}
		return nil
	}
	frames := append(syns(1), syns(1)...)
	frames[1].Frame = corpus.IP("10.0.0.0", listed, corpus.Syn(2, 443)).Ethernet()
	r.Files = []string{write(t, "c.pcap", corpus.Pcap(frames))}
	if _, err := r.Run(t.Context()); !errors.Is(err, full) {
		t.Errorf("flush: %v", err)
	}
}

func TestCancel(t *testing.T) {
	path := write(t, "a.pcap", corpus.Pcap(longRun()))
	stopped := errors.New("stopped")
	for workers := 1; workers <= 3; workers++ {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(context.Background())
			r, _ := collect(memoryRules(t, "x"), workers, path)
			n := 0
			r.Sink = func(event.Event) error {
				if n++; n == 5 {
					cancel(stopped)
				}
				return nil
			}
			s, err := r.Run(ctx)
			if !errors.Is(err, stopped) || s.Packets >= uint64(len(longRun())) {
				t.Errorf("%d workers: %v after %d packets", workers, err, s.Packets)
			}
			if c := r.Gate.Counts(); int(c.Passed) != n {
				t.Errorf("%d events passed the gate, %d reached the sink", c.Passed, n)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 20 {
		r, events := collect(memoryRules(t, "x"), 2, write(t, "b.pcap", corpus.Pcap(syns(3))))
		if _, err := r.Run(ctx); !errors.Is(err, context.Canceled) || len(*events) != 0 {
			t.Fatalf("cancelled before: %v, %d events", err, len(*events))
		}
	}
	// What ends after the last packet is no interruption.
	ctx, cancel = context.WithCancel(t.Context())
	defer cancel()
	r, _ := collect(memoryRules(t, "x"), 1, write(t, "c.pcap", corpus.Pcap(syns(1))))
	r.Gate = suppress.New(suppress.Options{Window: time.Second})
	if _, err := r.Run(ctx); err != nil {
		t.Error(err)
	}
}

// TestFilesAreOneStream holds that what is remembered of one file counts in
// the next, and that a bad file ends nothing.
func TestFilesAreOneStream(t *testing.T) {
	one := corpus.Pcap(syns(3))
	again := corpus.Pcap(syns(4)) // three of them repeats in the same second
	for workers := 1; workers <= 3; workers++ {
		missing := filepath.Join(t.TempDir(), "none.pcap")
		files := []string{write(t, "1.pcap", one), missing, write(t, "text", []byte("no capture, but long enough to be one")),
			write(t, "cut.pcap", one[:len(one)-7]), write(t, "empty", nil), t.TempDir(), write(t, "5.pcap", again)}
		r, events := collect(memoryRules(t, "x"), workers, files...)
		s := run1(t, r)
		if len(*events) != 4 || s.Packets != 3+2+4 || s.Repeats != 2+3 {
			t.Errorf("%d workers: %d events, %d packets, %d repeats", workers, len(*events), s.Packets, s.Repeats)
		}
		if len(s.Damaged) != 5 {
			t.Fatalf("%d workers: damaged %v", workers, s.Damaged)
		}
		for i, file := range []string{missing, files[2], files[3], files[4], files[5]} {
			if !strings.Contains(s.Damaged[i].Error(), fmt.Sprintf("%q", file)) {
				t.Errorf("%v does not name %s", s.Damaged[i], file)
			}
		}
		var damage *capture.DamageError
		if !errors.Is(s.Damaged[0], fs.ErrNotExist) || !errors.As(s.Damaged[2], &damage) || damage.Frames != 2 {
			t.Errorf("%d workers: %v", workers, s.Damaged)
		}
		if !s.First.Equal(corpus.Start) || !s.Last.Equal(corpus.Start.Add(3*time.Millisecond)) {
			t.Errorf("from %v to %v", s.First, s.Last)
		}
	}
}

func TestFirstAndLastOfUnorderedPackets(t *testing.T) {
	frames := syns(5)
	frames[0], frames[3] = frames[3], frames[0]
	frames[4], frames[1] = frames[1], frames[4]
	r, _ := collect(memoryRules(t, "x"), 2, write(t, "a.pcap", corpus.Pcap(frames)))
	if s := run1(t, r); !s.First.Equal(corpus.Start) || !s.Last.Equal(corpus.Start.Add(4*time.Millisecond)) {
		t.Errorf("from %v to %v", s.First, s.Last)
	}
}

func TestWorkerCounts(t *testing.T) {
	for _, n := range []int{0, 1, 3, 40} {
		path := write(t, "a.pcap", corpus.Pcap(syns(n)))
		var want string
		for workers := 0; workers <= 5; workers++ {
			r, events := collect(memoryRules(t, "x"), workers, path)
			s := run1(t, r)
			got := fmt.Sprintf("%+v %d %d", *events, s.Packets, s.Bytes)
			if workers == 0 {
				want = got
			}
			if got != want || len(*events) != n || s.Traffic.Events != uint64(n) {
				t.Errorf("%d packets, %d workers:\n%s\nwant\n%s", n, workers, got, want)
			}
		}
	}
	r, events := collect(memoryRules(t, "x"), 2)
	if s := run1(t, r); s.Packets != 0 || len(*events) != 0 {
		t.Errorf("no files: %+v", s)
	}
}

// TestStreamsHaveOneReader holds that standard input and named pipes, which
// can be read once, are read by one worker, and that a pipe's writer is not cut
// off by a look at the file.
func TestStreamsHaveOneReader(t *testing.T) {
	data := corpus.Pcap(syns(500))
	r, events := collect(memoryRules(t, "x"), 4, "-")
	r.Stdin = bytes.NewReader(data)
	if s := run1(t, r); s.Packets != 500 || len(*events) != 500 || len(s.Damaged) != 0 {
		t.Errorf("standard input: %d packets, %d events, %v", s.Packets, len(*events), s.Damaged)
	}
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- os.WriteFile(pipe, data, 0) }()
	r, events = collect(memoryRules(t, "x"), 4, pipe)
	if s := run1(t, r); s.Packets != 500 || len(*events) != 500 || len(s.Damaged) != 0 {
		t.Errorf("pipe: %d packets, %d events, %v", s.Packets, len(*events), s.Damaged)
	}
	if err := <-done; err != nil {
		t.Errorf("the pipe's writer: %v", err)
	}
	for path, want := range map[string]bool{"-": true, pipe: true, os.DevNull: true, t.TempDir(): false, pipe + ".no": false} {
		if got := isStream(path); got != want {
			t.Errorf("%s: stream %v", path, got)
		}
	}
}

// TestOnePacketOfManyEvents raises more events with one packet than it may:
// the rest is counted, for any number of workers.
func TestOnePacketOfManyEvents(t *testing.T) {
	var questions []corpus.Question
	b := builder(t, "x")
	for i := range 64 {
		name := fmt.Sprintf("n%d.evil.example", i)
		questions = append(questions, corpus.Ask(name))
		b.Add(trails.Domain, []byte(name), b.Provenance(trails.Provenance{Info: "x"}))
	}
	tab, err := b.Memory()
	if err != nil {
		t.Fatal(err)
	}
	var frames []corpus.Stamped
	for i := range 9 {
		f := corpus.IP(fmt.Sprintf("10.0.0.%d", i), listed, corpus.UDP(1, 53, corpus.Query(questions...))).Ethernet()
		frames = append(frames, corpus.At(i, f))
	}
	path := write(t, "a.pcap", corpus.Pcap(frames))
	for workers := 1; workers <= 4; workers++ {
		r, events := collect(detect.NewRules(tab, nil, detect.Options{}), workers, path)
		s := run1(t, r)
		if len(*events) != 9*64 || s.Crowded != 9 {
			t.Fatalf("%d workers: %d events, %d too many", workers, len(*events), s.Crowded)
		}
		for i, e := range *events {
			if want := uint64(i/64 + 1); e.Number != want {
				t.Fatalf("%d workers: event %d is of packet %d, want %d", workers, i, e.Number, want)
			}
		}
	}
}
