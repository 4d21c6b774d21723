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
	queue   chan *event.Event
	wake    chan struct{}
	bytes   atomic.Int64
	dropped atomic.Uint64
}

// put queues an event, or drops and counts it.
func (l *lineup) put(e *event.Event) {
	size := int64(e.Size())
	if l.bytes.Load()+size > QueueBytes {
		l.dropped.Add(1)
		return
	}
	l.bytes.Add(size)
	select {
	case l.queue <- e:
	default:
		l.bytes.Add(-size)
		l.dropped.Add(1)
		return
	}
	select {
	case l.wake <- struct{}{}:
	default: // the gate is awake already
	}
}

func (l *lineup) take() (*event.Event, bool) {
	select {
	case e := <-l.queue:
		l.bytes.Add(-int64(e.Size()))
		return e, true
	default:
		return nil, false
	}
}
