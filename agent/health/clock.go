package health

import "time"

// maxGap is the longest interval between two calls that counts as observed.
const maxGap = 10 * time.Second

// clock adds up the time that was observed. See the package comment.
type clock struct {
	at   time.Duration // since the first call
	now  time.Time     // of the last call
	late bool          // the interval before was too long
}

func (c *clock) advance(now time.Time) {
	d := now.Sub(c.now)
	first := c.now.IsZero()
	c.now = now
	switch {
	case first || d < 0:
		c.late = false
	case d <= maxGap:
		c.late = false
		c.at += d
	case c.late:
		c.at += maxGap
	default:
		c.late = true
	}
}
