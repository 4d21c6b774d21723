package health

import (
	"fmt"
	"time"

	"trailhound/agent/event"
)

// Traffic without a side at home is raised above a half of five minutes, and is
// over below two fifths of them, of minSides packets at least.
const (
	minSides     = 1000
	raiseForeign = 50 // percent
	endForeign   = 40
)

// judgeHome: most packets are of others with others. On a sensor that guards a
// network that cannot be, so its networks are not those that are configured; then
// directions are wrong, and with them what folds, what is muted and what counts as
// an infection.
func (l *link) judgeHome() verdict {
	if !l.known {
		return verdict{}
	}
	sum := l.fiveMinutes()
	all := sum.home + sum.foreign
	switch {
	case all < minSides: // too few to say anything new
	case sum.foreign*100 < all*endForeign:
		l.foreign = false
	case l.five.full() && sum.foreign*100 > all*raiseForeign:
		l.foreign = true
	}
	return verdict{
		active: l.foreign,
		since:  5 * time.Minute,
		wrong: func() string {
			return fmt.Sprintf("%s of the packets on %s have no side in detection.home_networks: are all of one's own networks listed there?",
				percent(sum.foreign, all), l.label())
		},
		right: func() string { return "most packets on " + l.label() + " have a side in detection.home_networks" },
		measures: func() []event.Measure {
			return []event.Measure{event.Share("foreign_share", sum.foreign, all), event.Count("foreign", sum.foreign), event.Count("home", sum.home)}
		},
	}
}
