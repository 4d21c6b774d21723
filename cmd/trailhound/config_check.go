package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"gopkg.in/yaml.v3"

	"trailhound/agent/config"
	"trailhound/outputs/csv"
)

// check finds what is wrong with what the configuration speaks of, and load did
// not have to look at: the capture filter, whitelists, rules. A start and a reload
// come across the same, each in its place.
func (a *app) check(c *config.Config) error {
	_, filterErr := a.compileFilter(c)
	_, whitelistErr := a.openWhitelist(c, nil)
	return errors.Join(filterErr, whitelistErr, a.checkSuppression(c))
}

// checkFiles finds outputs that would write to one file: each would rotate it
// under the other; and those whose file is there and is none. Outputs that are not
// for this sensor do not count.
func checkFiles(c *config.Config) error {
	var all []error
	type taken struct {
		name, path string
		info       os.FileInfo // nil: not there yet
	}
	var before []taken
	for i := range c.Outputs {
		o := &c.Outputs[i]
		if o.Type != "csv" || !o.Whole() || !meant(o, c.Sensor.Labels) {
			continue
		}
		opt, err := csv.Decode(o.Node)
		if err != nil {
			continue // which checkOutputs says
		}
		// The path itself may have come from a secret: no error repeats it.
		refuse := func(problem string, args ...any) {
			all = append(all, outputError(o, fmt.Errorf(placeOf(o.Node, "path")+"path: "+problem, args...)))
		}
		this := taken{name: o.Name, path: resolved(opt.Path)}
		if this.info, err = os.Stat(opt.Path); err != nil {
			this.info = nil
		} else if !this.info.Mode().IsRegular() {
			refuse("not a regular file but %s", whatItIs(this.info.Mode()))
			continue
		}
		if at := slices.IndexFunc(before, func(b taken) bool {
			return b.path == this.path || b.info != nil && this.info != nil && os.SameFile(b.info, this.info)
		}); at >= 0 {
			refuse("output %s writes to the same file", before[at].name)
			continue
		}
		before = append(before, this)
	}
	return errors.Join(all...)
}

// whatItIs names what lies where a file should be.
func whatItIs(mode os.FileMode) string {
	switch {
	case mode.IsDir():
		return "a directory: add the name of the file"
	case mode&os.ModeDevice != 0:
		return "a device"
	case mode&os.ModeNamedPipe != 0:
		return "a pipe"
	case mode&os.ModeSocket != 0:
		return "a socket"
	}
	return "something else"
}

// maxLinks is the kernel's own bound on links in a path (path_resolution(7)).
const maxLinks = 40

// resolved follows the links of a path whose last parts need not be there yet.
func resolved(path string) string {
	for range maxLinks {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			return real
		}
		to, err := os.Readlink(path)
		if err != nil {
			break
		}
		if !filepath.IsAbs(to) { // a link to what is not there
			to = filepath.Join(filepath.Dir(path), to)
		}
		path = to
	}
	dir := filepath.Dir(path)
	if dir == path {
		return path
	}
	return filepath.Join(resolved(dir), filepath.Base(path))
}

// placeOf gives "line:column: " of the value of a key, nothing if it has none.
func placeOf(node *yaml.Node, key string) string {
	for i := 0; i+1 < len(node.Content); i += 2 {
		if v := node.Content[i+1]; node.Content[i].Value == key && v.Line > 0 {
			return fmt.Sprintf("%d:%d: ", v.Line, v.Column)
		}
	}
	return ""
}
