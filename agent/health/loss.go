package health

import (
	"fmt"
	"time"

	"trailhound/agent/event"
)

// Losses are raised above 1 in 1,000 of the packets of the last minute, and are
// over after a minute below 1 in 2,000. A few packets are no measure: it takes
// at least minLost lost ones and minPackets in all, so that neither one in ten
// packets at the start nor one a minute on a quiet link is raised.
const (
	raiseLoss  = 1000
	endLoss    = 2000
	calm       = time.Minute
	minLost    = 10
	minPackets = 100
)

// lossy follows one kind of loss.
type lossy struct {
	active bool
	above  time.Duration // when it was last not below 1 in endLoss
}

func (l *lossy) judge(at time.Duration, lost, packets uint64) bool {
	switch {
	case !l.active:
		l.active = lost >= minLost && packets >= minPackets && lost > packets/raiseLoss
		l.above = at
	case lost > 0 && lost >= (packets+endLoss-1)/endLoss:
		l.above = at
	case at-l.above >= calm:
		l.active = false
	}
	return l.active
}

// lastMinute gives what was counted in the sliding minute.
func (l *link) lastMinute() counts {
	was, _ := l.minute.oldest()
	sum, _ := l.total.since(was)
	return sum
}

// judgeDrops: the kernel had packets for which the ring had no room.
func (l *link) judgeDrops(at time.Duration) verdict {
	if !l.known {
		return verdict{}
	}
	sum := l.lastMinute()
	offered := max(sum.offered, sum.packets+sum.drops, sum.drops)
	return verdict{
		active: l.drops.judge(at, sum.drops, offered),
		wrong: func() string {
			return fmt.Sprintf("the kernel drops %s of the packets on %s: %d of %d in the last minute", percent(sum.drops, offered), l.label(), sum.drops, offered)
		},
		right: func() string { return "the kernel drops less than 0.05 % of the packets on " + l.label() + " again" },
		measures: func() []event.Measure {
			return []event.Measure{event.Share("drop_share", sum.drops, offered), event.Count("drops", sum.drops),
				event.Count("packets", offered), event.Count("freezes", sum.freezes)}
		},
	}
}

// judgeTruncated: frames were longer than what is kept of them.
func (l *link) judgeTruncated(at time.Duration) verdict {
	if !l.known {
		return verdict{}
	}
	sum := l.lastMinute()
	frames := max(sum.packets, sum.truncated) // whoever counts them may be between the two
	return verdict{
		active: l.truncated.judge(at, sum.truncated, frames),
		wrong: func() string {
			return fmt.Sprintf("%s of the frames on %s are cut: %d of %d in the last minute are longer than capture.snaplen",
				percent(sum.truncated, frames), l.label(), sum.truncated, frames)
		},
		right: func() string { return "less than 0.05 % of the frames on " + l.label() + " are cut again" },
		measures: func() []event.Measure {
			return []event.Measure{event.Share("truncated_share", sum.truncated, frames), event.Count("truncated", sum.truncated),
				event.Count("packets", frames)}
		},
	}
}
