// Package csv writes events to a local file: CSV by default, or the lines of
// another format. It rotates the file itself. Its README is its manual.
//
// What it promises: the file consists of whole records at all times but while
// a write is under way. A write that fails is taken back, and what a crash
// tears is cut off when the file is opened again.
package csv

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"sync/atomic"
	"time"

	"trailhound/agent/event"
	"trailhound/outputs"
	"trailhound/outputs/format"
)

// maxWrite bounds one write(2), and with it the memory of an output.
const maxWrite = 1 << 20

// Output appends to one file.
type Output struct {
	opt    Options
	log    *slog.Logger
	layout format.Layout
	now    func() time.Time
	open   func(path string, flag int, mode fs.FileMode) (file, error)

	f       file // nil: not open
	info    fs.FileInfo
	size    int64 // of the whole records in f
	damaged bool  // f may be longer than size
	day     int64 // on which f was written to
	buf     []byte
	last    []byte // the records of the last write to f
	tidy    bool   // rotated files have been looked after

	bytes, torn, rotations, repeats atomic.Uint64
}

// New makes an output. It does not touch the file: the first Send does, so that
// a full or missing file system never keeps the sensor from starting.
func New(opt Options) (*Output, error) {
	if err := opt.check(); err != nil {
		return nil, err
	}
	if opt.Log == nil {
		opt.Log = slog.Default()
	}
	layout, err := format.Named(opt.Format, format.Options{Identity: opt.Identity, Location: opt.Location, SpreadsheetSafe: opt.SpreadsheetSafe})
	if err != nil {
		return nil, err
	}
	return &Output{opt: opt, log: opt.Log, layout: layout, now: time.Now, open: openFile}, nil
}

// Send appends the batch, one write for as many records as a file takes before
// it is rotated. On an error the events already written are Delivered, all
// others are Retry and nothing of them is in the file.
func (o *Output) Send(ctx context.Context, batch []event.Event) (outputs.Result, error) {
	r, err := o.send(ctx, batch)
	// Also when the disk is full: the oldest files may have to go.
	if !o.tidy && o.f != nil && ctx.Err() == nil {
		o.tidy = true
		o.maintain(ctx)
	}
	return r, err
}

func (o *Output) send(ctx context.Context, batch []event.Event) (outputs.Result, error) {
	r := outputs.Result{Outcomes: make([]outputs.Outcome, len(batch))}
	for done := 0; done < len(batch); {
		if err := ctx.Err(); err != nil {
			return r, err
		}
		if err := o.prepare(); err != nil {
			return r, err
		}
		n := o.encode(batch[done:])
		if n == 0 { // the file is too full for even one more
			if err := o.rotate(); err != nil {
				return r, err
			}
			continue
		}
		if err := o.write(); err != nil {
			return r, err
		}
		o.last = append(o.last[:0], bytes.TrimPrefix(o.buf, o.layout.Header)...)
		for i := range n {
			r.Outcomes[done+i] = outputs.Delivered
		}
		done += n
	}
	return r, nil
}

// prepare opens the file, and rotates it when a new day has begun.
func (o *Output) prepare() error {
	if err := o.ready(); err != nil {
		return err
	}
	today := day(o.now())
	if o.opt.Daily && today > o.day && o.size > int64(len(o.layout.Header)) {
		if err := o.rotate(); err != nil {
			return err
		}
	}
	o.day = max(o.day, today)
	return nil
}

// encode fills the buffer with the records that fit into the file and into one
// write, and gives their number. A record that is larger than a whole file
// gets a file of its own.
func (o *Output) encode(batch []event.Event) int {
	o.buf = o.buf[:0]
	if o.size == 0 {
		o.buf = append(o.buf, o.layout.Header...)
	}
	head := len(o.buf)
	for i := range batch {
		before := len(o.buf)
		o.buf = o.layout.Append(o.buf, &batch[i])
		if len(o.buf) == before { // the format has no record for it
			continue
		}
		fresh := o.size == 0 && before == head
		if len(o.buf) > maxWrite && i > 0 || !fresh && o.size+int64(len(o.buf)) > o.opt.MaxSize {
			o.buf = o.buf[:before]
			return i
		}
	}
	return len(batch)
}

// write appends the buffer with one write(2) and takes it back if it fails.
func (o *Output) write() error {
	n, err := o.f.Write(o.buf)
	if err == nil && n < len(o.buf) {
		err = io.ErrShortWrite
	}
	if err == nil {
		o.size += int64(n)
		o.bytes.Add(uint64(n))
		return nil
	}
	if n > 0 {
		o.damaged = true
		if cut := o.f.Truncate(o.size); cut != nil {
			o.log.Error("cannot take back a failed write, will try again", "file", o.opt.Path, "error", cut)
		} else {
			o.damaged = false
		}
	}
	return fmt.Errorf("cannot write to %s: %w", o.opt.Path, err)
}

// Check opens the file for writing, which creates it if need be.
func (o *Output) Check(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return o.ready()
}

// Limits keep a batch to what goes out with few writes.
func (o *Output) Limits() outputs.Limits {
	return outputs.Limits{BatchEvents: 4096, BatchBytes: 4 << 20}
}

// Guarantee is Acknowledged: the file took what Send reports as delivered. It
// outlives the process, not a loss of power within the kernel's write-back
// time.
func (o *Output) Guarantee() outputs.Guarantee { return outputs.Acknowledged }

// Torn is the number of torn last lines that were cut off.
func (o *Output) Torn() uint64 { return o.torn.Load() }

// Repeats is the number of times that the last records were written once more
// because another program had emptied the file.
func (o *Output) Repeats() uint64 { return o.repeats.Load() }

// Rotations is the number of times the file was rotated.
func (o *Output) Rotations() uint64 { return o.rotations.Load() }

// Close brings the file to the disk and closes it. The next Send opens it
// again.
func (o *Output) Close() error {
	if o.f == nil {
		return nil
	}
	err := o.f.Sync()
	if e := o.f.Close(); err == nil {
		err = e
	}
	o.f = nil
	if err != nil {
		return fmt.Errorf("cannot close %s: %w", o.opt.Path, err)
	}
	return nil
}
