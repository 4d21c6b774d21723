package csv

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// A file is what of os.File is used, so that tests can have one that fails.
type file interface {
	io.Writer
	io.ReaderAt
	Stat() (fs.FileInfo, error)
	Truncate(size int64) error
	Chmod(mode fs.FileMode) error
	Sync() error
	Close() error
}

func openFile(path string, flag int, mode fs.FileMode) (file, error) {
	return os.OpenFile(path, flag, mode)
}

// ready makes sure that the file at the path is the one that is open, and that
// its size is known. Another program may have renamed, removed or emptied it.
func (o *Output) ready() error {
	if o.f != nil {
		switch at, err := os.Stat(o.opt.Path); {
		case err == nil && os.SameFile(at, o.info):
			return o.settle(at.Size())
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("cannot look at %s: %w", o.opt.Path, err)
		}
		o.f.Close()
		o.f = nil
	}
	return o.reopen()
}

// settle takes note of the size, and removes what a failed write has left if
// that did not work at once.
//
// A file that has become smaller was emptied by another program, which had
// copied it before (logrotate's copytruncate). The last write may have come
// between its copying and its emptying: those records are written once more.
func (o *Output) settle(size int64) error {
	if size < o.size && len(o.last) > 0 {
		o.size, o.damaged = size, false
		o.buf = o.buf[:0]
		if size == 0 {
			o.buf = append(o.buf, o.layout.Header...)
		}
		o.buf = append(o.buf, o.last...)
		if err := o.write(); err != nil {
			return err
		}
		o.repeats.Add(1)
		o.log.Debug("the file was emptied: the last records were written once more", "file", o.opt.Path)
		return nil
	}
	if o.damaged && size > o.size {
		if err := o.f.Truncate(o.size); err != nil {
			return fmt.Errorf("cannot cut the torn end off %s: %w", o.opt.Path, err)
		}
		size = o.size
	}
	o.damaged = false
	o.size = size
	return nil
}

var errNotRegular = errors.New("not a regular file")

func (o *Output) reopen() error {
	path := o.opt.Path
	o.last = o.last[:0]
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return fmt.Errorf("cannot create the directory of %s: %w", path, err)
	}
	// Opening a pipe would wait for a reader, a device would take anything.
	before, err := os.Stat(path)
	if err == nil && !before.Mode().IsRegular() {
		return fmt.Errorf("cannot %w", &fs.PathError{Op: "open", Path: path, Err: errNotRegular})
	}
	f, openErr := o.open(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, o.opt.Mode)
	if openErr != nil {
		return fmt.Errorf("cannot open %s: %w", path, openErr)
	}
	if err != nil {
		err = f.Chmod(o.opt.Mode) // new: the configured mode, not what the umask leaves of it
	}
	var info fs.FileInfo
	if err == nil {
		info, err = f.Stat()
	}
	size := int64(0)
	if err == nil {
		size, err = o.mend(f, info.Size())
	}
	if err != nil {
		f.Close()
		return fmt.Errorf("cannot use %s: %w", path, err)
	}
	o.f, o.info, o.size, o.damaged = f, info, size, false
	o.day = day(o.now())
	if size > 0 {
		o.day = day(info.ModTime())
	}
	if err := o.checkHeader(); err != nil {
		if o.f != nil {
			o.f.Close()
			o.f = nil
		}
		return err
	}
	return nil
}

// mend cuts off a last line without LF, which a crash in the middle of a write
// leaves behind, and gives the size that remains.
func (o *Output) mend(f file, size int64) (int64, error) {
	whole, err := lastLineEnd(f, size)
	if err != nil || whole == size {
		return whole, err
	}
	if err := f.Truncate(whole); err != nil {
		return size, err
	}
	o.torn.Add(1)
	o.log.Warn("cut a torn last line off", "file", o.opt.Path, "bytes", size-whole)
	return whole, nil
}

// lastLineEnd gives the offset behind the last LF among the first size bytes.
func lastLineEnd(r io.ReaderAt, size int64) (int64, error) {
	buf := make([]byte, min(size, 64<<10))
	for end := size; end > 0; {
		b := buf[:min(end, int64(len(buf)))]
		if _, err := r.ReadAt(b, end-int64(len(b))); err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		end -= int64(len(b))
		if i := bytes.LastIndexByte(b, '\n'); i >= 0 {
			return end + int64(i) + 1, nil
		}
	}
	return 0, nil
}

// csvBegins is how the header of a CSV file has begun in every version.
const csvBegins = "time,sensor,"

// checkHeader rotates a file away that begins otherwise than this version's
// files do, or with a header though the format has none: records must match
// what is above them.
func (o *Output) checkHeader() error {
	if o.size == 0 {
		return nil
	}
	head := o.layout.Header
	b := make([]byte, max(len(head), len(csvBegins)))
	n, err := o.f.ReadAt(b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("cannot read %s: %w", o.opt.Path, err)
	}
	fits := bytes.HasPrefix(b[:n], head)
	if len(head) == 0 {
		fits = !bytes.HasPrefix(b[:n], []byte(csvBegins))
	}
	if fits {
		return nil
	}
	name, err := o.putAside()
	if err != nil {
		return err
	}
	o.log.Warn("what the file holds has other columns: a new one is begun", "file", o.opt.Path, "old", name)
	return o.reopen()
}

// day numbers the UTC days.
func day(t time.Time) int64 { return t.Unix() / 86400 }
