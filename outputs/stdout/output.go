// Package stdout writes events to a stream: the terminal, a pipe, a file that
// the caller has opened. Its README is its manual.
package stdout

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"trailhound/agent/event"
	"trailhound/outputs"
	"trailhound/outputs/format"
)

// Options say what is written and how.
type Options struct {
	Name     string // of the destination, for errors; default "standard output"
	Format   string // one of format.Names; default csv
	Identity *event.Identity
	Layout   format.Options
}

// flushBytes is how much text is gathered before it is written.
const flushBytes = 64 << 10

// Output writes to a stream. It keeps nothing back: when Send returns, all that
// it reports as delivered has been written.
type Output struct {
	w      io.Writer
	name   string
	layout format.Layout
	buf    []byte
	ends   []int // of the records in buf
	begun  bool  // the header is written
	torn   bool  // the last write ended inside a record
	stuck  bool  // a write was given up that has not come back

	bytes atomic.Uint64 // written
}

// errStuck is the error once a write was given up: the stream is not usable any
// more.
var errStuck = errors.New("an earlier write has not come back")

// New makes an output for w, which stays the caller's to close. An unknown
// format is an error.
func New(w io.Writer, opt Options) (*Output, error) {
	if opt.Format == "" {
		opt.Format = "csv"
	}
	if opt.Name == "" {
		opt.Name = "standard output"
	}
	opt.Layout.Identity = opt.Identity
	layout, err := format.Named(opt.Format, opt.Layout)
	if err != nil {
		return nil, err
	}
	return &Output{w: w, name: opt.Name, layout: layout}, nil
}

// Send writes the batch. When the stream takes only a part, the events that it
// took whole are delivered and the rest is Retry; the line that was torn is
// ended before anything else is written. A stream whose reader has stopped is
// waited for until ctx ends; after that it takes nothing any more.
func (o *Output) Send(ctx context.Context, batch []event.Event) (outputs.Result, error) {
	r := outputs.Result{Outcomes: make([]outputs.Outcome, len(batch))}
	done := 0
	for done < len(batch) {
		if err := ctx.Err(); err != nil {
			return r, err
		}
		head := o.begin()
		next := done
		for next < len(batch) && len(o.buf) < flushBytes {
			o.buf = o.layout.Append(o.buf, &batch[next])
			o.ends = append(o.ends, len(o.buf))
			next++
		}
		n, err := o.write(ctx, head)
		for i := range n {
			r.Outcomes[done+i] = outputs.Delivered
		}
		if err != nil {
			return r, err
		}
		done = next
	}
	return r, nil
}

// begin starts a buffer with what must stand before the next record, and gives
// the length of that.
func (o *Output) begin() int {
	o.buf, o.ends = o.buf[:0], o.ends[:0]
	if o.torn {
		o.buf = append(o.buf, '\n')
	}
	if !o.begun {
		o.buf = append(o.buf, o.layout.Header...)
	}
	return len(o.buf)
}

// write writes the buffer and gives the number of records that are out whole.
func (o *Output) write(ctx context.Context, head int) (records int, err error) {
	n, err := o.put(ctx)
	if err == nil && n < len(o.buf) {
		err = io.ErrShortWrite
	}
	if n > 0 {
		o.torn = o.buf[n-1] != '\n'
		o.bytes.Add(uint64(n))
	}
	// What lacks only its LF is out: the next write begins with one.
	if n+1 >= head {
		o.begun = true
	}
	if err == nil {
		return len(o.ends), nil
	}
	for records < len(o.ends) && o.ends[records] <= n+1 {
		records++
	}
	return records, fmt.Errorf("cannot write to %s: %w", o.name, err)
}

// put writes the buffer. A write to a pipe that nobody reads cannot be ended, so
// it is left behind, with the buffer, when ctx ends.
func (o *Output) put(ctx context.Context) (n int, err error) {
	if o.stuck {
		return 0, errStuck
	}
	if ctx.Done() == nil {
		return o.w.Write(o.buf)
	}
	buf, written := o.buf, make(chan struct{})
	var count int
	var failed error
	go func() {
		defer close(written)
		count, failed = o.w.Write(buf)
	}()
	select {
	case <-written:
		return count, failed
	case <-ctx.Done():
	}
	select {
	case <-written: // both at once: what is out is out
		return count, failed
	default:
	}
	o.stuck, o.buf = true, nil
	return 0, context.Cause(ctx)
}

// Start writes the header if there is one and it is not out yet, so that a run
// without events leaves a valid file too.
func (o *Output) Start() error {
	if o.begun {
		return nil
	}
	if head := o.begin(); head > 0 {
		_, err := o.write(context.Background(), head)
		return err
	}
	return nil
}

// Check has nothing to ask: a stream shows its faults only when written to.
func (o *Output) Check(ctx context.Context) error { return ctx.Err() }

// Limits are none.
func (o *Output) Limits() outputs.Limits { return outputs.Limits{} }

// Guarantee is Sent: a pipe's reader may go away with what it has not read.
func (o *Output) Guarantee() outputs.Guarantee { return outputs.Sent }

// Close ends a torn line. It keeps the stream open: that belongs to whoever
// gave it.
func (o *Output) Close() error {
	if !o.torn || o.stuck {
		return nil
	}
	o.buf, o.ends = append(o.buf[:0], '\n'), o.ends[:0]
	_, err := o.write(context.Background(), 0)
	return err
}
