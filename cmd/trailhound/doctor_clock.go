package main

import (
	"fmt"
	"time"
)

// clock is what the kernel says of its clock.
type clock struct {
	now          time.Time
	synchronised bool
	mostError    time.Duration // of the clock, as the kernel reckons
	err          error         // why it is not known whether it is synchronised
}

// The years between which a clock is taken to be set.
const firstYear, lastYear = 2025, 2100

func checkClock(c clock) finding {
	f := finding{Check: "clock", Status: statusOK, Detail: c.now.UTC().Format("2006-01-02 15:04:05 UTC")}
	const how = "start a time service: chronyd, systemd-timesyncd or ntpd"
	switch year := c.now.UTC().Year(); {
	case year < firstYear || year > lastYear:
		f.Status, f.Action = statusFail, "set the clock, then "+how
		f.Detail += ": that is not the time"
	case c.err != nil:
		f.Status, f.Action = statusWarn, "check by hand: timedatectl"
		f.Detail += fmt.Sprintf("; whether it is synchronised cannot be read: %v", c.err)
	case !c.synchronised:
		f.Status, f.Action = statusWarn, how
		f.Detail += ", not synchronised: events cannot be matched with those of other hosts"
	case c.mostError > time.Second:
		f.Status, f.Action = statusWarn, "check the time service: chronyc tracking, timedatectl timesync-status"
		f.Detail += fmt.Sprintf(", synchronised, but may be off by %s", c.mostError.Round(100*time.Millisecond))
	default:
		f.Detail += fmt.Sprintf(", synchronised (off by at most %s)", c.mostError.Round(time.Millisecond))
	}
	return f
}
