package journal

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// A fileSystem is what the journal asks of the system, so that tests can have
// one that fails at will. Paths are whole paths.
type fileSystem interface {
	MkdirAll(dir string) error
	// List names the regular files of a directory.
	List(dir string) ([]string, error)
	// Open opens a file that exists: for reading, or for writing as well.
	Open(path string, write bool) (file, error)
	// Create makes a file or empties the one that is there.
	Create(path string) (file, error)
	Rename(from, to string) error
	Remove(path string) error
	// SyncDir makes the names of a directory durable.
	SyncDir(dir string) error
	// Space tells the size of the file system and what of it is free for us.
	Space(dir string) (free, total int64, err error)
	// Lock takes the lock of a directory until it is closed: ErrLocked when
	// another process has it.
	Lock(path string) (io.Closer, error)
	// Boot identifies this run of the machine; all zero when that is unknown.
	Boot() [16]byte
}

// A file is what the journal uses of one.
type file interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Sync() error
	Truncate(size int64) error
	Size() (int64, error)
	// Allocate takes the blocks for that many bytes and leaves the size as it
	// is. A file system that cannot do this says nothing.
	Allocate(size int64) error
}

// ErrLocked is in the chain of State.Degraded when another process writes this
// journal.
var ErrLocked = errors.New("another process has this journal")

// system is the real file system. What needs the kernel's own calls is in
// disk_linux.go.
type system struct{}

// systemFile is an open file of it.
type systemFile struct{ *os.File }

func (system) MkdirAll(dir string) error { return os.MkdirAll(dir, 0o750) }

func (system) List(dir string) (names []string, err error) {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if e.Type().IsRegular() {
			names = append(names, e.Name())
		}
	}
	return names, err
}

func (system) Open(path string, write bool) (file, error) {
	flag := os.O_RDONLY
	if write {
		flag = os.O_RDWR
	}
	return openSystem(path, flag)
}

func (system) Create(path string) (file, error) {
	return openSystem(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC)
}

func openSystem(path string, flag int) (file, error) {
	f, err := os.OpenFile(path, flag, 0o640)
	if err != nil {
		return nil, err
	}
	return systemFile{f}, nil
}

func (system) Rename(from, to string) error { return os.Rename(from, to) }

func (system) Remove(path string) error { return os.Remove(path) }

func (system) SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (f systemFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func isMissing(err error) bool { return errors.Is(err, fs.ErrNotExist) }

func (j *Journal) path(name string) string { return filepath.Join(j.opt.Path, name) }
