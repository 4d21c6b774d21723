package stdout

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"trailhound/agent/event"
	"trailhound/outputs"
)

var _ outputs.Output = (*Output)(nil)

func batch(n int) []event.Event {
	list := make([]event.Event, n)
	for i := range list {
		list[i] = event.Event{Time: time.Unix(1771234567, 0), Type: event.DNS, Code: event.TrailDNS, Trail: "bad.test", Info: "lumma (malware)",
			Reference: "(static)", Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("192.0.2.2"), Protocol: "UDP", Seq: uint64(i + 1)}
	}
	return list
}

func TestEachFormat(t *testing.T) {
	for name, lines := range map[string]int{"table": 4, "csv": 4, "json": 3, "cef": 3, "maltrail": 3, "": 4} {
		var w bytes.Buffer
		o, err := New(&w, Options{Format: name, Identity: &event.Identity{Name: "edge-1"}})
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range [][]event.Event{batch(1), batch(2), nil} {
			r, err := o.Send(context.Background(), b)
			if err != nil || len(r.Outcomes) != len(b) {
				t.Fatal(r, err)
			}
			for _, got := range r.Outcomes {
				if got != outputs.Delivered {
					t.Errorf("%s: %v", name, r.Outcomes)
				}
			}
		}
		if got := strings.Count(w.String(), "\n"); got != lines {
			t.Errorf("%s: %d lines, want %d:\n%s", name, got, lines, w.String())
		}
	}
	if _, err := New(io.Discard, Options{Format: "xml"}); err == nil {
		t.Error("xml is no format")
	}
}

// TestNoRecord: maltrail lines have no health events; those count as delivered
// and leave the others as they are.
func TestNoRecord(t *testing.T) {
	for _, health := range [][]int{{0}, {2}, {0, 1, 2}, {1}} {
		list := batch(3)
		for _, i := range health {
			list[i] = event.NewHealth(list[i].Time, event.HealthHeartbeat, "up", event.HealthFacts{State: event.Metric})
		}
		var w bytes.Buffer
		o, err := New(&w, Options{Format: "maltrail"})
		if err != nil {
			t.Fatal(err)
		}
		r, err := o.Send(context.Background(), list)
		if err != nil || len(r.Outcomes) != 3 {
			t.Fatal(r, err)
		}
		for _, got := range r.Outcomes {
			if got != outputs.Delivered {
				t.Errorf("%v: %v", health, r.Outcomes)
			}
		}
		if got := strings.Count(w.String(), "bad.test"); got != 3-len(health) || strings.Count(w.String(), "\n") != got {
			t.Errorf("%v: %q", health, w.String())
		}
	}
}

// limited takes so many bytes and then fails, once.
type limited struct {
	bytes.Buffer
	room int
}

func (l *limited) Write(b []byte) (int, error) {
	if l.room < 0 || len(b) <= l.room {
		return l.Buffer.Write(b)
	}
	n := l.room
	l.room = -1
	l.Buffer.Write(b[:n])
	return n, syscall.EAGAIN
}

// TestTornAtEveryByte: wherever the stream stops, all events arrive, none that
// was reported as delivered arrives twice, and at most one line is damaged.
func TestTornAtEveryByte(t *testing.T) {
	var whole bytes.Buffer
	o, _ := New(&whole, Options{})
	o.Send(context.Background(), batch(3))
	for room := range whole.Len() {
		w := &limited{room: room}
		o, _ := New(w, Options{Name: "the pipe"})
		events := batch(3)
		r, err := o.Send(context.Background(), events)
		if !errors.Is(err, syscall.EAGAIN) || !strings.Contains(err.Error(), "the pipe") {
			t.Fatalf("room %d: %v", room, err)
		}
		var again []event.Event
		for i, got := range r.Outcomes {
			if got == outputs.Retry {
				again = append(again, events[i])
			}
		}
		if _, err := o.Send(context.Background(), again); err != nil {
			t.Fatal(err)
		}
		if err := o.Close(); err != nil {
			t.Fatal(err)
		}
		good := 0
		for line := range strings.Lines(w.String()) {
			if strings.HasSuffix(line, "\n") && strings.Contains("\n"+whole.String(), "\n"+line) && line != "\n" && !strings.HasPrefix(line, "time,") {
				good++
			}
		}
		r2 := csv.NewReader(strings.NewReader(w.String()))
		r2.FieldsPerRecord = -1
		if _, err := r2.ReadAll(); err != nil {
			t.Fatalf("room %d: %v", room, err)
		}
		if good != 3 {
			t.Fatalf("room %d: %d whole lines of 3:\n%s", room, good, w.String())
		}
	}
}

func TestCancelled(t *testing.T) {
	var w bytes.Buffer
	o, _ := New(&w, Options{})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r, err := o.Send(ctx, batch(2))
	if !errors.Is(err, context.Canceled) || r.Outcomes[0] != outputs.Retry || w.Len() != 0 {
		t.Error(r, err, w.Len())
	}
	if err := o.Start(); err != nil || strings.Count(w.String(), "\n") != 1 {
		t.Errorf("%v %q", err, w.String())
	}
}

// blocked is a pipe that nobody reads.
type blocked struct{ entered, release chan struct{} }

func (b blocked) Write(p []byte) (int, error) {
	close(b.entered)
	<-b.release
	return len(p), nil
}

// TestStuck: a stream that takes nothing holds up Send until its context ends,
// and nothing after that.
func TestStuck(t *testing.T) {
	w := blocked{make(chan struct{}), make(chan struct{})}
	defer close(w.release)
	o, err := New(w, Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-w.entered
		cancel()
	}()
	r, err := o.Send(ctx, batch(3))
	if !errors.Is(err, context.Canceled) || r.Outcomes[0] != outputs.Retry {
		t.Errorf("%v, %v", r, err)
	}
	if _, err := o.Send(t.Context(), batch(3)); !errors.Is(err, errStuck) {
		t.Errorf("it is written to again: %v", err)
	}
	if err := o.Close(); err != nil {
		t.Error(err)
	}
}
