package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"trailhound/trails"
	"trailhound/trails/pattern"
	"trailhound/trails/source"
	"trailhound/trails/table"
)

// tableMagic begins every compiled table, whole or damaged in transfer.
const tableMagic = "TRLHND"

// openRegular opens a regular file. It does not wait, as it would for the writer
// of a FIFO, and refuses what is none. The error does not name the path.
func openRegular(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, bare(err)
	}
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = errors.New("not a regular file")
	}
	if err != nil {
		f.Close()
		return nil, bare(err)
	}
	return f, nil
}

// isTable says whether a path is a compiled table, by its first bytes.
func isTable(path string) (bool, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a FIFO must not hang the start
	if err != nil {
		return false, fmt.Errorf("cannot read trails %q: %w", path, bare(err))
	}
	defer f.Close()
	if st, err := f.Stat(); err != nil || !st.Mode().IsRegular() {
		return false, err
	}
	head := make([]byte, len(tableMagic))
	n, err := io.ReadFull(f, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return false, fmt.Errorf("cannot read trails %q: %w", path, bare(err))
	}
	return string(head[:n]) == tableMagic, nil
}

// buildOptions are what a build may be told.
type buildOptions struct {
	seed     uint64
	now      time.Time    // zero: the newest modification time of the inputs
	previous *table.Table // hands on first sightings; may be nil
}

// compilation is a build that has read its inputs.
type compilation struct {
	builder *table.Builder
	percent int // of the collector before the build
	report  source.Report
	now     time.Time
}

// compile reads paths in order; of a trail that several of them list the last
// one's info and reference count. A compilation is given with an error, too, if
// there is anything to report. It must be stopped in the end.
func compile(paths []string, opt buildOptions) (*compilation, error) {
	now := opt.now
	if now.IsZero() {
		for _, path := range paths {
			at, err := newest(path)
			if err != nil {
				return nil, err
			}
			if at.After(now) {
				now = at
			}
		}
	}
	b := &compilation{now: now, builder: table.NewBuilder(table.Options{Seed: opt.seed, Now: now, Previous: opt.previous})}
	// Nearly all of a build's heap lives to its end: collecting it at each
	// doubling finds nothing.
	b.percent = debug.SetGCPercent(400)
	for _, path := range paths {
		if err := b.read(path); err != nil {
			b.stop()
			return b, err
		}
	}
	return b, nil
}

// stop gives the collector its pace again.
func (b *compilation) stop() { debug.SetGCPercent(b.percent) }

func (b *compilation) read(path string) error {
	compiled, err := isTable(path)
	if err != nil {
		return err
	}
	if compiled {
		return b.readTable(path)
	}
	report, err := source.Read(path, b.builder, source.Options{CheckPattern: checkPattern, CheckUserAgent: checkUserAgent})
	b.report.Add(report)
	return err
}

// readTable takes over the trails of a compiled table with their sources.
func (b *compilation) readTable(path string) error {
	t, err := table.Open(path)
	if err != nil {
		return err
	}
	defer t.Close()
	// What Provenance gives of each trail is garbage at once.
	defer debug.SetGCPercent(debug.SetGCPercent(50))
	known := make(map[string]uint32) // handles by everything a provenance says
	var text []byte
	for r := range t.All() {
		p := t.Provenance(r)
		text = appendProvenance(text[:0], &p)
		handle, ok := known[string(text)]
		if !ok {
			handle = b.builder.Provenance(p)
			known[string(text)] = handle
		}
		b.builder.Add(t.Kind(r), t.Key(r), handle)
		b.report.Trails++
		b.report.ByKind[t.Kind(r)]++
	}
	b.report.Files++
	if b.report.Trails == 0 {
		return fmt.Errorf("%s: %w", path, source.ErrNoTrails)
	}
	return nil
}

func appendProvenance(dst []byte, p *trails.Provenance) []byte {
	dst = append(append(append(append(dst, p.Info...), 0), p.Reference...), 0)
	for _, s := range p.Sources {
		dst = append(append(dst, s.Name...), 1)
		for _, u := range s.URLs {
			dst = append(append(dst, u...), 2)
		}
	}
	return dst
}

// checkPattern refuses expressions over names that matching could not use.
func checkPattern(text string) error {
	if fixed, ok := pattern.Repair(text); ok {
		text = fixed
	}
	_, problems := pattern.Compile([]string{text}, pattern.Options{})
	if len(problems) > 0 {
		return problems[0].Err
	}
	return nil
}

// checkUserAgent refuses what would match every User-Agent. All else is usable:
// what is no expression is taken literally.
func checkUserAgent(text string) error {
	_, problems := pattern.Compile([]string{text}, pattern.Options{Fold: true})
	if len(problems) > 0 && (errors.Is(problems[0].Err, pattern.ErrEmptyMatch) || errors.Is(problems[0].Err, pattern.ErrTooLarge)) {
		return problems[0].Err
	}
	return nil
}

// mapped writes the table into a file without a name and maps it: its pages
// then belong to the kernel's cache, not to this process. Without a directory
// for that file the table lies in memory.
func (b *compilation) mapped() (*table.Table, error) {
	defer b.stop()
	for _, dir := range []string{os.TempDir(), "/var/tmp"} {
		f, err := os.CreateTemp(dir, "trailhound-*.thd")
		if err != nil {
			continue
		}
		t, err := b.mapInto(f)
		f.Close()
		os.Remove(f.Name())
		if err != nil {
			return nil, fmt.Errorf("cannot compile trails in %s (TMPDIR names another directory): %w", dir, bare(err))
		}
		b.builder = nil
		debug.FreeOSMemory() // what the build took is not needed again
		return t, nil
	}
	return b.builder.Memory()
}

func (b *compilation) mapInto(f *os.File) (*table.Table, error) {
	if err := b.builder.Write(f); err != nil {
		return nil, err
	}
	return table.Open(f.Name())
}

// newest gives the latest modification time of a file, or of the files below a
// directory; of a table the time when its own sources were read.
func newest(path string) (at time.Time, err error) {
	compiled, err := isTable(path)
	if err != nil {
		return at, err
	}
	if compiled {
		t, err := table.Open(path)
		if err != nil {
			return at, err
		}
		defer t.Close()
		return t.Created(), nil
	}
	err = filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			if name == path {
				return err
			}
			return nil // what cannot be listed is the reader's to complain of
		}
		if d.IsDir() || (name != path && strings.HasPrefix(d.Name(), ".")) {
			return nil
		}
		if st, err := os.Stat(name); err == nil && st.Mode().IsRegular() && st.ModTime().After(at) {
			at = st.ModTime()
		}
		return nil
	})
	if at.IsZero() {
		at = time.Now()
	}
	return at.UTC().Truncate(time.Second), err
}

// printProblems names the first malformed lines of a reading.
func (a *app) printProblems(r source.Report) {
	if r.Malformed == 0 {
		return
	}
	a.warn("%s passed over%s", count(uint64(r.Malformed), "malformed line"), firstOf(len(r.Problems), r.Malformed))
	for _, p := range r.Problems {
		fmt.Fprintf(a.err, "  %s\n", p)
	}
}

func firstOf(shown, all int) string {
	if shown < all {
		return fmt.Sprintf(", the first %d", shown)
	}
	return ""
}
