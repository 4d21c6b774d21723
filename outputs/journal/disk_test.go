package journal

import (
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// A testDisk is a file system in memory that fails when told, runs full, and
// can lose what was not synced.
type testDisk struct {
	mu       sync.Mutex
	names    map[string]*inode
	durable  map[string]*inode // names as of the last SyncDir
	capacity int64             // 0: endless
	locked   bool
	boot     byte
	readOnly bool

	// A fault strikes the operation that finds countdown at 1. Writes do part
	// of their work. With dead set nothing works any more afterwards: the
	// process was killed there.
	countdown int
	fault     error
	dead      bool
	killed    bool
	broken    error // every operation that writes fails
	ops       int   // operations that write
	rand      *rand.Rand
	allocates bool // fallocate works
}

type inode struct {
	data, synced []byte
	allocated    int64
}

func newTestDisk(seed uint64) *testDisk {
	return &testDisk{names: map[string]*inode{}, durable: map[string]*inode{}, boot: 1, rand: rand.New(rand.NewPCG(seed, 7)), allocates: true}
}

// change is asked before each operation that changes something.
func (d *testDisk) change() error {
	d.ops++
	if d.killed {
		return syscall.EINTR
	}
	if d.readOnly {
		return syscall.EROFS
	}
	if d.broken != nil {
		return d.broken
	}
	if d.countdown > 0 {
		if d.countdown--; d.countdown == 0 {
			d.killed = d.dead
			return d.fault
		}
	}
	return nil
}

func (d *testDisk) used() (n int64) {
	seen := map[*inode]bool{}
	for _, i := range d.names {
		if !seen[i] {
			seen[i] = true
			n += max(int64(len(i.data)), i.allocated)
		}
	}
	return n
}

func (d *testDisk) MkdirAll(string) error { return nil }

func (d *testDisk) List(dir string) (names []string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for name := range d.names {
		if filepath.Dir(name) == dir {
			names = append(names, filepath.Base(name))
		}
	}
	slices.Sort(names)
	return names, nil
}

func (d *testDisk) Open(path string, write bool) (file, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	i := d.names[path]
	if i == nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	if write && d.readOnly {
		return nil, syscall.EROFS
	}
	return &testFile{d: d, i: i}, nil
}

func (d *testDisk) Create(path string) (file, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.change(); err != nil {
		return nil, err
	}
	i := &inode{}
	d.names[path] = i
	return &testFile{d: d, i: i}, nil
}

func (d *testDisk) Rename(from, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.change(); err != nil {
		return err
	}
	i := d.names[from]
	if i == nil {
		return fs.ErrNotExist
	}
	delete(d.names, from)
	d.names[to] = i
	return nil
}

func (d *testDisk) Remove(path string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.change(); err != nil {
		return err
	}
	if d.names[path] == nil {
		return fs.ErrNotExist
	}
	delete(d.names, path)
	return nil
}

func (d *testDisk) SyncDir(string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.change(); err != nil {
		return err
	}
	d.durable = maps.Clone(d.names)
	return nil
}

func (d *testDisk) Space(string) (free, total int64, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.capacity == 0 {
		return 1 << 40, 1 << 41, nil
	}
	return max(0, d.capacity-d.used()), d.capacity, nil
}

func (d *testDisk) Lock(string) (io.Closer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.locked {
		return nil, ErrLocked
	}
	d.locked = true
	return testLock{d}, nil
}

type testLock struct{ d *testDisk }

func (l testLock) Close() error {
	l.d.mu.Lock()
	defer l.d.mu.Unlock()
	l.d.locked = false
	return nil
}

func (d *testDisk) Boot() (b [16]byte) {
	b[0] = d.boot
	return b
}

// powerCut loses what was not synced: all of it, some of it, or nothing. The
// machine starts again.
func (d *testDisk) powerCut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.boot++
	if d.rand.IntN(2) == 0 {
		d.names = maps.Clone(d.durable)
	}
	for _, name := range slices.Sorted(maps.Keys(d.names)) {
		i := d.names[name]
		switch d.rand.IntN(3) {
		case 0:
			i.data = slices.Clone(i.synced)
		case 1: // blocks that were written are there, others are as they were
			now := i.data
			for at := 0; at < len(now); at += 512 {
				if d.rand.IntN(2) == 0 {
					continue
				}
				for k := at; k < min(at+512, len(now)); k++ {
					now[k] = 0
					if k < len(i.synced) {
						now[k] = i.synced[k]
					}
				}
			}
		}
		i.synced = slices.Clone(i.data)
	}
	d.durable = maps.Clone(d.names)
}

// segments names the files of segments.
func (d *testDisk) segments() (names []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for name := range d.names {
		if strings.Contains(name, segmentSuffix) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

type testFile struct {
	d *testDisk
	i *inode
}

func (f *testFile) ReadAt(b []byte, off int64) (int, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if off >= int64(len(f.i.data)) {
		return 0, io.EOF
	}
	n := copy(b, f.i.data[off:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (f *testFile) WriteAt(b []byte, off int64) (int, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if err := f.d.change(); err != nil {
		if f.d.broken == nil && !f.d.readOnly && len(b) > 0 {
			f.put(b[:f.d.rand.IntN(len(b))], off)
		}
		return 0, err
	}
	if n := f.room(off, len(b)); n < len(b) {
		f.put(b[:n], off)
		return n, syscall.ENOSPC
	}
	f.put(b, off)
	return len(b), nil
}

// room says how much of n bytes fit on the disk.
func (f *testFile) room(off int64, n int) int {
	if f.d.capacity == 0 {
		return n
	}
	free := f.d.capacity - f.d.used()
	has := max(int64(len(f.i.data)), f.i.allocated)
	return int(max(0, min(int64(n), has+max(0, free)-off)))
}

func (f *testFile) put(b []byte, off int64) {
	if need := off + int64(len(b)); need > int64(len(f.i.data)) {
		f.i.data = append(f.i.data, make([]byte, need-int64(len(f.i.data)))...)
	}
	copy(f.i.data[off:], b)
}

func (f *testFile) Sync() error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if err := f.d.change(); err != nil {
		return err
	}
	f.i.synced = slices.Clone(f.i.data)
	return nil
}

func (f *testFile) Truncate(size int64) error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if err := f.d.change(); err != nil {
		return err
	}
	if size > int64(len(f.i.data)) {
		return fmt.Errorf("grows to %d", size)
	}
	f.i.data = f.i.data[:size]
	f.i.allocated = 0
	return nil
}

func (f *testFile) Size() (int64, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	return int64(len(f.i.data)), nil
}

func (f *testFile) Allocate(size int64) error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if err := f.d.change(); err != nil {
		return err
	}
	if !f.d.allocates {
		return nil
	}
	has := max(int64(len(f.i.data)), f.i.allocated)
	if f.d.capacity > 0 && size-has > f.d.capacity-f.d.used() {
		return syscall.ENOSPC
	}
	f.i.allocated = max(f.i.allocated, size)
	return nil
}

func (f *testFile) Close() error { return nil }
