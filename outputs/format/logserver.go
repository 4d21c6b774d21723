package format

import (
	"strconv"
	"time"

	"trailhound/agent/event"
)

// AppendLogServer appends the event as a datagram for the reference's server:
// the second of the event, which chooses the day file there, a space, and the
// log line of AppendMaltrail with its LF. For what is BeyondReference nothing
// is appended.
func AppendLogServer(dst []byte, e *event.Event, id *event.Identity, loc *time.Location) []byte {
	if e.BeyondReference() {
		return dst
	}
	// Only what begins with a digit is taken for a second.
	dst = strconv.AppendInt(dst, max(e.Time.Unix(), 0), 10)
	return AppendMaltrail(append(dst, ' '), e, id, loc)
}
