package elasticsearch

import (
	"bufio"
	"fmt"
	"io"

	"trailhound/agent/event"
	"trailhound/outputs"
)

// filterPath is what a node is asked to leave in its answer. Every item must
// stay in it, also those that went well: their number is the proof that the
// answer belongs to the request.
var filterPath = []string{
	"items.*.status", "items.*.failure_store", "items.*.error.type", "items.*.error.reason", "items.*.error.caused_by.reason",
}

// answerRoom bounds an answer: this much, and for each item as much as its
// reasons may take when they quote the longest event.
const (
	answerRoom = 64 << 10
	itemRoom   = 16 << 10
)

// A result is what a node says of one event.
type result struct {
	status   int
	diverted bool   // into the failure store of the data stream
	kind     string // of the error: "version_conflict_engine_exception"; empty: none
	reason   string // for people
}

func (r *result) String() string {
	switch {
	case r.kind == "":
		return fmt.Sprintf("status %d", r.status)
	case r.reason == "":
		return fmt.Sprintf("%d %s", r.status, r.kind)
	}
	return fmt.Sprintf("%d %s: %s", r.status, r.kind, r.reason)
}

// A reader of answers keeps its buffers from one to the next.
type answerReader struct {
	scan scanner
	lim  limited
	list []result
	item result // the one being read
}

// read reads the answer to a bulk request of n events and gives a result for
// each, in their order, valid until the next call. An answer with another
// number of items, or one that cannot be read to its end, is an error.
func (a *answerReader) read(in io.Reader, n int) ([]result, error) {
	a.lim = limited{in, answerRoom + int64(n)*itemRoom}
	s := &a.scan
	if s.in == nil {
		s.in = bufio.NewReaderSize(&a.lim, 32<<10)
	}
	s.in.Reset(&a.lim)
	s.err = nil
	a.list = a.list[:0]
	a.document(n)
	if s.err == nil && len(a.list) != n {
		return nil, outputs.Mark(fmt.Errorf("the answer speaks of %d events, %d were sent", len(a.list), n), outputs.ErrProtocol)
	}
	// Read to the end, so that the connection can be used again.
	s.end()
	return a.list, s.err
}

func (a *answerReader) document(n int) {
	s := &a.scan
	s.object(func() {
		if string(s.text) != "items" {
			s.skip()
			return
		}
		a.list = a.list[:0]
		s.array(func() {
			if len(a.list) == n {
				s.fail(outputs.Mark(fmt.Errorf("the answer speaks of more events than the %d that were sent", n), outputs.ErrProtocol))
				return
			}
			a.item = result{}
			s.object(a.action)
			a.list = append(a.list, a.item)
		})
	})
}

// action reads the value of "create".
func (a *answerReader) action() { a.scan.object(a.member) }

func (a *answerReader) member() {
	s := &a.scan
	switch string(s.text) {
	case "status":
		a.item.status = s.number()
	case "failure_store":
		s.quoted()
		a.item.diverted = string(s.text) == "used"
	case "error":
		a.readError()
	default:
		s.skip()
	}
}

// readError reads the error of an item. Older nodes have a text there.
func (a *answerReader) readError() {
	s := &a.scan
	if s.peek() != '{' {
		s.quoted()
		a.item.kind, a.item.reason = "error", clean(s.text)
		return
	}
	s.object(func() {
		switch string(s.text) {
		case "type":
			s.quoted()
			a.item.kind = clean(s.text)
		case "reason":
			s.quoted()
			a.item.reason = clean(s.text)
		case "caused_by":
			a.cause()
		default:
			s.skip()
		}
	})
}

// cause reads what an error was caused by: of a document that cannot be parsed,
// only this says what is wrong with the value.
func (a *answerReader) cause() {
	s := &a.scan
	if s.peek() != '{' {
		s.skip()
		return
	}
	s.object(func() {
		if string(s.text) != "reason" {
			s.skip()
			return
		}
		s.quoted()
		if len(s.text) > 0 {
			a.item.reason += " (" + clean(s.text) + ")"
		}
	})
}

// clean makes text of a receiver fit for a log: one line, valid, bounded.
func clean(text []byte) string {
	t, _ := event.Clean(text, maxText)
	return t
}
