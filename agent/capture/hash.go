package capture

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
)

// ErrStream says that a capture is a stream (standard input, a pipe, a
// device): it can be read once, by one source, and has no hash beforehand.
var ErrStream = errors.New("is a stream")

// Hash returns the SHA-256 of a capture file as it is stored, compressed or
// not: the part of deterministic event ids that names the capture.
//
// For "-" and whatever is not a regular file the error is ErrStream. The
// first bytes of a stream do not name it: two extracts of one capture often
// begin alike, and events of the second would pass for repeats of the first.
// The caller either spools the stream (Spool), which gives the hash that the
// file would have, or gives its events random ids.
func Hash(path string) (sum [sha256.Size]byte, err error) {
	if path == "-" {
		return sum, fmt.Errorf("%s %w", title(path), ErrStream)
	}
	// Before opening: opening a named pipe waits for its writer.
	info, err := os.Stat(path)
	if err != nil {
		return sum, fmt.Errorf("cannot open %s: %w", title(path), cause(err))
	}
	if info.IsDir() {
		return sum, fmt.Errorf("%s is a directory", title(path))
	}
	if !info.Mode().IsRegular() {
		return sum, fmt.Errorf("%s %w", title(path), ErrStream)
	}
	r, shut, err := openPath(path, nil)
	if err != nil {
		return sum, err
	}
	defer shut()
	h := sha256.New()
	if _, err := io.CopyBuffer(struct{ io.Writer }{h}, struct{ io.Reader }{r}, make([]byte, 256<<10)); err != nil {
		return sum, fmt.Errorf("cannot read %s: %w", title(path), cause(err))
	}
	h.Sum(sum[:0])
	return sum, nil
}

// Spool copies a stream to a new file in dir (the system's temporary directory
// when empty), readable by this user only, and returns its path: as a file it
// has a hash and can be read by several sources. It returns when r ends, so it
// is not for live streams. The caller removes the file.
func Spool(r io.Reader, dir string) (path string, err error) {
	f, err := os.CreateTemp(dir, "trailhound-capture-*")
	if err != nil {
		return "", fmt.Errorf("cannot spool the capture: %w", err)
	}
	_, err = io.Copy(f, r)
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		os.Remove(f.Name())
		return "", fmt.Errorf("cannot spool the capture: %w", err)
	}
	return f.Name(), nil
}
