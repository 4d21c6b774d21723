package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Options say what to load.
type Options struct {
	File        string                      // config.yaml; empty: built-in defaults only
	Explicit    bool                        // a missing File is an error
	Set         []string                    // key=value of --set, later ones win
	Getenv      func(string) (string, bool) // for ${env:X}; nil: no variable is set
	Credentials string                      // $CREDENTIALS_DIRECTORY, for ${cred:NAME}
	Codes       []string                    // the valid event codes; empty: codes are not checked
	Counted     map[string]Count            // those of them with a threshold or a window; nil: not checked
	OutputTypes []string                    // the registered output types; empty: types are not checked
	// Check finds what only others can tell to be wrong: with the types' own
	// keys, with files. It is asked whatever else is wrong, so that one run names
	// all, and gets what could be read. Of what it finds, that about a key with a
	// problem already is left out. nil: nothing more is checked.
	Check func(*Config) error
}

// layer is one input, in rising precedence.
type layer struct {
	tree   *node
	dropIn bool // merges with the defaults too, not only with earlier files
}

// Load reads File, then conf.d/*.yaml next to it in name order, then Set. The
// error is a *Error, or *Errors when there are several problems.
func Load(opt Options) (*Config, error) {
	var errs problems
	left := maxValues
	var layers []layer
	var drops, passed []string
	if opt.File != "" {
		data, err := readFile(opt.File)
		switch {
		case err == nil:
			layers = append(layers, layer{tree: parse(opt.File, data, &left, &errs)})
		case errors.Is(err, fs.ErrNotExist) && !opt.Explicit:
		default:
			errs.add(pos{file: opt.File}, "", reason(err), waysOut(opt.File, err))
		}
		dir := filepath.Join(filepath.Dir(opt.File), "conf.d")
		if drops, passed, err = dropIns(dir); err != nil {
			errs.add(pos{file: dir}, "", reason(err), waysOut(dir, err))
		}
		for _, file := range drops {
			if data, err = readFile(file); err != nil {
				errs.add(pos{file: file}, "", reason(err), waysOut(file, err))
				continue
			}
			layers = append(layers, layer{tree: parse(file, data, &left, &errs), dropIn: true})
		}
	}
	for _, arg := range opt.Set {
		layers = append(layers, layer{tree: setTree(arg, &left, &errs), dropIn: true})
	}
	if err := errs.err(); err != nil {
		return nil, err
	}
	c, err := build(layers, opt)
	if c != nil {
		c.drops, c.passed = drops, passed
	}
	return c, err
}

// build merges the layers, expands, decodes and checks.
func build(layers []layer, opt Options) (*Config, error) {
	var errs problems
	root := &node{kind: mapping}
	m := newMerger(&errs)
	var files []string // in rising precedence
	for _, l := range layers {
		switch {
		case l.tree == nil || l.tree.null:
		case l.tree.kind != mapping:
			hint := ""
			if looksMaltrail([]byte(l.tree.text)) {
				hint = "this looks like a Maltrail configuration: docs/from-maltrail.md has the keys side by side"
			}
			errs.add(l.tree.at, "", "want a map of keys, got "+l.tree.shown(), hint)
		default:
			files = append(files, l.tree.at.file)
			m.dropIn = l.dropIn
			root = m.merge("", root, l.tree)
		}
	}
	c := new(Config)
	x := newExpander(opt)
	x.tree(root, "", &errs)
	d := &decoder{errs: &errs, origin: map[string]pos{}, masked: map[string]string{}, expand: x}
	d.structure("", root, valueOf(c))
	c.origin, c.masked = d.origin, d.masked
	c.validate(opt, files, &errs)
	var others []error
	if opt.Check != nil {
		others = errs.join(opt.Check(c))
	}
	if err := errors.Join(append([]error{errs.err()}, others...)...); err != nil {
		if len(others) == 0 {
			err = errs.err()
		}
		return nil, err
	}
	return c, nil
}

// DropIns names the files of conf.d that were read, in order.
func (c *Config) DropIns() []string { return append([]string(nil), c.drops...) }

// PassedOver names the files of conf.d that look like drop-ins and were not
// read, in order: hidden ones, and those that end in .yml.
func (c *Config) PassedOver() []string { return append([]string(nil), c.passed...) }

// ErrorAt makes an error of what is wrong with the value of a key, for those who
// can tell only with more than this package knows. The key is the full dotted
// one, an element of a list "trails.whitelist[0]". The error stands where the
// value was given, or nowhere if it is a default.
func (c *Config) ErrorAt(key, problem string) *Error {
	at := c.origin[key]
	return &Error{File: at.file, Line: at.line, Column: at.col, Key: key, Problem: problem}
}

// dropIns lists the *.yaml of a conf.d; a missing directory has none. Hidden
// files are left out: editors and package managers leave such behind. Those, and
// *.yml, are passed over.
func dropIns(dir string) (files, passed []string, err error) {
	entries, err := os.ReadDir(dir) // in name order
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	for _, e := range entries {
		name, path := e.Name(), filepath.Join(dir, e.Name())
		switch ext := filepath.Ext(name); {
		case ext == ".yaml" && name[0] != '.':
			files = append(files, path)
		case strings.EqualFold(ext, ".yaml") || strings.EqualFold(ext, ".yml"):
			passed = append(passed, path)
		}
	}
	return files, passed, nil
}

// reason is an error without the operation and path that the report names already.
func reason(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return fmt.Sprintf("cannot be read: %v", path.Err)
	}
	return err.Error()
}
