// Package source reads indicators from where people keep them: static trees,
// merged CSV files and plain lists. It knows the grammar of lines and files;
// what a text means and how its key looks is package trails' matter.
//
// Input is not trusted: a line is bounded, memory does not grow with the size
// of a file, and a malformed line costs only itself.
package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"trailhound/trails"
)

// Options say what the files themselves do not. The zero value is useful.
type Options struct {
	// Name is the name of the source; the file's own (of a tree: its path
	// below the root) when empty. A tree ignores it.
	Name string
	// Info and Reference are what the trails of a plain list carry.
	Info, Reference string
	// CheckPattern and CheckUserAgent say why an expression over names or
	// User-Agent values cannot be used; nil takes every one.
	CheckPattern, CheckUserAgent func(expression string) error
}

// ErrNotRegular says that a path is a pipe, a device or a socket.
var ErrNotRegular = errors.New("neither a regular file nor a directory")

// Read finds out what path is - a directory (a static tree or a folder of
// lists), a merged CSV or a plain list - and reads it into c. Malformed lines
// are reported, not fatal; what cannot be opened or holds no trail at all is
// an error that names the file. The report is valid with an error, too.
func Read(path string, c trails.Collector, opt Options) (Report, error) {
	f, err := open(path)
	if err != nil {
		return Report{}, err
	}
	defer f.Close()
	if fi, err := f.Stat(); err != nil {
		return Report{}, err
	} else if fi.IsDir() {
		return ReadTree(path, c, opt)
	}
	name := opt.Name
	if name == "" {
		name = filepath.Base(path)
	}
	head := make([]byte, 8<<10)
	n, err := io.ReadFull(f, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return Report{}, nameError(path, err)
	}
	r := io.MultiReader(bytes.NewReader(head[:n]), f)
	if looksCSV(head[:n], strings.EqualFold(filepath.Ext(path), ".csv")) {
		return ReadCSV(r, name, c, opt)
	}
	if opt.Info == "" {
		opt.Info = infoOf(path)
	}
	return ReadList(r, name, c, opt)
}

// looksCSV judges by the first line that is not a comment: no indicator of a
// list but a regular expression holds a comma, and rows hold two or more.
func looksCSV(head []byte, otherwise bool) bool {
	head = bytes.TrimPrefix(head, []byte("\xEF\xBB\xBF"))
	for line := range bytes.Lines(head) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		return bytes.Count(line, []byte{','}) >= 2 && !trails.Prefixed(line)
	}
	return otherwise
}

// open opens a regular file or a directory. O_NONBLOCK keeps a pipe without a
// writer from holding the program up.
func open(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err // names the path
	}
	fi, err := f.Stat()
	if err == nil && !fi.Mode().IsRegular() && !fi.IsDir() {
		err = nameError(path, ErrNotRegular)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func nameError(name string, err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return err
	}
	return fmt.Errorf("cannot read %s: %w", name, err)
}
