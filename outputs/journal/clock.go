package journal

import "time"

// A clock is the journal's own: it counts the time that the journal is open,
// and never more than a minute between two looks, which are a second apart as
// a rule. So the age of an event does not depend on what the system's clock
// says: it may jump by a year either way. A sensor that was off does not come
// back to find everything too old.
type clock struct {
	now    time.Duration
	looked time.Time
}

const longestStep = time.Minute

func (c *clock) look(t time.Time) time.Duration {
	c.now += max(0, min(t.Sub(c.looked), longestStep))
	c.looked = t
	return c.now
}

// backoff spaces attempts on that clock: a second first, a minute at most.
type backoff struct {
	pause, at time.Duration
}

func (b *backoff) due(now time.Duration) bool { return now >= b.at }

func (b *backoff) failed(now time.Duration) {
	b.pause = min(max(2*b.pause, time.Second), time.Minute)
	b.at = now + b.pause
}
