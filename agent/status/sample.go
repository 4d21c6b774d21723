package status

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"
)

// sampler gives snapshots to all who ask, one at a time and none younger than
// need be.
type sampler struct {
	take   func() Snapshot
	maxAge time.Duration
	log    *slog.Logger

	mu     sync.Mutex
	last   *sample
	flight *flight // under way
}

// flight is a snapshot being taken.
type flight struct {
	done   chan struct{}
	sample *sample // once done; nil: it failed
}

// sample is a snapshot with the pages that were drawn from it.
type sample struct {
	Snapshot
	taken time.Time

	status, ready, metrics page
}

// page is drawn when it is first asked for.
type page struct {
	once sync.Once
	body []byte
	err  error
}

func (p *page) draw(f func() ([]byte, error)) ([]byte, error) {
	p.once.Do(func() { p.body, p.err = f() })
	return p.body, p.err
}

// patience is how long a request waits for a snapshot. A sensor that is stuck
// must not keep its connections.
const patience = 5 * time.Second

var errNoAnswer = errors.New("the sensor does not answer")

// get gives a sample of at most maxAge. The snapshot is taken on a goroutine
// of its own, one at any time, so that a sensor that is stuck costs one
// goroutine and its requests end.
func (p *sampler) get(ctx context.Context) (*sample, error) {
	p.mu.Lock()
	if p.last != nil && time.Since(p.last.taken) < p.maxAge {
		defer p.mu.Unlock()
		return p.last, nil
	}
	f := p.flight
	if f == nil {
		f = &flight{done: make(chan struct{})}
		p.flight = f
		go p.run(f)
	}
	p.mu.Unlock()

	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-f.done:
		if f.sample == nil {
			return nil, errNoAnswer
		}
		return f.sample, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-timer.C:
		return nil, errNoAnswer
	}
}

func (p *sampler) run(f *flight) {
	// A table that is cut off while a figure is read from it faults. That must
	// cost an answer, not the capture.
	debug.SetPanicOnFault(true)
	defer func() {
		if v := recover(); v != nil {
			p.log.Error("cannot take a snapshot of the sensor's state", "error", fmt.Sprint(v), "stack", string(debug.Stack()))
		}
		p.mu.Lock()
		if f.sample != nil {
			p.last = f.sample
		}
		p.flight = nil
		p.mu.Unlock()
		close(f.done)
	}()
	s := &sample{Snapshot: p.take()}
	s.taken = time.Now()
	s.complete(s.taken)
	f.sample = s
}

// statusPage is the snapshot as JSON.
func (s *sample) statusPage() ([]byte, error) {
	return s.status.draw(func() ([]byte, error) { return document(&s.Snapshot) })
}

// readyPage is readiness as JSON.
func (s *sample) readyPage() ([]byte, error) {
	return s.ready.draw(func() ([]byte, error) {
		return document(struct {
			Ready   bool     `json:"ready"`
			Reasons []Reason `json:"reasons"`
		}{s.Ready, s.Reasons})
	})
}

func document(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return b.Bytes(), err
}
