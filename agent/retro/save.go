package retro

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// Save writes a store to a file that only its owner may read, in the place of
// the one before, whole or not at all. For do see Write.
func (s *Store) Save(path string, now time.Time, do func(func()) bool) (err error) {
	fresh := path + ".new"
	// One that is left of a crash may have had other rights.
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot write %q: %w", fresh, bare(err))
	}
	f, err := os.OpenFile(fresh, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("cannot write %q: %w", fresh, bare(err))
	}
	w := bufio.NewWriterSize(f, 1<<16)
	err = s.Write(w, now, do)
	if err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(fresh, path)
	}
	if err != nil {
		os.Remove(fresh)
		return fmt.Errorf("cannot write %q: %w", path, bare(err))
	}
	return nil
}

// Load reads a store that Save has written. Without a file there is none, and no
// error. Who gets one that wraps ErrDamaged may put the file aside (Aside).
func Load(path string, memory int64) (*Store, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read %q: %w", path, bare(err))
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%w: it is no file", ErrDamaged)
	}
	var s *Store
	if err == nil {
		s, err = Read(f, memory)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read %q: %w", path, bare(err))
	}
	return s, nil
}

// Aside puts a file that cannot be used out of the way, over one that was put
// there before, and gives its name there.
func Aside(path string) (string, error) {
	aside := path + ".bad"
	if err := os.Rename(path, aside); err != nil {
		return "", fmt.Errorf("cannot put %q aside: %w", path, bare(err))
	}
	return aside, nil
}

// bare drops the path from an error that will name it anyway.
func bare(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	var l *os.LinkError
	if errors.As(err, &l) {
		return l.Err
	}
	return err
}
