package pattern

import (
	"regexp"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/dlclark/regexp2"
)

// A search that backtracks is bounded in time, and so is the number of searches
// that may run into the bound: an expression that did so too often is switched
// off, or anyone who knows it could spend 5 ms of a worker with each packet.
const (
	backtrackTime = 5 * time.Millisecond
	maxTimeouts   = 20
)

// An expression is compiled when it is first needed, and most never are.
type expression struct {
	text        string
	ignoresCase bool
	backtracks  bool
	once        sync.Once
	linear      *regexp.Regexp
	backtrack   *regexp2.Regexp
	timeouts    atomic.Int32
}

// find gives the leftmost match. What cannot be compiled or runs out of time
// does not match; the first cannot be, as Compile has parsed the text.
func (e *expression) find(text []byte) (start, end int, ok bool) {
	e.once.Do(e.compile)
	switch {
	case e.linear != nil:
		if at := e.linear.FindIndex(text); at != nil {
			return at[0], at[1], true
		}
	case e.backtrack != nil && e.timeouts.Load() < maxTimeouts:
		m, err := e.backtrack.FindStringMatch(string(text))
		if err != nil {
			e.timeouts.Add(1)
		}
		if err != nil || m == nil {
			return 0, 0, false
		}
		start = byteOffset(text, m.Index)
		return start, start + byteOffset(text[start:], m.Length), true
	}
	return 0, 0, false
}

func (e *expression) compile() {
	if e.backtracks {
		e.backtrack, _ = compileBacktracking(e.text, e.ignoresCase)
		return
	}
	text := e.text
	if e.ignoresCase {
		text = "(?i)" + text
	}
	e.linear, _ = regexp.Compile(text)
}

// setClock makes the clock of regexp2 fine enough for backtrackTime: it ticks
// only every 100 ms by itself. It runs only while searches do.
var setClock = sync.OnceFunc(func() { regexp2.SetTimeoutCheckPeriod(time.Millisecond) })

func compileBacktracking(text string, ignoresCase bool) (*regexp2.Regexp, error) {
	setClock()
	options := regexp2.RegexOptions(regexp2.RE2)
	if ignoresCase {
		options |= regexp2.IgnoreCase
	}
	re, err := regexp2.Compile(text, options)
	if err != nil {
		return nil, err
	}
	re.MatchTimeout = backtrackTime
	return re, nil
}

// byteOffset gives the bytes of the first runes of a text.
func byteOffset(text []byte, runes int) int {
	at := 0
	for ; runes > 0 && at < len(text); runes-- {
		_, n := utf8.DecodeRune(text[at:])
		at += n
	}
	return at
}
