package agent

import (
	"bytes"
	"errors"
	"io"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"trailhound/agent/capture"
	"trailhound/agent/detect"
	"trailhound/agent/event"
	"trailhound/agent/packet"
	"trailhound/tests/corpus"
)

// TestTableGoneBeforeTheRun truncates the table before the first packet: the
// packet that meets the fault is lost, the fallback matches the rest.
func TestTableGoneBeforeTheRun(t *testing.T) {
	for workers := 1; workers <= 3; workers++ {
		rules, path := fileRules(t)
		if err := os.Truncate(path, 0); err != nil {
			t.Fatal(err)
		}
		var calls atomic.Int32
		r, events := collect(rules, workers, write(t, "a.pcap", corpus.Pcap(syns(100))))
		r.Fallback = func(fault error) *detect.Rules {
			calls.Add(1)
			return memoryRules(t, "fallback")
		}
		s := run1(t, r)
		if s.Fault == nil || !strings.Contains(s.Fault.Error(), "trail table") || s.Faults != uint64(workers) || calls.Load() != int32(workers) {
			t.Errorf("%d workers: fault %v, %d faults, %d calls", workers, s.Fault, s.Faults, calls.Load())
		}
		if s.Packets != 100 || len(*events) != 100-workers {
			t.Errorf("%d workers: %d packets, %d events", workers, s.Packets, len(*events))
		}
		for _, e := range *events {
			if e.Info != "fallback" || e.Application != "" {
				t.Fatalf("event of %q, %q", e.Info, e.Application)
			}
		}
	}
}

// TestTableGoneInTheMiddle truncates the table when half of a stream is read.
func TestTableGoneInTheMiddle(t *testing.T) {
	for _, c := range []struct {
		name     string
		fallback func(t *testing.T) func(error) *detect.Rules
		after    int // events of the second half
	}{
		{"fallback", func(t *testing.T) func(error) *detect.Rules {
			return func(error) *detect.Rules { return memoryRules(t, "fallback") }
		}, 99},
		{"no fallback", func(*testing.T) func(error) *detect.Rules { return nil }, 0},
		{"no rules", func(*testing.T) func(error) *detect.Rules { return func(error) *detect.Rules { return nil } }, 0},
		{"a fallback that is gone too", func(t *testing.T) func(error) *detect.Rules {
			rules, path := fileRules(t)
			return func(error) *detect.Rules { os.Truncate(path, 0); return rules }
		}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			rules, path := fileRules(t)
			data := corpus.Pcap(syns(200))
			half := 24 + (len(data)-24)/2
			r, events := collect(rules, 3, "-")
			r.Stdin = io.MultiReader(bytes.NewReader(data[:half]), reader(func([]byte) (int, error) { return 0, cmpErr(os.Truncate(path, 0)) }), bytes.NewReader(data[half:]))
			r.Fallback = c.fallback(t)
			s := run1(t, r)
			if s.Fault == nil || s.Packets != 200 || s.Undecoded() != 0 || len(s.Damaged) != 0 {
				t.Errorf("%+v", s)
			}
			if n := len(*events); n != 100+c.after {
				t.Errorf("%d events", n)
			}
			for i, e := range *events {
				if want := map[bool]string{true: "file", false: "fallback"}[i < 100]; e.Info != want {
					t.Fatalf("event %d is of %q", i, e.Info)
				}
			}
		})
	}
}

type reader func([]byte) (int, error)

func (r reader) Read(b []byte) (int, error) { return r(b) }

// cmpErr ends one part of a MultiReader.
func cmpErr(err error) error {
	if err != nil {
		return err
	}
	return io.EOF
}

// TestTableGoneUnderManyWorkers truncates the table while all workers run.
func TestTableGoneUnderManyWorkers(t *testing.T) {
	rules, path := fileRules(t)
	r, _ := collect(rules, 3, write(t, "a.pcap", corpus.Pcap(longRun())))
	first := true
	r.Sink = func(event.Event) error {
		if first { // the workers cannot be at the end: their queues are bounded
			first = false
			return os.Truncate(path, 0)
		}
		return nil
	}
	s := run1(t, r)
	if s.Fault == nil || s.Faults == 0 || s.Packets != uint64(len(longRun())) {
		t.Errorf("fault %v, %d faults, %d packets", s.Fault, s.Faults, s.Packets)
	}
}

// addressed looks like the runtime's error for a fault at an address.
type addressed struct{ at uintptr }

func (a addressed) Addr() uintptr { return a.at }
func (addressed) Error() string   { return "fault" }
func (addressed) RuntimeError()   {}

// TestOtherPanicsAreNoFaults holds that a programmer's error is not taken for
// a fault of the table.
func TestOtherPanicsAreNoFaults(t *testing.T) {
	frame := corpus.IP("10.0.0.1", listed, corpus.Syn(1, 2)).Ethernet()
	for name, v := range map[string]any{"text": "BUG", "error": errors.New("BUG"), "address elsewhere": addressed{at: 4096}, "address 0": addressed{}} {
		r := &run{replay: &Replay{}, rules: memoryRules(t, "x")}
		r.worker = detect.NewWorker(r.rules)
		r.worker.Emit = func(event.Event) { panic(v) }
		r.frames = []capture.Frame{{Data: frame.Data, Link: packet.LinkEthernet}}
		func() {
			defer func() {
				if got := recover(); got != v {
					t.Errorf("%s: recovered %v", name, got)
				}
			}()
			if fault := r.batch(); fault != nil {
				t.Errorf("%s: taken for %v", name, fault)
			}
		}()
	}
	// An index out of range is a runtime.Error, too.
	r := &run{replay: &Replay{}, rules: memoryRules(t, "x")}
	r.worker = detect.NewWorker(r.rules)
	r.worker.Emit = func(e event.Event) { _ = e.Sources[e.SrcPort] }
	r.frames = []capture.Frame{{Data: frame.Data, Link: packet.LinkEthernet}}
	defer func() {
		if _, ok := recover().(runtime.Error); !ok {
			t.Error("an index out of range was swallowed")
		}
	}()
	r.batch()
}
