package outputs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"trailhound/agent/event"
	"trailhound/outputs/dead"
	"trailhound/outputs/journal"
)

// tape is a Reader over events that are there from the start, with the rules of
// a cursor: what is advanced was read, and adds up.
type tape struct {
	t      *testing.T
	events []event.Event
	open   bool // more may come: Read waits at the end

	mu    sync.Mutex
	read  int
	acked uint64
	sums  journal.Sums
}

func newTape(t *testing.T, n int) *tape {
	f := &tape{t: t}
	for i := range n {
		f.events = append(f.events, event.Event{ID: [16]byte{15: byte(i + 1), 14: byte((i + 1) >> 8)}, Seq: uint64(i + 1), Code: "trail.dns", Type: event.DNS,
			Severity: event.Medium, Time: time.Now()})
	}
	return f
}

func (f *tape) Read(ctx context.Context, events, _ int) ([]event.Event, journal.Gap, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.read == len(f.events) {
		if f.open {
			f.mu.Unlock()
			<-ctx.Done()
			f.mu.Lock()
			return nil, journal.Gap{}, ctx.Err()
		}
		return nil, journal.Gap{}, io.EOF
	}
	to := min(f.read+events, len(f.events))
	list := slices.Clone(f.events[f.read:to])
	f.read = to
	return list, journal.Gap{}, ctx.Err()
}

func (f *tape) Advance(through uint64, s journal.Sums) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if through > uint64(f.read) || through-f.acked != s.Delivered+s.Filtered+s.DeadLettered {
		f.t.Errorf("from %d to %d of %d: %+v", f.acked, through, f.read, s)
	}
	f.acked = through
	f.sums.Delivered += s.Delivered
	f.sums.Filtered += s.Filtered
	f.sums.DeadLettered += s.DeadLettered
	if s.Told != (journal.Mark{}) {
		f.sums.Told = s.Told
	}
}

func (f *tape) State() journal.CursorState {
	f.mu.Lock()
	defer f.mu.Unlock()
	return journal.CursorState{Acknowledged: f.acked, LastSeq: uint64(len(f.events)), Delivered: f.sums.Delivered, Filtered: f.sums.Filtered,
		DeadLettered: f.sums.DeadLettered, Pending: uint64(len(f.events)) - f.acked, Told: f.sums.Told}
}

// receiver is an Output that answers by a function and keeps what it took.
type receiver struct {
	limits Limits
	answer func(ctx context.Context, batch []event.Event) (Result, error)

	mu    sync.Mutex
	got   []uint64
	calls int
}

func (r *receiver) Send(ctx context.Context, batch []event.Event) (Result, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls++
	result, err := AllDelivered(len(batch)), error(nil)
	if r.answer != nil {
		result, err = r.answer(ctx, batch)
	}
	for i := range batch {
		if i < len(result.Outcomes) && result.Outcomes[i] == Delivered {
			r.got = append(r.got, batch[i].Seq)
		}
	}
	return result, err
}
func (r *receiver) Check(context.Context) error { return nil }
func (r *receiver) Limits() Limits              { return r.limits }
func (r *receiver) Guarantee() Guarantee        { return Acknowledged }
func (r *receiver) Close() error                { return nil }

func settings() Settings {
	return Settings{Health: true, Timeout: 30 * time.Second, First: time.Second, Most: time.Minute}
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// numbers are from, from+1 ... to.
func numbers(from, to uint64) (list []uint64) {
	for n := from; n <= to; n++ {
		list = append(list, n)
	}
	return list
}

func TestDeliversInOrder(t *testing.T) {
	from, to := newTape(t, 5000), &receiver{}
	d := NewDelivery("x", "test", to, from, settings(), nil, nil, quiet())
	d.Run(t.Context())
	if !slices.Equal(to.got, numbers(1, 5000)) {
		t.Errorf("%d events, want 1 to 5000 once and in order", len(to.got))
	}
	if c := d.Counts(); c.Delivered != 5000 || c.Errors != 0 || c.LastSuccess.IsZero() || !c.Failing.IsZero() {
		t.Errorf("%+v", c)
	}
	if s := d.State(); s.Acknowledged != 5000 || s.Pending != 0 {
		t.Errorf("%+v", s)
	}
	select {
	case <-d.Done():
	default:
		t.Error("Done is not closed")
	}
}

// A receiver that refuses, and takes some and not others, gets each event once
// in the end, and the pauses grow.
func TestTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from := newTape(t, 100)
		var at []time.Duration
		start, calls := time.Now(), 0
		to := &receiver{limits: Limits{BatchEvents: 10}, answer: func(_ context.Context, batch []event.Event) (Result, error) {
			at = append(at, time.Since(start))
			switch calls++; {
			case calls <= 8:
				return Result{}, errors.New("connection refused")
			case calls == 9: // every other one
				r := Result{Outcomes: make([]Outcome, len(batch))}
				for i := 1; i < len(batch); i += 2 {
					r.Outcomes[i] = Delivered
				}
				return r, nil
			}
			return AllDelivered(len(batch)), nil
		}}
		d := NewDelivery("x", "test", to, from, settings(), nil, nil, quiet())
		d.Run(t.Context())
		got := slices.Sorted(slices.Values(to.got))
		if !slices.Equal(got, numbers(1, 100)) {
			t.Errorf("got %v", to.got)
		}
		for i := 1; i < 8; i++ {
			most := min(time.Second<<(i-1), time.Minute)
			if pause := at[i] - at[i-1]; pause < most/2 || pause > most {
				t.Errorf("pause %d is %v, want up to %v", i, pause, most)
			}
		}
		if c := d.Counts(); c.Errors != 9 || c.Retries != 9 || !c.Failing.IsZero() || c.Error != "" {
			t.Errorf("%+v", c)
		}
	})
}

func TestRetryAfterIsKeptAndBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for wish, want := range map[time.Duration]time.Duration{20 * time.Second: 20 * time.Second, 1000 * time.Hour: maxRetryAfter} {
			start, first := time.Now(), true
			to := &receiver{answer: func(_ context.Context, batch []event.Event) (Result, error) {
				if first {
					first = false
					return Result{RetryAfter: wish}, errors.New("busy")
				}
				return AllDelivered(len(batch)), nil
			}}
			NewDelivery("x", "test", to, newTape(t, 1), settings(), nil, nil, quiet()).Run(t.Context())
			if took := time.Since(start); took != want {
				t.Errorf("asked for %v, waited %v", wish, took)
			}
		}
	})
}

// What is refused for good is put aside with the reason; the others go on.
func TestDeadLetters(t *testing.T) {
	from, dir := newTape(t, 50), t.TempDir()
	to := &receiver{limits: Limits{BatchEvents: 8}, answer: func(_ context.Context, batch []event.Event) (Result, error) {
		r := AllDelivered(len(batch))
		r.Reasons = map[int]string{}
		for i := range batch {
			if batch[i].Seq%10 == 0 {
				r.Outcomes[i], r.Reasons[i] = Rejected, fmt.Sprintf("no mapping for %d", batch[i].Seq)
			}
		}
		return r, nil
	}}
	document := func(dst []byte, e *event.Event) []byte { return fmt.Appendf(dst, `{"n":%d}`, e.Seq) }
	d := NewDelivery("x", "test", to, from, settings(), dead.New(dir, "x", 0), document, quiet())
	d.Run(t.Context())
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	var letters []string
	if _, err := dead.Read(dead.Path(dir, "x"), func(l *dead.Letter) bool {
		letters = append(letters, fmt.Sprint(l.Event.Seq, " ", l.Reason, " ", string(l.Shown)))
		return true
	}); err != nil {
		t.Fatal(err)
	}
	if len(letters) != 5 || letters[4] != `50 no mapping for 50 {"n":50}` || len(to.got) != 45 {
		t.Errorf("%q, %d delivered", letters, len(to.got))
	}
	if c := d.Counts(); c.Delivered != 45 || c.Dead != 5 || c.DeadLost != 0 || c.Errors != 0 {
		t.Errorf("%+v", c)
	}
	if s := d.State(); s.DeadLettered != 5 || s.Pending != 0 {
		t.Errorf("%+v", s)
	}
}

// A batch that is refused as a whole is halved until the events are found for
// which it was. All others arrive once.
func TestPoisonedBatch(t *testing.T) {
	for _, poison := range [][]uint64{{1}, {64}, {7}, {7, 8}, {1, 33, 64}, numbers(1, 64), numbers(10, 20)} {
		to := &receiver{limits: Limits{BatchEvents: 64}, answer: func(_ context.Context, batch []event.Event) (Result, error) {
			for i := range batch {
				if slices.Contains(poison, batch[i].Seq) {
					return Result{}, fmt.Errorf("cannot parse the request: %w", ErrBatch)
				}
			}
			return AllDelivered(len(batch)), nil
		}}
		dir := t.TempDir()
		d := NewDelivery("x", "test", to, newTape(t, 64), settings(), dead.New(dir, "x", 0), nil, quiet())
		d.Run(t.Context())
		var letters []uint64
		if _, err := dead.Read(dead.Path(dir, "x"), func(l *dead.Letter) bool {
			letters = append(letters, l.Event.Seq)
			if !strings.Contains(l.Reason, "cannot parse the request") {
				t.Errorf("%q", l.Reason)
			}
			return true
		}); err != nil {
			t.Fatal(err)
		}
		slices.Sort(letters)
		if got := slices.Sorted(slices.Values(slices.Concat(to.got, letters))); !slices.Equal(got, numbers(1, 64)) || !slices.Equal(letters, poison) {
			t.Errorf("poison %v: dead %v, delivered %v", poison, letters, to.got)
		}
	}
}

// A receiver that goes away while the poison is looked for costs nothing.
func TestPoisonAndOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		to := &receiver{limits: Limits{BatchEvents: 32}, answer: func(_ context.Context, batch []event.Event) (Result, error) {
			if calls++; calls%3 == 0 {
				return Result{}, errors.New("connection reset")
			}
			for i := range batch {
				if batch[i].Seq == 5 {
					return Result{}, ErrBatch
				}
			}
			return AllDelivered(len(batch)), nil
		}}
		d := NewDelivery("x", "test", to, newTape(t, 96), settings(), dead.New(t.TempDir(), "x", 0), nil, quiet())
		d.Run(t.Context())
		want := slices.DeleteFunc(numbers(1, 96), func(n uint64) bool { return n == 5 })
		if got := slices.Sorted(slices.Values(to.got)); !slices.Equal(got, want) {
			t.Errorf("%v", got)
		}
		if c := d.Counts(); c.Dead != 1 || c.Delivered != 95 {
			t.Errorf("%+v", c)
		}
	})
}

// An output with a fault costs the events that meet it, not the sensor.
func TestPanickingOutput(t *testing.T) {
	to := &receiver{answer: func(_ context.Context, batch []event.Event) (Result, error) {
		for i := range batch {
			if batch[i].Seq == 3 {
				panic("index out of range")
			}
		}
		return AllDelivered(len(batch)), nil
	}}
	d := NewDelivery("x", "test", &unlocked{to}, newTape(t, 8), settings(), dead.New(t.TempDir(), "x", 0), nil, quiet())
	d.Run(t.Context())
	if c := d.Counts(); c.Delivered != 7 || c.Dead != 1 {
		t.Errorf("%+v", c)
	}
}

// unlocked calls the answer without the receiver's lock, which a panic would
// leave locked.
type unlocked struct{ *receiver }

func (u *unlocked) Send(ctx context.Context, batch []event.Event) (Result, error) {
	return u.answer(ctx, batch)
}

func TestWhatGoesThere(t *testing.T) {
	from := newTape(t, 6)
	from.events[1].Severity = event.Low
	from.events[2].Code, from.events[2].Severity = event.HealthCanary, event.Info
	from.events[3].Suppression = event.Suppression{Rule: "own scanner", Local: true}
	for name, c := range map[string]struct {
		set  func(*Settings)
		want []uint64
	}{
		"all":         {func(*Settings) {}, []uint64{1, 2, 3, 5, 6}},
		"filter":      {func(s *Settings) { s.Filter.Severity = event.Medium }, []uint64{1, 3, 5, 6}},
		"no health":   {func(s *Settings) { s.Health = false }, []uint64{1, 2, 5, 6}},
		"a local one": {func(s *Settings) { s.Local = true }, numbers(1, 6)},
	} {
		from := &tape{t: t, events: from.events}
		to, set := &receiver{}, settings()
		c.set(&set)
		d := NewDelivery("x", "test", to, from, set, nil, nil, quiet())
		d.Run(t.Context())
		if !slices.Equal(to.got, c.want) {
			t.Errorf("%s: %v", name, to.got)
		}
		if n := d.Counts(); n.Delivered != uint64(len(c.want)) || n.Filtered != 6-n.Delivered || from.acked != 6 {
			t.Errorf("%s: %+v", name, n)
		}
	}
}

// Who holds two heartbeats knows how many events there must be between them.
func TestHeartbeatIsCompleted(t *testing.T) {
	from := newTape(t, 40)
	for _, n := range []int{9, 29, 39} {
		from.events[n].Code, from.events[n].Health.Measures = event.HealthHeartbeat, []event.Measure{event.Count("uptime_seconds", 7)}
	}
	from.events[12].Severity = event.Low
	type beat struct{ seq, from, through, delivered, filtered, dead uint64 }
	var beats []beat
	to := &receiver{limits: Limits{BatchEvents: 5}, answer: func(_ context.Context, batch []event.Event) (Result, error) {
		r := AllDelivered(len(batch))
		for i := range batch {
			e := &batch[i]
			if e.Seq == 22 {
				r.Outcomes[i] = Rejected
			}
			if e.Code != event.HealthHeartbeat {
				continue
			}
			m := map[string]uint64{}
			for _, f := range e.Health.Measures {
				m[f.Name] = uint64(f.Value)
			}
			if m["uptime_seconds"] != 7 || m["output_evicted"]+m["output_quarantined"] != 0 {
				t.Errorf("%v", m)
			}
			beats = append(beats, beat{e.Seq, m["output_from_seq"], m["output_through_seq"], m["output_delivered"], m["output_filtered"], m["output_dead_letters"]})
		}
		return r, nil
	}}
	set := settings()
	set.Filter.Severity = event.Medium
	NewDelivery("x", "test", to, from, set, dead.New(t.TempDir(), "x", 0), nil, quiet()).Run(t.Context())
	if len(beats) != 3 {
		t.Fatalf("%+v", beats)
	}
	next := uint64(1)
	for _, b := range beats {
		if b.from != next || b.through >= b.seq || b.delivered+b.filtered+b.dead != b.through+1-b.from {
			t.Errorf("%+v", b)
		}
		arrived := uint64(0)
		for _, n := range to.got {
			if n >= b.from && n <= b.through {
				arrived++
			}
		}
		if arrived != b.delivered {
			t.Errorf("%d arrived: %+v", arrived, b)
		}
		next = b.through + 1
	}
	if len(from.events[9].Health.Measures) != 1 {
		t.Error("the event of other outputs was changed")
	}
}

// A backlog is delivered at the rate, after a start that is spread out; what
// comes as it goes is not held back.
func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from := newTape(t, 2000)
		start := time.Now()
		to := &receiver{limits: Limits{BatchEvents: 50}}
		set := settings()
		set.MaxRate = 100
		d := NewDelivery("x", "test", to, from, set, nil, nil, quiet())
		d.Run(t.Context())
		// One second's worth goes on credit, one is no backlog.
		if took := time.Since(start); took < 17*time.Second || took > 20*time.Second+startSpread {
			t.Errorf("2000 events at 100 a second took %v", took)
		}
		start = time.Now()
		NewDelivery("x", "test", to, newTape(t, 100), set, nil, nil, quiet()).Run(t.Context())
		if took := time.Since(start); took != 0 {
			t.Errorf("100 events took %v", took)
		}
		start, set.MaxRate = time.Now(), 0
		NewDelivery("x", "test", to, newTape(t, 5000), set, nil, nil, quiet()).Run(t.Context())
		if took := time.Since(start); took != 0 {
			t.Errorf("without a limit it took %v", took)
		}
	})
}

// A receiver that never answers costs its timeout, and the end is not waited
// for longer than ctx says. What was not delivered is not lost: the reader knows.
func TestBlackHole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from := newTape(t, 10)
		to := &receiver{answer: func(ctx context.Context, _ []event.Event) (Result, error) {
			<-ctx.Done()
			return Result{}, ctx.Err()
		}}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		start := time.Now()
		d := NewDelivery("x", "test", to, from, settings(), nil, nil, quiet())
		d.Run(ctx)
		if took := time.Since(start); took != 5*time.Minute {
			t.Errorf("it ended after %v", took)
		}
		if c := d.Counts(); c.Errors < 4 || c.Failing.IsZero() || !strings.Contains(c.Error, "deadline") || d.State().Pending != 10 {
			t.Errorf("%+v, %+v", c, d.State())
		}
	})
}

// Dead letters that are marked for it are sent again, once.
func TestResend(t *testing.T) {
	dir := t.TempDir()
	broken := true
	to := &receiver{limits: Limits{BatchEvents: 4}, answer: func(_ context.Context, batch []event.Event) (Result, error) {
		r := AllDelivered(len(batch))
		for i := range batch {
			if broken || batch[i].Seq == 6 {
				r.Outcomes[i] = Rejected
			}
		}
		return r, nil
	}}
	NewDelivery("x", "test", to, newTape(t, 10), settings(), dead.New(dir, "x", 0), nil, quiet()).Run(t.Context())
	if n, err := dead.Resend(dir, "x"); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	broken = false
	d := NewDelivery("x", "test", to, newTape(t, 0), settings(), dead.New(dir, "x", 0), nil, quiet())
	d.Run(t.Context())
	want := slices.DeleteFunc(numbers(1, 10), func(n uint64) bool { return n == 6 })
	if !slices.Equal(to.got, want) {
		t.Errorf("%v", to.got)
	}
	if c := d.Counts(); c.Resent != 9 || c.Delivered != 0 {
		t.Errorf("%+v", c)
	}
	left := 0
	if _, err := dead.Read(dead.Path(dir, "x"), func(l *dead.Letter) bool { left++; return l.Event.Seq == 6 }); err != nil || left != 1 {
		t.Errorf("%d letters are left, %v", left, err)
	}
	if n, err := dead.Resend(dir, "x"); n != 1 || err != nil {
		t.Errorf("what was sent again still waits: %d, %v", n, err)
	}
}
