package main

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"

	"trailhound/agent/config"
	"trailhound/outputs/csv"
)

// written is a place that the sensor writes to.
type written struct {
	check string
	dir   string
	file  string // in it, if it is one in particular
	// Facts of the nearest directory above dir that exists, dir itself included,
	// with all those above it, outermost first; and of the file, if it exists.
	above []place
	made  bool // dir exists
	is    *place
	err   error // why there are no facts
}

// leastFree is how much free space a place to write should have.
const leastFree = 256 << 20

// writtenPaths lists the state directory and those of the csv outputs.
func writtenPaths(c *config.Config) []written {
	list := []written{{check: "state directory", dir: c.State}}
	for i := range c.Outputs {
		o := &c.Outputs[i]
		if o.Type != "csv" {
			continue
		}
		if opt, err := csv.Decode(o.Node); err == nil {
			list = append(list, written{check: "output " + o.Name, dir: filepath.Dir(opt.Path), file: opt.Path})
		}
	}
	for i := range list {
		list[i].look()
	}
	return list
}

// look gathers the facts.
func (w *written) look() {
	dir := filepath.Clean(w.dir)
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	w.made = true
	for {
		real, err := filepath.EvalSymlinks(dir)
		if err == nil {
			dir = real
			break
		}
		if !errors.Is(err, fs.ErrNotExist) || dir == "/" {
			w.err = err
			return
		}
		w.made, dir = false, filepath.Dir(dir)
	}
	for _, path := range ancestry(dir) {
		p, err := lookAt(path)
		if err != nil {
			w.err = err
			return
		}
		w.above = append(w.above, p)
	}
	if w.file == "" || !w.made {
		return
	}
	if p, err := lookAt(w.file); err == nil {
		w.is = &p
	}
}

// ancestry lists a directory and those above it, outermost first.
func ancestry(dir string) (list []string) {
	for ; ; dir = filepath.Dir(dir) {
		list = append(list, dir)
		if dir == "/" || dir == "." {
			slices.Reverse(list)
			return list
		}
	}
}
