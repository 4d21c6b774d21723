package dead

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// Limit is how many bytes of dead letters an output keeps unless told otherwise.
const Limit = 16 << 20

// File is where the dead letters of one output go. Put is for one goroutine;
// Counts for any.
type File struct {
	dir, name string
	limit     int64

	mu     sync.Mutex
	file   *os.File
	size   int64
	counts Counts
}

// Counts are those since the file was opened.
type Counts struct {
	Letters uint64 // written
	Evicted uint64 // of those kept: gave way to newer ones
	Lost    uint64 // could not be written
}

// New makes the file of an output in a directory. Nothing is opened before the
// first letter. The name is that of an output: letters, digits, - and _.
func New(dir, name string, limit int64) *File {
	if limit <= 0 {
		limit = Limit
	}
	return &File{dir: dir, name: name, limit: limit}
}

// Path is that of the present letters, of a directory and an output's name.
func Path(dir, name string) string { return filepath.Join(dir, name+".jsonl") }

// Older is where letters go when Path has grown to half of the limit.
func Older(dir, name string) string { return filepath.Join(dir, name+".1.jsonl") }

// Again is where letters wait to be sent again.
func Again(dir, name string) string { return filepath.Join(dir, name+".again.jsonl") }

// Dir is where the letters are.
func (f *File) Dir() string { return f.dir }

// Put writes letters. The error says why some were lost.
func (f *File) Put(letters []Letter) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []byte
	for i := range letters {
		line, err := letters[i].line()
		if err != nil {
			f.counts.Lost++
			continue
		}
		all = append(all, line...)
	}
	if err := f.write(all); err != nil {
		f.counts.Lost += uint64(len(letters))
		return err
	}
	f.counts.Letters += uint64(len(letters))
	return nil
}

// Counts gives the counts up to now.
func (f *File) Counts() Counts {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.counts
}

// Close closes the file. Put opens it again.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.close()
}

func (f *File) close() error {
	if f.file == nil {
		return nil
	}
	err := f.file.Close()
	f.file = nil
	return err
}

// write appends whole lines, after a rotation when there is no room for them.
// What a full disk cut off is taken away again, so that the next line is one.
func (f *File) write(lines []byte) error {
	if err := f.open(); err != nil {
		return err
	}
	if f.size > 0 && f.size+int64(len(lines)) > f.limit/2 {
		if err := f.rotate(); err != nil {
			return err
		}
	}
	n, err := f.file.Write(lines)
	if err != nil {
		if n > 0 {
			err = errors.Join(err, f.file.Truncate(f.size))
		}
		return errors.Join(fmt.Errorf("cannot write dead letters: %w", err), f.close())
	}
	f.size += int64(n)
	// The cursor will pass these events: a loss of power must not take both.
	if err := f.file.Sync(); err != nil {
		return errors.Join(fmt.Errorf("cannot write dead letters: %w", err), f.close())
	}
	return nil
}

// open opens the file where it is not, or is no longer the one of its name:
// letters that are to be sent again are taken away by renaming.
func (f *File) open() error {
	path := Path(f.dir, f.name)
	if f.file != nil {
		ours, err := f.file.Stat()
		there, err2 := os.Stat(path)
		if err == nil && err2 == nil && os.SameFile(ours, there) {
			return nil
		}
		f.close()
	}
	if err := os.MkdirAll(f.dir, 0o750); err != nil {
		return fmt.Errorf("cannot keep dead letters: %w", err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o640)
	if err != nil {
		return fmt.Errorf("cannot keep dead letters: %w", err)
	}
	info, err := file.Stat()
	if err == nil && info.Size() > 0 {
		err = endLine(file, info.Size())
	}
	if err == nil {
		info, err = file.Stat()
	}
	if err != nil {
		return errors.Join(fmt.Errorf("cannot keep dead letters: %w", err), file.Close())
	}
	f.file, f.size = file, info.Size()
	return nil
}

// endLine ends a line that a crash left open.
func endLine(file *os.File, size int64) error {
	last := make([]byte, 1)
	if _, err := file.ReadAt(last, size-1); err != nil {
		return err
	}
	if last[0] == '\n' {
		return nil
	}
	_, err := file.Write([]byte{'\n'})
	return err
}

// rotate makes room. The letters of the file that goes are counted.
func (f *File) rotate() error {
	older := Older(f.dir, f.name)
	n, err := countLines(older)
	if err != nil {
		return err
	}
	if err := f.close(); err != nil {
		return fmt.Errorf("cannot keep dead letters: %w", err)
	}
	if err := os.Rename(Path(f.dir, f.name), older); err != nil {
		return fmt.Errorf("cannot keep dead letters: %w", err)
	}
	f.counts.Evicted += n
	return f.open()
}

func countLines(path string) (n uint64, err error) {
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("cannot keep dead letters: %w", err)
	}
	defer file.Close()
	buf := make([]byte, 64<<10)
	for {
		m, err := file.Read(buf)
		n += uint64(bytes.Count(buf[:m], []byte{'\n'}))
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, fmt.Errorf("cannot keep dead letters: %w", err)
		}
	}
}

// Resend marks the letters of an output to be sent again by whoever delivers to
// it. It says how many files there were: none, one or two. It is an error while
// letters marked before still wait. They get their final name when all are
// together; what a crash left half-way is taken up by the next call.
func Resend(dir, name string) (files int, err error) {
	again := Again(dir, name)
	if _, err := os.Lstat(again); err == nil {
		return 0, fmt.Errorf("dead letters of output %s still wait to be sent again: %q", name, again)
	}
	whole, taken := again+".part", Path(dir, name)+".taken"
	// In the order of their age. The present file is renamed before it is read,
	// so that who writes meanwhile begins a new one.
	for _, from := range []string{taken, Older(dir, name), Path(dir, name)} {
		if from == Path(dir, name) {
			if err := os.Rename(from, taken); errors.Is(err, os.ErrNotExist) {
				continue
			} else if err != nil {
				return files, err
			}
			from = taken
		}
		switch err := join(whole, from); {
		case err == nil:
			files++
		case !errors.Is(err, os.ErrNotExist):
			return files, err
		}
	}
	if err := os.Rename(whole, again); err != nil && !errors.Is(err, os.ErrNotExist) {
		return files, err
	}
	return files, nil
}

// join appends a file to another and removes it. Where there is no other, it
// takes its name.
func join(to, from string) error {
	if _, err := os.Lstat(from); err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_APPEND, 0)
	if errors.Is(err, os.ErrNotExist) {
		return os.Rename(from, to)
	}
	if err != nil {
		return err
	}
	in, err := os.Open(from)
	if err != nil {
		return errors.Join(err, out.Close())
	}
	_, err = io.Copy(out, in)
	if err = errors.Join(err, out.Sync(), out.Close(), in.Close()); err != nil {
		return err
	}
	return os.Remove(from)
}
