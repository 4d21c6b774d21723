package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"trailhound/trails"
	"trailhound/trails/table"
)

func (a *app) trailsStatsCommand() *cobra.Command {
	var paths []string
	var top int
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "stats",
		Short: "Say what a table holds: size, age, kinds, infos, references, sources",
		Example: "  trailhound trails stats\n" +
			"  trailhound trails stats --trails trails.thd --top 50\n" +
			"  trailhound trails stats --json",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if top < 0 {
				return usagef("--top %d is less than 0", top)
			}
			c, err := a.load()
			if err != nil {
				return err
			}
			t, what, err := a.openTrails(c, paths)
			if err != nil {
				return err
			}
			defer t.Close()
			s := statsOf(t, what, top)
			if _, err := os.Stat(s.File); err != nil {
				s.File = "" // compiled for this run: it had a name for a moment
			}
			if asJSON {
				return json.NewEncoder(a.out).Encode(s)
			}
			out := bufio.NewWriter(a.out)
			s.print(out)
			return out.Flush()
		},
	}
	trailsFlag(cmd, &paths)
	cmd.Flags().IntVar(&top, "top", 10, "infos, references and sources shown; 0: all (`number`)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// stats is what a table holds.
type stats struct {
	File       string         `json:"file,omitempty"`
	What       string         `json:"-"`
	Bytes      int64          `json:"bytes"`
	PerTrail   float64        `json:"bytes_per_trail"`
	Created    time.Time      `json:"created"`
	AgeSeconds int64          `json:"age_seconds"`
	Trails     int            `json:"trails"`
	Kinds      map[string]int `json:"kinds"`
	Infos      ranking        `json:"infos"`
	References ranking        `json:"references"`
	Sources    ranking        `json:"sources"`
}

// ranking is how often distinct texts occur, the most frequent first.
type ranking struct {
	Distinct int    `json:"distinct"`
	Top      []rank `json:"top"`
}

type rank struct {
	Name   string `json:"name"`
	Trails int    `json:"trails"`
}

func statsOf(t *table.Table, what string, top int) stats {
	s := stats{File: t.File(), What: what, Bytes: t.Size(), Created: t.Created(), Trails: t.Len(), Kinds: make(map[string]int)}
	s.AgeSeconds = int64(max(time.Since(s.Created), 0) / time.Second)
	if s.Trails > 0 {
		s.PerTrail = float64(int(float64(s.Bytes)/float64(s.Trails)*10+0.5)) / 10
	}
	for k := trails.Invalid + 1; k < trails.Kinds; k++ {
		if n := t.Count(k); n > 0 {
			s.Kinds[k.String()] = n
		}
	}
	infos, references, sources := make(map[string]*int), make(map[string]*int), make(map[string]*int)
	for r := range t.All() {
		info, reference := t.Info(r)
		tally(infos, info)
		tally(references, reference)
		for _, src := range t.Provenance(r).Sources {
			tally(sources, []byte(src.Name))
		}
	}
	s.Infos, s.References, s.Sources = rankingOf(infos, top), rankingOf(references, top), rankingOf(sources, top)
	return s
}

// tally counts a text; one seen before costs no allocation.
func tally(m map[string]*int, text []byte) {
	n, ok := m[string(text)]
	if !ok {
		n = new(int)
		m[string(text)] = n
	}
	*n++
}

func rankingOf(m map[string]*int, top int) ranking {
	r := ranking{Distinct: len(m), Top: make([]rank, 0, len(m))}
	for name, n := range m {
		r.Top = append(r.Top, rank{name, *n})
	}
	slices.SortFunc(r.Top, func(x, y rank) int { return cmp.Or(cmp.Compare(y.Trails, x.Trails), cmp.Compare(x.Name, y.Name)) })
	if top > 0 && len(r.Top) > top {
		r.Top = r.Top[:top]
	}
	return r
}

func (s *stats) print(w io.Writer) {
	name := s.File
	if name == "" {
		name = s.What
	}
	fmt.Fprintf(w, "table       %s\n", name)
	fmt.Fprintf(w, "size        %d bytes, %.1f per trail\n", s.Bytes, s.PerTrail)
	fmt.Fprintf(w, "read        %s, %s ago\n", s.Created.Format(time.RFC3339), ageText(time.Duration(s.AgeSeconds)*time.Second))
	fmt.Fprintf(w, "trails      %d\n", s.Trails)
	for k := trails.Invalid + 1; k < trails.Kinds; k++ {
		if n := s.Kinds[k.String()]; n > 0 {
			fmt.Fprintf(w, "  %9d %s\n", n, k)
		}
	}
	s.Infos.print(w, "infos")
	s.References.print(w, "references")
	s.Sources.print(w, "sources")
}

func (r *ranking) print(w io.Writer, name string) {
	fmt.Fprintf(w, "%-11s %d", name, r.Distinct)
	if len(r.Top) < r.Distinct {
		fmt.Fprintf(w, ", the first %d", len(r.Top))
	}
	fmt.Fprintln(w)
	for _, e := range r.Top {
		fmt.Fprintf(w, "  %9d %s\n", e.Trails, e.Name)
	}
}

// ageText rounds an age to what people care for.
func ageText(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return count(uint64(d/time.Second), "second")
	case d < 2*time.Hour:
		return count(uint64(d/time.Minute), "minute")
	case d < 48*time.Hour:
		return count(uint64(d/time.Hour), "hour")
	}
	return count(uint64(d/(24*time.Hour)), "day")
}
