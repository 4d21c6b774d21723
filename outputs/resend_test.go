package outputs

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"trailhound/agent/event"
	"trailhound/outputs/dead"
)

// again marks n events as dead letters that are to be sent again.
func again(t *testing.T, dir string, n int) {
	t.Helper()
	letters := dead.New(dir, "x", 0)
	for _, e := range newTape(t, n).events {
		if err := letters.Put([]dead.Letter{{Time: time.Now(), Output: "x", Reason: "no", Event: e}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := letters.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := dead.Resend(dir, "x"); n == 0 || err != nil {
		t.Fatal(n, err)
	}
}

// One letter for which a batch is refused as a whole keeps no other back.
func TestResendPoisonedBatch(t *testing.T) {
	dir := t.TempDir()
	again(t, dir, 8)
	to := &receiver{answer: func(_ context.Context, batch []event.Event) (Result, error) {
		if slices.ContainsFunc(batch, func(e event.Event) bool { return e.Seq == 5 }) {
			return Result{}, ErrBatch
		}
		return AllDelivered(len(batch)), nil
	}}
	d := NewDelivery("x", "test", to, newTape(t, 0), settings(), dead.New(dir, "x", 0), nil, quiet())
	d.Run(t.Context())
	slices.Sort(to.got)
	if want := []uint64{1, 2, 3, 4, 6, 7, 8}; !slices.Equal(to.got, want) || d.Counts().Resent != 7 {
		t.Errorf("%v, %+v", to.got, d.Counts())
	}
	left := 0
	if _, err := dead.Read(dead.Path(dir, "x"), func(l *dead.Letter) bool { left++; return l.Event.Seq == 5 }); err != nil || left != 1 {
		t.Errorf("%d letters are left, %v", left, err)
	}
}

// A letter that is refused once more is as readable as it was.
func TestResendRefused(t *testing.T) {
	dir := t.TempDir()
	again(t, dir, 1)
	to := &receiver{answer: func(context.Context, []event.Event) (Result, error) {
		return Result{Outcomes: []Outcome{Rejected}}, nil
	}}
	document := func(dst []byte, _ *event.Event) []byte { return append(dst, `{"shown":true}`...) }
	NewDelivery("x", "test", to, newTape(t, 0), settings(), dead.New(dir, "x", 0), document, quiet()).Run(t.Context())
	var got []string
	if _, err := dead.Read(dead.Path(dir, "x"), func(l *dead.Letter) bool {
		got = append(got, l.Reason+": "+string(l.Shown))
		return true
	}); err != nil || len(got) != 1 || got[0] != `refused without a reason: {"shown":true}` {
		t.Errorf("%q, %v", got, err)
	}
}

// The end does not wait for all that is to be sent again, nor until the event is
// found for which a batch is refused: a send that is under way may end, and no
// other begins.
func TestEndBetweenSends(t *testing.T) {
	for name, refuses := range map[string]bool{"letters": false, "halves": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dir, from := t.TempDir(), newTape(t, 0)
				if refuses {
					from = newTape(t, 32)
				} else {
					again(t, dir, 32)
				}
				ctx, cancel := context.WithCancel(t.Context())
				to := &receiver{limits: Limits{BatchEvents: 8}, answer: func(_ context.Context, batch []event.Event) (Result, error) {
					cancel()
					time.Sleep(finish / 2)
					if refuses {
						return Result{}, ErrBatch
					}
					return AllDelivered(len(batch)), nil
				}}
				d := NewDelivery("x", "test", to, from, settings(), dead.New(dir, "x", 0), nil, quiet())
				d.Run(ctx)
				if to.calls != 1 || d.Counts().Dead != 0 {
					t.Errorf("%d sends, %+v", to.calls, d.Counts())
				}
			})
		})
	}
}
