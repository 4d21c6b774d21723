package main

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"trailhound/trails"
	"trailhound/trails/table"
)

// buildFlags are the flags of trails build.
type buildFlags struct {
	output string
	seed   uint64
	seeded bool
	time   string
	fresh  bool
	verify bool
}

func (a *app) trailsBuildCommand() *cobra.Command {
	var f buildFlags
	cmd := &cobra.Command{
		Use:   "build PATH...",
		Short: "Compile trails into one table",
		Long: "Build reads each PATH (a directory of lists, a merged CSV, a plain list, or a compiled table) and writes one\n" +
			"table. Of a trail that several of them list, the last one's info and reference count and the sources of all\n" +
			"are kept. Malformed lines are passed over, counted, and the first ten are named.\n\n" +
			"The table takes its place in one step: a failure leaves what was there before. A table that is there already\n" +
			"hands on when each trail was first seen. The same input, --seed and --time give the same bytes, if there is no\n" +
			"such table or with --fresh; without --seed the seed is random, without --time the time is the newest\n" +
			"modification time of the input.",
		Example: "  trailhound trails build /srv/maltrail/trails\n" +
			"  trailhound trails build -o trails.thd trails.csv own.txt\n" +
			"  trailhound trails build -o trails.thd --fresh --seed 1 --time 2026-01-01T00:00:00Z trails.csv",
		Args: named("list of trails", false),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.seeded = cmd.Flags().Changed("seed")
			return a.trailsBuild(f, args)
		},
	}
	cmd.Flags().StringVarP(&f.output, "output", "o", "", "the table's `file` (default "+tableFile+" in the state directory)")
	cmd.Flags().Uint64Var(&f.seed, "seed", 0, "`number` that the hashes start from (default random)")
	cmd.Flags().StringVar(&f.time, "time", "", "when the input was read, RFC 3339 `time` (default its newest modification time)")
	cmd.Flags().BoolVar(&f.fresh, "fresh", false, "do not take first sightings from the table that is there")
	cmd.Flags().BoolVar(&f.verify, "verify", false, "read the finished table back and check all of it")
	return cmd
}

func (a *app) trailsBuild(f buildFlags, paths []string) error {
	opt := buildOptions{seed: f.seed}
	if f.output == "-" {
		return usagef("a table cannot be written to standard output: name a file with -o")
	}
	if f.time != "" {
		var err error
		if opt.now, err = time.Parse(time.RFC3339, f.time); err != nil {
			return usagef("--time %q is no RFC 3339 time such as 2026-01-31T12:00:00Z", f.time)
		}
		opt.now = opt.now.UTC()
	}
	if !f.seeded {
		var b [8]byte
		rand.Read(b[:]) // never fails
		opt.seed = binary.LittleEndian.Uint64(b[:])
	}
	if f.output == "" {
		c, err := a.load()
		if err != nil {
			return err
		}
		f.output = filepath.Join(c.State, tableFile)
	}
	previous, err := a.previousTable(f)
	if err != nil {
		return err
	}
	if previous != nil {
		defer previous.Close()
		opt.previous = previous
	}
	b, err := compile(paths, opt)
	if err != nil {
		if b != nil {
			a.printProblems(b.report)
		}
		return err
	}
	defer b.stop()
	counts := b.counts()
	if err := b.builder.WriteFile(f.output); err != nil {
		return err
	}
	if f.verify {
		if err := table.Verify(f.output); err != nil {
			return err
		}
	}
	return a.printBuild(f.output, b, counts)
}

// previousTable opens the table that is at the output path. A file that is no
// table is not overwritten: it may well be somebody's list.
func (a *app) previousTable(f buildFlags) (*table.Table, error) {
	st, err := os.Stat(f.output)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err == nil && !st.Mode().IsRegular():
		return nil, fmt.Errorf("cannot write trail table %q: not a regular file", f.output)
	case err == nil && st.Size() > 0:
		compiled, err := isTable(f.output)
		if err != nil {
			return nil, err
		}
		if !compiled {
			return nil, fmt.Errorf("cannot write trail table %q: there is a file that is no trail table", f.output)
		}
	}
	if f.fresh || err != nil {
		return nil, nil
	}
	t, err := table.Open(f.output)
	if err != nil {
		a.warn("every trail counts as first seen now: %v", err)
		return nil, nil
	}
	return t, nil
}

// counts gives the distinct trails per kind; a builder forgets them when it is
// written.
func (b *compilation) counts() (counts [trails.Kinds]int) {
	for k := range counts {
		counts[k] = b.builder.Count(trails.Kind(k))
	}
	return counts
}

// printBuild says on standard error what a build came to.
func (a *app) printBuild(path string, b *compilation, counts [trails.Kinds]int) error {
	st, err := os.Stat(path)
	if err != nil {
		return err
	}
	total := 0
	for _, n := range counts {
		total += n
	}
	a.printProblems(b.report)
	fmt.Fprintf(a.err, "read      %s, %s\n", count(uint64(b.report.Files), "file"), count(uint64(b.report.Lines), "line"))
	fmt.Fprintf(a.err, "trails    %d, %s\n", total, count(uint64(b.report.Trails-total), "duplicate"))
	for k, n := range counts {
		if n > 0 {
			fmt.Fprintf(a.err, "  %-15s %9d\n", trails.Kind(k), n)
		}
	}
	fmt.Fprintf(a.err, "malformed %s\n", count(uint64(b.report.Malformed), "line"))
	fmt.Fprintf(a.err, "written   %s, %d bytes, %.1f per trail, of %s\n", path, st.Size(), float64(st.Size())/float64(max(total, 1)),
		b.now.Format(time.RFC3339))
	return nil
}
