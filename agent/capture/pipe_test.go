package capture

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func newFIFO(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestPipeWithoutWriter: the wait for one can be interrupted.
func TestPipeWithoutWriter(t *testing.T) {
	path := newFIFO(t)
	interrupt, opened := make(chan struct{}), make(chan error)
	go func() {
		_, err := OpenFile(path, FileOptions{Interrupt: interrupt})
		opened <- err
	}()
	close(interrupt)
	if err := <-opened; !errors.Is(err, os.ErrDeadlineExceeded) || !strings.Contains(err.Error(), path) {
		t.Error(err)
	}
}

// TestPipeWriterSilent: so can the wait for what the writer does not write.
func TestPipeWriterSilent(t *testing.T) {
	path := newFIFO(t)
	data := capturesOf(3)
	w, err := os.OpenFile(path, os.O_RDWR, 0) // both ends: opening it does not wait
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	interrupt := make(chan struct{})
	s, err := OpenFile(path, FileOptions{Interrupt: interrupt})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	frames, err := s.Next()
	if len(frames) != 3 || err != nil {
		t.Fatalf("%d frames, %v", len(frames), err)
	}
	ended := make(chan error)
	go func() {
		_, err := s.Next()
		ended <- err
	}()
	close(interrupt)
	if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error(err)
	}
}

// TestPipeWriterComes: one that comes after the reader is read to its end, and
// one that brings nothing is an empty file.
func TestPipeWriterComes(t *testing.T) {
	for _, data := range [][]byte{capturesOf(5000), nil} {
		path := newFIFO(t)
		written := make(chan error, 1)
		go func() { written <- os.WriteFile(path, data, 0) }()
		s, err := OpenFile(path, FileOptions{Interrupt: make(chan struct{})})
		if len(data) == 0 {
			if err == nil || !strings.Contains(err.Error(), "empty") {
				t.Errorf("nothing: %v", err)
			}
		} else if err != nil {
			t.Fatal(err)
		} else {
			n := 0
			for err == nil {
				var frames []Frame
				frames, err = s.Next()
				n += len(frames)
			}
			if n != 5000 || err != io.EOF {
				t.Errorf("%d frames, %v", n, err)
			}
			s.Close()
		}
		if err := <-written; err != nil {
			t.Error(err)
		}
	}
}

// capturesOf is a capture file of n frames.
func capturesOf(n int) []byte {
	frames := make([]sample, n)
	for i := range frames {
		frames[i] = sample{sec: 1700000000, data: make([]byte, 60), length: 60}
	}
	return pcapBytes(classic{}, frames)
}
