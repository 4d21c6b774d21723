package outputs

import (
	"context"
	"time"
)

// pace holds events back to a rate: a token bucket that holds one second. It is
// used by one goroutine.
type pace struct {
	rate float64 // events a second; 0: no limit
	left float64
	at   time.Time
}

// take waits until n events may go. Waiting makes up for what was taken on
// credit, so a batch that is larger than a second's worth goes in one piece and
// costs the next ones.
func (p *pace) take(ctx context.Context, n int) error {
	if p.rate <= 0 {
		return ctx.Err()
	}
	now := time.Now()
	if p.at.IsZero() {
		p.left = p.rate
	} else {
		p.left = min(p.left+now.Sub(p.at).Seconds()*p.rate, p.rate)
	}
	p.at = now
	if p.left < 0 {
		if err := sleep(ctx, time.Duration(-p.left/p.rate*float64(time.Second))); err != nil {
			return err
		}
		p.left, p.at = 0, time.Now()
	}
	p.left -= float64(n)
	return nil
}

// rest forgets the past: nothing is to catch up on.
func (p *pace) rest() { p.at = time.Time{} }

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
