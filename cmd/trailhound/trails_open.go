package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"trailhound/agent/config"
	"trailhound/trails/source"
	"trailhound/trails/starter"
	"trailhound/trails/table"
	"trailhound/trails/whitelist"
)

// tableFile is the compiled table's name in the state directory.
const tableFile = "trails.thd"

// noWhitelist is the value of --whitelist that means: none at all.
const noWhitelist = "none"

// openTrails opens what commands match against: the paths given with --trails,
// else the configured table, else the one in the state directory, else the
// starter set. What says in words what was opened.
func (a *app) openTrails(c *config.Config, paths []string) (t *table.Table, what string, err error) {
	if len(paths) == 0 {
		paths, err = configuredTrails(c)
		if err != nil {
			return nil, "", err
		}
	}
	if len(paths) == 0 {
		a.warn("no trail table is configured and %q does not exist: the starter set is used, which is no protection by itself",
			filepath.Join(c.State, tableFile))
		if t, err = starterTable(); err != nil {
			return nil, "", err
		}
		return t, fmt.Sprintf("%d trails of the starter set", t.Len()), nil
	}
	if len(paths) == 1 {
		compiled, err := isTable(paths[0])
		if err != nil {
			return nil, "", err
		}
		if compiled {
			if t, err = table.Open(paths[0]); err != nil {
				return nil, "", err
			}
			return t, fmt.Sprintf("%d trails of %s, read %s", t.Len(), paths[0], t.Created().Format(time.DateTime)), nil
		}
	}
	b, err := compile(paths, buildOptions{})
	if b != nil {
		a.printProblems(b.report)
	}
	if err != nil {
		return nil, "", err
	}
	if t, err = b.mapped(); err != nil {
		return nil, "", err
	}
	what = fmt.Sprintf("%d trails of %s", t.Len(), paths[0])
	if n := len(paths) - 1; n > 0 {
		what += fmt.Sprintf(" and %d more", n)
	}
	return t, what, nil
}

// configuredTrails gives the path of the table that the configuration means;
// none: the starter set.
func configuredTrails(c *config.Config) ([]string, error) {
	if c.Trails.Table != "" {
		return []string{c.Trails.Table}, nil
	}
	path := filepath.Join(c.State, tableFile)
	_, err := os.Stat(path)
	switch {
	case err == nil:
		return []string{path}, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	}
	return nil, fmt.Errorf("cannot open trail table %q: %w", path, bare(err))
}

// starterTable compiles the embedded trails into memory.
func starterTable() (*table.Table, error) {
	b := table.NewBuilder(table.Options{Now: time.Now().UTC()})
	if _, err := source.ReadCSV(bytes.NewReader(starter.Trails()), "starter", b, source.Options{}); err != nil {
		return nil, err
	}
	return b.Memory()
}

// openWhitelist reads the whitelist: the files of --whitelist alone, if any
// are given; else the built-in one and those that are configured. Lines that
// cannot be read are warned of; a configured file that cannot be read is an error
// of the configuration.
func (a *app) openWhitelist(c *config.Config, paths []string) (*whitelist.List, error) {
	var lists []*whitelist.List
	configured := len(paths) == 0
	if configured {
		paths = c.Trails.Whitelist
		if c.Trails.BuiltinWhitelist {
			lists = append(lists, starter.Whitelist())
		}
	} else {
		for _, path := range paths {
			if path != noWhitelist {
				continue
			}
			if len(paths) > 1 {
				return nil, usagef("--whitelist %s excludes every other whitelist", noWhitelist)
			}
			return nil, nil
		}
	}
	var all []error
	for i, path := range paths {
		l, err := a.readWhitelist(path)
		if err != nil && configured {
			err = c.ErrorAt(fmt.Sprintf("trails.whitelist[%d]", i), err.Error())
		}
		if err != nil {
			all = append(all, err)
			continue
		}
		lists = append(lists, l)
	}
	if err := errors.Join(all...); err != nil {
		return nil, err
	}
	if len(lists) == 1 {
		return lists[0], nil
	}
	return whitelist.Merge(lists...), nil
}

func (a *app) readWhitelist(path string) (*whitelist.List, error) {
	l, report, err := readEntries(path)
	if err != nil {
		return nil, err
	}
	for _, p := range report.Problems {
		a.warn("whitelist %s", p)
	}
	if n := report.Malformed - len(report.Problems); n > 0 {
		a.warn("whitelist %s: %d more malformed lines", path, n)
	}
	return l, nil
}

// readEntries reads a whitelist file.
func readEntries(path string) (*whitelist.List, whitelist.Report, error) {
	f, err := openRegular(path)
	if err != nil {
		return nil, whitelist.Report{}, fmt.Errorf("cannot read whitelist %q: %w", path, err)
	}
	defer f.Close()
	return whitelist.Read(f, path)
}
