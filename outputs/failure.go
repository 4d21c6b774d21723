package outputs

import (
	"regexp"
	"time"

	"trailhound/agent/event"
)

// Bounds on what is kept of failures.
const (
	maxFailures = 8
	maxFailure  = 512 // bytes of one's text
)

// A Failure is how an attempt went wrong. One that comes again at once is the
// same with one more of Times.
type Failure struct {
	First, Last time.Time
	Times       uint64
	Class       Class
	Text        string // one line, of at most 512 bytes
}

// failures are the last ones, the oldest first.
type failures struct {
	list [maxFailures]Failure
	n    int
}

func (f *failures) add(now time.Time, class Class, text string) {
	if f.n > 0 {
		if last := &f.list[f.n-1]; last.Class == class && last.Text == text {
			last.Last = now
			last.Times++
			return
		}
	}
	if f.n == maxFailures {
		copy(f.list[:], f.list[1:])
		f.n--
	}
	f.list[f.n] = Failure{First: now, Last: now, Times: 1, Class: class, Text: text}
	f.n++
}

// userInfo is a user with a password in a URL. No output puts one into an
// error; what a library says is its own.
var userInfo = regexp.MustCompile(`(://)[^/\s@"']*@`)

// failureText is an error as it is kept and shown.
func failureText(err error) string {
	text, _ := event.Clean([]byte(err.Error()), maxFailure)
	return userInfo.ReplaceAllString(text, "${1}***@")
}
