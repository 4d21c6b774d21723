// Package generation keeps the trail table that is in use and changes it for
// another while packets go on.
//
// A new table is renamed into place. The Keeper notices it, checks it, and
// hands it to the workers; each takes it between two batches, and when the last
// has, the old one is unmapped. So there are two tables mapped for a moment,
// and the pages of the new one are read in by those who look something up.
//
// # A file that changes under its mapping
//
// A mapping shows whatever is written to its file, and faults behind its end.
// Both happen when somebody copies a table over the old one instead of renaming
// it into place. The Keeper notices by the size and time of the mapped file, or
// is told by a worker that met a fault, and changes to another table at once.
//
// That must be a table of which nobody knows: a hard link would be the same
// file and share its fate. So the Keeper makes a copy of each table that it has
// checked, "trails.good" in the state directory, by reflink where the file
// system can. It lies there until the next table is checked, takes as much room
// as a link to the table before would keep occupied, and holds what was matched
// against a moment ago instead of yesterday.
//
// The same copy is used at a start without a readable table. When there is no
// copy either, the starter set is left.
package generation

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"trailhound/trails/table"
)

// A Generation is a table that was in use from some moment on. Its fields do
// not change. The table's memory is there until the generation after it was
// taken by all who use it; Len, Count, Created, Size and File of the table can
// be asked at any time.
type Generation struct {
	Number   uint64 // from 1
	Table    *table.Table
	Source   string    // the path of the file; empty for the starter set
	Starter  bool      // the starter set, or nothing at all when even that failed
	Fallback bool      // in place of the configured table, which could not be used
	Opened   time.Time // when it was mapped

	info os.FileInfo // of the file as it was opened; nil: none
	file *os.File    // keeps the inode, whatever becomes of its name
	head []byte      // its first bytes, which hold the checksums of the rest

	checked  atomic.Bool // its checksums were compared
	damaged  atomic.Bool // and are wrong
	unmapped atomic.Bool
	faulted  atomic.Bool // somebody found that it cannot be read
	once     sync.Once
}

// close unmaps the table.
func (g *Generation) close() {
	g.once.Do(func() {
		g.unmapped.Store(true)
		g.Table.Close()
	})
}

// forget lets go of the file.
func (g *Generation) forget() {
	if g.file != nil {
		g.file.Close()
	}
}

// discard lets go of a generation that was never in use.
func (g *Generation) discard() {
	g.close()
	g.forget()
}

// errChanging is the error of a file that changed while it was read: it will be
// looked at again.
var errChanging = errors.New("the file changes while it is read")

// openGeneration maps the table at path. Errors name the path.
func openGeneration(path string) (g *Generation, err error) {
	f, err := openFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot open trail table %q: %w", path, bare(err))
	}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("cannot open trail table %q: %w", path, bare(err))
	}
	var t *table.Table
	if err = withoutFault(nil, func() error { t, err = table.Open(path); return err }); err != nil {
		return nil, err
	}
	// The table opens the path by itself: it must be the same file.
	if now, serr := os.Stat(path); serr != nil || !same(now, info) {
		t.Close()
		return nil, fmt.Errorf("cannot open trail table %q: %w", path, errChanging)
	}
	head := make([]byte, headSize)
	n, err := f.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		t.Close()
		return nil, fmt.Errorf("cannot read trail table %q: %w", path, bare(err))
	}
	return &Generation{Table: t, Source: path, Opened: time.Now(), info: info, file: f, head: head[:n]}, nil
}

// headSize covers a table's header and directory.
const headSize = 4096

// same says whether two looks at a file found the same file with the same
// content, as far as size and time of the last change tell.
func same(a, b os.FileInfo) bool {
	return a != nil && b != nil && os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// changed says whether the file of g is no longer as it was opened.
func (g *Generation) changed() bool {
	if g.file == nil {
		return false
	}
	now, err := g.file.Stat()
	return err != nil || !same(now, g.info)
}

// Read runs f, which reads the table. A fault, because the file was cut off in
// place, becomes an error that names the table and wraps table.ErrDamaged; other
// errors are passed on as they are.
func (g *Generation) Read(f func() error) error {
	var own error
	if err := withoutFault(g.Table, func() error { own = f(); return nil }); err != nil {
		return fmt.Errorf("trail table %q: %w", g.Source, err)
	}
	return own
}

// sums compares the checksums of the whole file. After each part of it pace is
// called, whose error ends it.
func (g *Generation) sums(pace func() error) error {
	return bare(table.VerifySums(g.file, g.info.Size(), pace))
}

// withoutFault runs f, which reads mapped memory: that of t, or when t is nil,
// of a table that f opens. A fault becomes an error that wraps
// table.ErrDamaged; any other panic is passed on.
func withoutFault(t *table.Table, f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		fault, ok := v.(interface {
			runtime.Error
			Addr() uintptr
		})
		if !ok || t != nil && !t.Holds(fault.Addr()) {
			panic(v)
		}
		err = fmt.Errorf("%w: the file was cut off while it was read", table.ErrDamaged)
	}()
	return f()
}

// bare drops the path from an error that will name it anyway.
func bare(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
