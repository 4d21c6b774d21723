package outputs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"trailhound/agent/event"
	"trailhound/outputs/dead"
)

// gate is a receiver that takes one key at a time.
type gate struct {
	key   string
	got   []uint64
	tries []time.Time
}

// keyed is an output with a key.
type keyed struct {
	receiver
	key    string
	to     *gate
	closed bool
}

func (k *keyed) Send(_ context.Context, batch []event.Event) (Result, error) {
	if k.closed {
		panic("it is closed")
	}
	k.to.tries = append(k.to.tries, time.Now())
	if k.key != k.to.key {
		return Result{RetryAfter: time.Minute}, fmt.Errorf("siem.example answers 401: %w", ErrCredentials)
	}
	for i := range batch {
		k.to.got = append(k.to.got, batch[i].Seq)
	}
	return AllDelivered(len(batch)), nil
}

func (k *keyed) Close() error {
	k.closed = true
	return errors.New("it has not acknowledged all that was sent")
}

func (k *keyed) Counters() Counters { return Counters{Has: HasBytes, Bytes: 1000} }

// A key that is exchanged in its file is taken without a word to the sensor:
// within a minute, at once where it is there when it is asked for, and the file
// is not looked at more than once a minute. Nothing is lost or comes twice.
func TestRemake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said bytes.Buffer
		to := &gate{key: "one"}
		var changed time.Time // of the key at the receiver; its file follows
		reads, file := []time.Time{}, func() string {
			if changed.IsZero() || time.Since(changed) < 150*time.Second {
				return "one"
			}
			return "two"
		}
		first := &keyed{key: "one", to: to}
		made := []*keyed{first}
		set := settings()
		set.First, set.Most = time.Second, 2*time.Second
		set.Remake = func() (Output, error) {
			reads = append(reads, time.Now())
			if time.Since(changed) < 90*time.Second {
				return nil, errors.New("file cannot be read: permission denied")
			}
			if file() == made[len(made)-1].key {
				return nil, nil
			}
			made = append(made, &keyed{key: file(), to: to})
			return made[len(made)-1], nil
		}
		from := newTape(t, 30)
		set.Batch = 10
		d := NewDelivery("x", "test", first, from, set, nil, nil, slog.New(slog.NewTextHandler(&said, nil)))
		start := time.Now()
		step := func() {
			t.Helper()
			if err := d.step(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		step()

		// The key is changed there, and in the file a while later.
		to.key, changed = "two", start
		step()
		if took := time.Since(start); took < 150*time.Second || took > 4*time.Minute {
			t.Errorf("it took %v", took)
		}
		for i := 1; i < len(reads); i++ {
			if pause := reads[i].Sub(reads[i-1]); pause < remakeEvery {
				t.Errorf("looked again after %v", pause)
			}
		}
		if len(made) != 2 || !first.closed || made[1].closed || d.Output() != Output(made[1]) {
			t.Errorf("%d made, the first one is closed: %v", len(made), first.closed)
		}
		// The next one lies there already: no pause at all.
		to.key, file = "three", func() string { return "three" }
		time.Sleep(remakeEvery)
		start = time.Now()
		step()
		if took := time.Since(start); took != 0 || len(made) != 3 {
			t.Errorf("it took %v, %d made", took, len(made))
		}
		if !slices.Equal(to.got, numbers(1, 30)) {
			t.Errorf("got %v", to.got)
		}
		c := d.Counts()
		if c.Remade != 2 || c.Delivered != 30 || c.Classes[Auth] != c.Errors || d.Counters() != (Counters{Has: HasBytes, Bytes: 3000}) {
			t.Errorf("%+v, %+v", c, d.Counters())
		}
		for _, want := range []string{"the output was made anew", "cannot read the credentials again", "permission denied", "class=auth", "not closed well"} {
			if !strings.Contains(said.String(), want) {
				t.Errorf("%q is not in\n%s", want, said.String())
			}
		}
	})
}

// Other failures are no reason to read a file.
func TestRemakeOnlyForCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		to := &receiver{answer: func(_ context.Context, batch []event.Event) (Result, error) {
			if calls++; calls < 4 {
				return Result{}, Mark(errors.New("503"), ErrUnavailable)
			}
			return AllDelivered(len(batch)), nil
		}}
		set := settings()
		set.Remake = func() (Output, error) { t.Error("asked"); return nil, nil }
		NewDelivery("x", "test", to, newTape(t, 1), set, nil, nil, quiet()).Run(t.Context())
	})
}

// Dead letters that are to be sent again meet the new key, too.
func TestRemakeForDeadLetters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		letters := dead.New(dir, "x", 0)
		from := newTape(t, 3)
		for i := range from.events {
			if err := letters.Put([]dead.Letter{{Time: time.Now(), Output: "x", Reason: "no", Event: from.events[i]}}); err != nil {
				t.Fatal(err)
			}
		}
		if err := letters.Close(); err != nil {
			t.Fatal(err)
		}
		if n, err := dead.Resend(dir, "x"); n == 0 || err != nil {
			t.Fatal(n, err)
		}
		to := &gate{key: "two"}
		set := settings()
		set.Remake = func() (Output, error) { return &keyed{key: "two", to: to}, nil }
		idle := newTape(t, 0)
		idle.open = true
		d := NewDelivery("x", "test", &keyed{key: "one", to: to}, idle, set, dead.New(dir, "x", 0), nil, quiet())
		ctx, cancel := context.WithTimeout(t.Context(), 2*resendLook)
		defer cancel()
		d.Run(ctx)
		if !slices.Equal(to.got, numbers(1, 3)) || d.Counts().Resent != 3 || d.Counts().Remade != 1 {
			t.Errorf("got %v, %+v", to.got, d.Counts())
		}
	})
}
