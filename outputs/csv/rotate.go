package csv

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// stampLayout is the time of rotation, UTC, in the name of a rotated file:
// events-20260216T093607Z.csv, a second one of the same second events-...Z.1.csv.
const stampLayout = "20060102T150405Z"

// rotate gives the present file its final name and opens a new one. The
// rotated files are looked after at the end of Send.
func (o *Output) rotate() error {
	if _, err := o.putAside(); err != nil {
		return err
	}
	return o.reopen()
}

// putAside closes the present file and gives it its final name.
func (o *Output) putAside() (name string, err error) {
	if err := o.f.Sync(); err != nil {
		return "", fmt.Errorf("cannot sync %s: %w", o.opt.Path, err)
	}
	if name, err = o.freeName(); err == nil {
		err = os.Rename(o.opt.Path, name)
	}
	if err != nil {
		return "", fmt.Errorf("cannot rotate %s: %w", o.opt.Path, err)
	}
	o.f.Close()
	o.f = nil
	o.tidy = false
	o.rotations.Add(1)
	return name, nil
}

// freeName is a name for a rotated file that neither it nor its compressed form
// has yet.
func (o *Output) freeName() (string, error) {
	stem, ext := o.stem()
	stamp := stem + "-" + o.now().UTC().Format(stampLayout)
	for n := range 10000 {
		name := stamp + ext
		if n > 0 {
			name = stamp + "." + strconv.Itoa(n) + ext
		}
		if !exists(name) && !exists(name+".gz") {
			return name, nil
		}
	}
	return "", errors.New("too many rotations in one second")
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// stem cuts the path before its extension.
func (o *Output) stem() (stem, ext string) {
	ext = filepath.Ext(o.opt.Path)
	if ext == filepath.Base(o.opt.Path) {
		ext = "" // a name such as ".events"
	}
	return strings.TrimSuffix(o.opt.Path, ext), ext
}

// A rotated file, without the ".gz" that its name may have.
type rotated struct {
	path  string
	stamp string
	n     int
}

// maintain removes what a crash left behind, removes the oldest rotated files,
// and compresses the others, which costs the delivery loop some seconds a day
// and the sensor nothing. It is not the events' concern whether that works:
// faults are logged, and the next rotation tries again.
func (o *Output) maintain(ctx context.Context) {
	list, err := o.rotatedFiles()
	if err != nil {
		o.log.Warn("cannot list rotated files", "file", o.opt.Path, "error", err)
		return
	}
	for i, f := range list {
		plain, packed := exists(f.path), exists(f.path+".gz")
		switch {
		case i < len(list)-o.opt.MaxFiles:
			err = errors.Join(remove(f.path), remove(f.path+".gz"))
		case plain && packed:
			// The compressed form gets its name only when it is complete.
			err = remove(f.path)
		case plain && o.opt.Compress:
			err = o.compress(ctx, f.path)
		default:
			err = nil
		}
		if err != nil {
			o.log.Warn("cannot tidy a rotated file", "file", f.path, "error", err)
		}
	}
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// rotatedFiles lists the rotated files, the oldest first, and removes half
// compressed ones.
func (o *Output) rotatedFiles() ([]rotated, error) {
	stem, ext := o.stem()
	dir, prefix := filepath.Split(stem + "-")
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var list []rotated
	for _, entry := range entries {
		name, ok := strings.CutPrefix(entry.Name(), prefix)
		if !ok || !entry.Type().IsRegular() {
			continue
		}
		name, half := strings.CutSuffix(name, ".gz.tmp")
		name = strings.TrimSuffix(name, ".gz")
		name, ok = strings.CutSuffix(name, ext)
		stamp, n, valid := parseStamp(name)
		if !ok || !valid {
			continue // somebody else's
		}
		if half {
			if err := remove(filepath.Join(dir, entry.Name())); err != nil {
				return nil, err
			}
			continue
		}
		list = append(list, rotated{filepath.Join(dir, prefix+name+ext), stamp, n})
	}
	slices.SortFunc(list, func(a, b rotated) int {
		return cmp.Or(strings.Compare(a.stamp, b.stamp), cmp.Compare(a.n, b.n))
	})
	return slices.Compact(list), nil
}

// parseStamp reads "20260216T093607Z" or "20260216T093607Z.1".
func parseStamp(name string) (stamp string, n int, ok bool) {
	stamp, number, more := strings.Cut(name, ".")
	if _, err := time.Parse(stampLayout, stamp); err != nil || len(stamp) != len(stampLayout) {
		return "", 0, false
	}
	if more {
		var err error
		if n, err = strconv.Atoi(number); err != nil || n < 1 || strconv.Itoa(n) != number {
			return "", 0, false
		}
	}
	return stamp, n, true
}
