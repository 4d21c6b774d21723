package capture

import "time"

// ClockSet is how far behind the latest of others the time of a frame lies when
// the clock was set back; a frame that is nearer came late.
const ClockSet = 30 * time.Second

// Clock tells the eras of a capture: one ends where the clock was set back. It
// sees the frames that are not selected too, so that an era means the same to
// all workers. Files that share a Clock are one capture.
type Clock struct {
	latest int64 // second, of the present era
	era    uint32
	begun  bool
}

// pass takes the time of the next frame.
func (c *Clock) pass(t time.Time) {
	switch second := t.Unix(); {
	case !c.begun || second > c.latest:
		c.begun, c.latest = true, second
	case second < c.latest-int64(ClockSet/time.Second):
		c.era++
		c.latest = second
	}
}
