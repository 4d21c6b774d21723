package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
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
	OutputTypes []string                    // the registered output types; empty: types are not checked
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
	var drops []string
	if opt.File != "" {
		data, err := readFile(opt.File)
		switch {
		case err == nil:
			layers = append(layers, layer{tree: parse(opt.File, data, &left, &errs)})
		case errors.Is(err, fs.ErrNotExist) && !opt.Explicit:
		default:
			errs.add(pos{file: opt.File}, "", reason(err), "")
		}
		dir := filepath.Join(filepath.Dir(opt.File), "conf.d")
		if drops, err = dropIns(dir); err != nil {
			errs.add(pos{file: dir}, "", reason(err), "")
		}
		for _, file := range drops {
			if data, err = readFile(file); err != nil {
				errs.add(pos{file: file}, "", reason(err), "")
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
		c.drops = drops
	}
	return c, err
}

// build merges the layers, expands, decodes and checks.
func build(layers []layer, opt Options) (*Config, error) {
	var errs problems
	root := &node{kind: mapping}
	m := newMerger(&errs)
	for _, l := range layers {
		switch {
		case l.tree == nil || l.tree.null:
		case l.tree.kind != mapping:
			hint := ""
			if looksMaltrail([]byte(l.tree.text)) {
				hint = "this looks like a Maltrail configuration: `trailhound config import` converts it"
			}
			errs.add(l.tree.at, "", "want a map of keys, got "+l.tree.shown(), hint)
		default:
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
	if len(errs.list) == 0 {
		c.validate(opt, &errs)
	}
	if err := errs.err(); err != nil {
		return nil, err
	}
	return c, nil
}

// DropIns names the files of conf.d that were read, in order.
func (c *Config) DropIns() []string { return append([]string(nil), c.drops...) }

// dropIns lists the *.yaml of a conf.d; a missing directory has none. Hidden
// files are left out: editors and package managers leave such behind.
func dropIns(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		if name := e.Name(); strings.HasSuffix(name, ".yaml") && name[0] != '.' {
			files = append(files, filepath.Join(dir, name))
		}
	}
	sort.Strings(files)
	return files, nil
}

// readFile reads at most one byte more than maxFile, so that parse sees when a
// file is too large. Pipes are welcome: -c /dev/stdin.
func readFile(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, errors.New("cannot be read: is a directory")
	}
	return io.ReadAll(io.LimitReader(f, maxFile+1))
}

// reason is an error without the operation and path that the report names already.
func reason(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return fmt.Sprintf("cannot be read: %v", path.Err)
	}
	return err.Error()
}
