package agent

import (
	"sync/atomic"

	"trailhound/agent/event"
)

// QueueBytes bounds the events of one worker that wait for the gate, about: a
// flood of the longest evidence must not cost more than a flood of short.
const QueueBytes = 8 << 20

// lineup is the queue of one live worker to the gate: bounded in events and in
// bytes, and never waited for.
type lineup struct {
	queue   chan item
	wake    chan struct{}
	bytes   atomic.Int64
	dropped atomic.Uint64
	missed  atomic.Bool // an answer was dropped, and the gate does not know yet
	ahead   int         // the gate's: what waited when it last heard of that, and still does
}

// item is what waits: an event, or what was seen of the answer to one.
type item struct {
	event  *event.Event
	answer *event.Answer
}

func (i item) size() int64 {
	if i.event == nil {
		return int64(i.answer.Size())
	}
	return int64(i.event.Size())
}

// put queues an item, or drops it; dropped events are counted.
func (l *lineup) put(e item) {
	size := e.size()
	if l.bytes.Load()+size > QueueBytes {
		l.drop(e)
		return
	}
	l.bytes.Add(size)
	select {
	case l.queue <- e:
	default:
		l.bytes.Add(-size)
		l.drop(e)
		return
	}
	select {
	case l.wake <- struct{}{}:
	default: // the gate is awake already
	}
}

func (l *lineup) drop(e item) {
	if e.event == nil {
		l.missed.Store(true)
		return
	}
	l.dropped.Add(1)
}

func (l *lineup) take() (item, bool) {
	select {
	case e := <-l.queue:
		l.bytes.Add(-e.size())
		return e, true
	default:
		return item{}, false
	}
}
