package csv

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"trailhound/outputs"
)

// A fullFile takes so many bytes more, then fails as a full disk does.
type fullFile struct {
	file
	room     *int
	truncate *bool // whether Truncate works
}

func (f fullFile) Write(b []byte) (int, error) {
	if *f.room < 0 || len(b) <= *f.room {
		return f.file.Write(b)
	}
	n, _ := f.file.Write(b[:*f.room])
	*f.room = 0
	return n, syscall.ENOSPC
}

func (f fullFile) Truncate(size int64) error {
	if !*f.truncate {
		return syscall.EIO
	}
	return f.file.Truncate(size)
}

// TestDiskFullAtEveryByte: wherever the disk fills up, no half record stays
// behind, and when there is room again each event is in the file exactly once.
func TestDiskFullAtEveryByte(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events.csv")
	whole := newBench(t, path, nil)
	whole.send(1, 2)
	info, _ := os.Stat(path)
	for _, truncate := range []bool{true, false} {
		for room := range int(info.Size()) {
			path := filepath.Join(t.TempDir(), "events.csv")
			b := newBench(t, path, nil)
			room, works := room, truncate
			b.open = func(path string, flag int, mode fs.FileMode) (file, error) {
				f, err := openFile(path, flag, mode)
				return fullFile{f, &room, &works}, err
			}
			r, err := b.Send(context.Background(), batch(1, 2))
			if !errors.Is(err, syscall.ENOSPC) || r.Outcomes[0] != outputs.Retry || r.Outcomes[1] != outputs.Retry {
				t.Fatalf("room %d: %v %v", room, r, err)
			}
			if truncate {
				if info, _ := os.Stat(path); info.Size() != 0 {
					t.Fatalf("%d bytes are left", info.Size())
				}
			}
			if r, err := b.Send(context.Background(), batch(1, 2)); err == nil {
				t.Fatalf("still full, but %v", r)
			}
			room, works = -1, true
			b.send(1, 2)
			if got := seqs(t, path); !slices.Equal(got, numbers(1, 2)) {
				t.Fatalf("%v", got)
			}
		}
	}
}

// TestFileSizeLimit lets the kernel refuse a write in the middle, in a child
// whose files may not grow beyond a limit.
func TestFileSizeLimit(t *testing.T) {
	if path := os.Getenv("TRAILHOUND_TEST_LIMITED"); path != "" {
		signal.Ignore(syscall.SIGXFSZ)
		b := newBench(t, path, nil)
		b.send(1, 2)
		before, _ := os.Stat(path)
		limit := syscall.Rlimit{Cur: uint64(before.Size() + 100), Max: uint64(before.Size() + 100)}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			t.Fatal(err)
		}
		r, err := b.Send(context.Background(), batch(3, 5))
		if !errors.Is(err, syscall.EFBIG) || slices.Contains(r.Outcomes, outputs.Delivered) {
			t.Fatalf("%v %v", r, err)
		}
		if after, _ := os.Stat(path); after.Size() != before.Size() {
			t.Fatalf("%d bytes, before %d", after.Size(), before.Size())
		}
		return
	}
	path := filepath.Join(t.TempDir(), "events.csv")
	child := exec.Command(os.Args[0], "-test.run=^TestFileSizeLimit$")
	child.Env = append(os.Environ(), "TRAILHOUND_TEST_LIMITED="+path)
	if out, err := child.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	newBench(t, path, nil).send(3, 5)
	if got := seqs(t, path); !slices.Equal(got, numbers(1, 7)) {
		t.Errorf("%v", got)
	}
}

// TestFullInTheMiddle: what went into files before the fault is delivered.
func TestFullInTheMiddle(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events.csv")
	b := newBench(t, path, func(o *Options) { o.MaxSize = 1500; o.MaxFiles = 100 })
	room, works := 3000, true
	b.open = func(path string, flag int, mode fs.FileMode) (file, error) {
		f, err := openFile(path, flag, mode)
		return countedFile{fullFile{f, &room, &works}}, err
	}
	r, err := b.Send(context.Background(), batch(1, 50))
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	done := slices.Index(r.Outcomes, outputs.Retry)
	if done < 1 || slices.Contains(r.Outcomes[done:], outputs.Delivered) {
		t.Fatalf("%v", r.Outcomes)
	}
	if got := seqsUnordered(t, path); !slices.Equal(got, numbers(1, done)) {
		t.Fatalf("%d delivered, the files hold %v", done, got)
	}
	room = -1
	b.send(1+done, 50-done)
	if got := seqsUnordered(t, path); !slices.Equal(got, numbers(1, 50)) {
		t.Fatalf("%v", got)
	}
}

// A countedFile shares its room with the files after it.
type countedFile struct{ fullFile }

func (f countedFile) Write(b []byte) (int, error) {
	n, err := f.fullFile.Write(b)
	if err == nil && *f.room > 0 {
		*f.room -= n
	}
	return n, err
}
