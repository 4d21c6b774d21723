package filter

import (
	"fmt"
	"strconv"
)

// An Error says what is wrong with an expression, or why it cannot be compiled.
type Error struct {
	Expression string // as it was given
	Column     int    // where, in bytes from 1; 0: the expression as a whole
	Problem    string
}

// Error shows the expression, shortened, and the place in it.
func (e *Error) Error() string {
	if e.Column == 0 {
		return fmt.Sprintf("capture filter %s: %s", shorten(e.Expression), e.Problem)
	}
	return fmt.Sprintf("capture filter %s: column %d: %s", shorten(e.Expression), e.Column, e.Problem)
}

// shorten quotes an expression so that it fits in a message.
func shorten(s string) string {
	const most = 120
	if len(s) > most {
		return strconv.Quote(s[:most]) + "..."
	}
	return strconv.Quote(s)
}

// outside is where an expression leaves our own language. That is no error:
// tcpdump may know it.
type outside struct {
	at   token
	what string // what is not known, for the case that there is no tcpdump
}
