package outputs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"trailhound/agent/event"
)

// The last failures are kept, those that repeat as one, with their class; each
// attempt that failed is counted under it.
func TestFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, calls := time.Now(), 0
		to := &receiver{answer: func(_ context.Context, batch []event.Event) (Result, error) {
			switch calls++; {
			case calls <= 5:
				return Result{}, fmt.Errorf("https://user:s3cr%%40et@siem.example: \x1b[2J%w", context.DeadlineExceeded)
			case calls <= 15:
				return Result{}, Mark(fmt.Errorf("%d: %s", calls, strings.Repeat("x", 4096)), ErrThrottled)
			case calls == 16:
				return Result{}, nil // takes nothing, and says nothing
			}
			return AllDelivered(len(batch)), nil
		}}
		d := NewDelivery("x", "test", to, newTape(t, 3), settings(), nil, nil, quiet())
		d.Run(t.Context())
		c := d.Counts()
		var sum uint64
		for _, n := range c.Classes {
			sum += n
		}
		if c.Errors != 16 || sum != c.Errors || c.Classes[Timeout] != 5 || c.Classes[Throttled] != 10 || c.Classes[Unavailable] != 1 {
			t.Errorf("%+v", c)
		}
		f := d.Failures()
		if len(f) != maxFailures || f[7].Text != "3 of 3 events were not taken" || f[7].Class != Unavailable || !strings.HasPrefix(f[0].Text, "9: xxx") {
			t.Errorf("%+v", f)
		}
		for _, one := range f[:7] {
			if len(one.Text) > maxFailure || one.Times != 1 || one.First != one.Last || one.First.Before(start) {
				t.Errorf("%+v", one)
			}
		}
		if c.Delays.Counts == [len(c.Delays.Counts)]uint64{} || c.Delays.Sum < 60 {
			t.Errorf("%+v", c.Delays)
		}
		var sends uint64
		for _, n := range c.Sends.Counts {
			sends += n
		}
		if sends != 17 {
			t.Errorf("%d sends were timed", sends)
		}
	})
}

func TestFailureRepeats(t *testing.T) {
	var f failures
	at := time.Unix(1000, 0)
	for i := range 5 {
		f.add(at.Add(time.Duration(i)*time.Second), Connect, "refused")
	}
	f.add(at.Add(time.Minute), Timeout, "refused")
	if f.n != 2 || f.list[0] != (Failure{at, at.Add(4 * time.Second), 5, Connect, "refused"}) || f.list[1].Times != 1 {
		t.Errorf("%+v", f.list[:f.n])
	}
	for _, c := range []struct{ in, want string }{
		{"https://user:s3cret@siem.example/x: refused", "https://***@siem.example/x: refused"},
		{"proxy http://u:s3cret@10.0.0.1:3128 and socks5://a:s3cret@b", "proxy http://***@10.0.0.1:3128 and socks5://***@b"},
		{"https://siem.example/a@b c@d", "https://siem.example/a@b c@d"},
		{"two\nlines\x00", "two lines"},
	} {
		if got := failureText(errors.New(c.in)); got != c.want {
			t.Errorf("%q became %q, want %q", c.in, got, c.want)
		}
	}
}
