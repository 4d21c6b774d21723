package capture

import (
	"fmt"
	"io"
	"os"
	"time"

	"trailhound/agent/packet"
)

// FileOptions are the options of OpenFile; the zero value is usable.
type FileOptions struct {
	Batch int       // most frames in a batch; 512 when 0 or less
	Stdin io.Reader // what "-" reads; os.Stdin when nil
	// Select says which frames to give; nil: all. It sees Data as the frame
	// would have it and must not keep it. Several workers over one file each
	// open a Source of their own and select disjoint frames; every frame is
	// numbered, and each of these sources reports damage. A stream (standard
	// input, a pipe) can be read by one source only.
	Select func(link packet.LinkType, data []byte) bool
	// Snaplen cuts frames to that many bytes; 0: as captured.
	Snaplen int
	// Clock is shared by the files of one capture; nil: this file is all of it.
	Clock *Clock
	// Interrupt, once closed, ends the wait for the writer of a FIFO, and every
	// read from it, with an error; nil: never. Other files do not wait, and
	// standard input is its owner's.
	Interrupt <-chan struct{}
}

// file is the Source over a capture file.
type file struct {
	path   string
	w      *window
	format format
	in     intake
	batch  []Frame
	err    error // the end, once reached
	close  func() error
}

// OpenFile opens a capture file, "-" for standard input: pcap with micro- or
// nanosecond stamps or Kuznetzov's record headers, and pcapng, in either byte
// order, plain or within gzip or zstd; all told by content, not by name.
//
// A FIFO is opened when somebody writes to it, which may be never: Interrupt.
//
// It fails for a path that cannot be opened (the error is that of the system,
// for errors.Is), a directory, an empty file and one that is no capture. A
// capture that is damaged opens, even when not a single frame is readable: the
// *DamageError comes from Next. The source uses about 1.5 MiB, and for each
// zstd layer (at most two) up to 128 MiB more when the file asks for that.
func OpenFile(path string, opt FileOptions) (Source, error) {
	r, shut, err := openPath(path, opt)
	if err != nil {
		return nil, err
	}
	plain, free, err := uncompressed(r)
	if opt.Clock == nil {
		opt.Clock = new(Clock)
	}
	s := &file{path: path, in: intake{pick: opt.Select, snaplen: opt.Snaplen, clock: opt.Clock}}
	s.close = func() error {
		free()
		return shut()
	}
	if err == nil {
		var damage *DamageError
		s.w = newWindow(plain)
		if s.format, damage, err = newFormat(s.w); damage != nil {
			s.fail(damage)
		}
	}
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("%s %w", title(path), err)
	}
	if opt.Batch <= 0 {
		opt.Batch = 512
	}
	s.batch = make([]Frame, 0, opt.Batch)
	return s, nil
}

// openPath opens what path names and a function that closes it again.
func openPath(path string, opt FileOptions) (io.Reader, func() error, error) {
	if path == "-" {
		stdin := opt.Stdin
		if stdin == nil {
			stdin = os.Stdin
		}
		return stdin, func() error { return nil }, nil
	}
	f, err := openRead(path)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot open %s: %w", title(path), cause(err))
	}
	switch info, err := f.Stat(); {
	case err != nil: // reading says it again
	case info.IsDir():
		// Reading a directory fails too, but much later and less clearly.
		f.Close()
		return nil, nil, fmt.Errorf("%s is a directory", title(path))
	case info.Mode()&os.ModeNamedPipe != 0:
		p, err := newPipe(f, opt.Interrupt)
		if err != nil {
			p.Close()
			return nil, nil, fmt.Errorf("cannot open %s: no writer has come: %w", title(path), cause(err))
		}
		return p, p.Close, nil
	}
	return f, f.Close, nil
}

// cause takes the operation and the path out of a file error: the message
// around it names both.
func cause(err error) error {
	if e, ok := err.(*os.PathError); ok {
		return e.Err
	}
	return err
}

func (s *file) Next() ([]Frame, error) {
	if s.err != nil {
		return nil, s.err
	}
	for before := s.in.seen; ; {
		batch, need, damage := s.format.scan(s.w, &s.in, s.batch)
		if damage != nil {
			s.fail(damage)
		}
		if len(batch) > 0 {
			return batch, nil
		}
		if s.err == nil && s.in.seen != before {
			return batch, nil // what was at hand is used up and none of it selected
		}
		if s.err == nil {
			if err := s.w.fill(need); err != nil {
				s.end(err)
			}
		}
		if s.err != nil {
			return nil, s.err
		}
	}
}

// fail makes damage the end of the source.
func (s *file) fail(d *DamageError) {
	d.Path, d.Frames = s.path, s.in.seen
	s.err = d
}

// end ends the source where the input ended: with io.EOF where a capture may
// end, else with damage.
func (s *file) end(err error) {
	d := s.format.end(s.w)
	switch {
	case err == io.EOF && d == nil:
		s.err = io.EOF
		return
	case err != io.EOF:
		offset := s.w.offset()
		if d != nil {
			offset = d.Offset
		}
		d = &DamageError{Offset: offset, Problem: cause(err).Error(), Err: err}
	}
	s.fail(d)
}

func (s *file) Progress() (frames uint64, latest time.Time) { return s.in.seen, s.in.latest }

func (s *file) Close() error {
	if s.close == nil {
		return nil
	}
	err := s.close()
	s.close, s.err, s.w, s.batch = nil, os.ErrClosed, nil, nil
	return err
}
