package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"trailhound/agent/event"
	"trailhound/outputs/journal"
)

// journalStat is what journal stat shows.
type journalStat struct {
	Path      string                  `json:"path"`
	Epoch     string                  `json:"epoch"`
	First     uint64                  `json:"first"` // last is first-1: no event is kept
	Last      uint64                  `json:"last"`
	FirstTime time.Time               `json:"first_time,omitzero"`
	LastTime  time.Time               `json:"last_time,omitzero"`
	Segments  int                     `json:"segments"`
	Bytes     int64                   `json:"bytes"`
	Findings  map[journal.Kind]uint64 `json:"findings"` // of what is there now
	Cursors   []cursorStat            `json:"cursors"`
	Dead      []deadLetters           `json:"dead_letters"`
	some      bool                    // an event can be read
}

// cursorStat is the accounting of one output, in sequence numbers:
//
//	last - start = delivered + filtered + dead_lettered + evicted + quarantined + pending
type cursorStat struct {
	Output       string `json:"output"`
	Configured   bool   `json:"configured"`
	Start        uint64 `json:"start"`
	Last         uint64 `json:"last"`
	Delivered    uint64 `json:"delivered"`
	Filtered     uint64 `json:"filtered"`
	DeadLettered uint64 `json:"dead_lettered"`
	Evicted      uint64 `json:"evicted"`
	Quarantined  uint64 `json:"quarantined"`
	Pending      uint64 `json:"pending"`
	Exact        bool   `json:"adds_up"`
	Damaged      bool   `json:"damaged"` // its file cannot be read: the numbers are those of the one that begins anew
}

func (a *app) journalStatCommand(shared *journalFlags) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "stat",
		Short: "Show what the journal holds, and per output what became of every event",
		Long: "Stat shows the sequence numbers and the size of the journal, the accounting of every output's cursor, and the dead\n" +
			"letters. In sequence numbers, for each output and at every moment:\n\n" +
			"  last - start = delivered + filtered + dead letters + evicted + quarantined + pending\n\n" +
			"The exit code is 1 when that does not hold, and when a segment cannot be read in full.",
		Example: "  trailhound journal stat\n  trailhound journal stat --json | jq '.cursors[] | {output, pending}'",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.journalStat(cmd.Context(), shared, asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	return cmd
}

func (a *app) journalStat(ctx context.Context, f *journalFlags, asJSON bool) error {
	k, err := a.kept(f)
	if err != nil {
		return err
	}
	v, err := k.open()
	if err != nil {
		return err
	}
	s, err := k.stat(ctx, v)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if asJSON {
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		err = e.Encode(s)
	} else {
		err = s.print(&b)
	}
	if err != nil {
		return err
	}
	if _, err := a.out.Write(b.Bytes()); err != nil {
		return err
	}
	if slices.ContainsFunc(s.Cursors, func(c cursorStat) bool { return !c.Exact }) {
		err = errors.New("the sums of a cursor do not add up")
	}
	return errors.Join(err, readable(v, s.Last >= s.First && !s.some))
}

// readable says what of a journal cannot be read; none: not one of the events that
// should be there. What was put aside as damaged, but has whole events, can.
func readable(v *journal.View, none bool) error {
	found := v.State().Incidents
	newer := found[journal.Newer]
	bad := found[journal.Damaged] + uint64(v.Unreadable()) + v.Damaged()
	bad -= min(bad, newer) // they are of the unreadable ones
	var all []error
	if newer > 0 {
		all = append(all, fmt.Errorf("%s made by a newer version: this one cannot read them", count(newer, "segment")))
	}
	if bad > 0 {
		all = append(all, errors.New("damaged: not every event of the journal can be read"))
	}
	if none && len(all) == 0 {
		all = append(all, errors.New("not one event of the journal can be read"))
	}
	return errors.Join(all...)
}

// stat gathers it.
func (k *kept) stat(ctx context.Context, v *journal.View) (*journalStat, error) {
	at := v.State()
	s := &journalStat{Path: k.path, Epoch: epochText(at.Epoch), First: at.First, Last: at.Last, Segments: at.Segments, Bytes: at.Bytes,
		Findings: at.Incidents, Cursors: []cursorStat{}, Dead: []deadLetters{}}
	delete(s.Findings, journal.TornTail) // a write of the sensor that is just under way
	var err error
	if s.FirstTime, s.some, err = timeOf(ctx, v, at.First); err != nil {
		return nil, err
	}
	if s.LastTime, _, err = timeOf(ctx, v, at.Last); err != nil {
		return nil, err
	}
	names := k.outputNames()
	for _, c := range v.Cursors() {
		one := cursorStat{Output: c.Name, Configured: slices.Contains(names, c.Name), Start: c.StartSeq, Last: c.LastSeq,
			Delivered: c.Delivered, Filtered: c.Filtered, DeadLettered: c.DeadLettered, Evicted: c.Evicted, Quarantined: c.Quarantined, Pending: c.Pending,
			Damaged: c.Damaged}
		one.Exact = one.Last-one.Start == one.Delivered+one.Filtered+one.DeadLettered+one.Evicted+one.Quarantined+one.Pending
		s.Cursors = append(s.Cursors, one)
	}
	letters, err := k.deadNames()
	if err != nil {
		return nil, err
	}
	for _, name := range letters {
		d, err := k.countDead(name)
		if err != nil {
			return nil, err
		}
		s.Dead = append(s.Dead, d)
	}
	return s, nil
}

// timeOf is the time of the first event from a number on, and whether there is
// one.
func timeOf(ctx context.Context, v *journal.View, from uint64) (t time.Time, some bool, err error) {
	err = v.Scan(ctx, from, func(e *event.Event) bool {
		t, some = e.Time, true
		return false
	})
	return t, some, err
}

// print writes it for people.
func (s *journalStat) print(b *bytes.Buffer) error {
	p := func(name, text string, args ...any) { fmt.Fprintf(b, "%-9s %s\n", name, fmt.Sprintf(text, args...)) }
	p("journal", "%s", shown(s.Path))
	p("epoch", "%s", cmp.Or(s.Epoch, "not known: a new one begins with the next start"))
	if s.Last < s.First {
		p("events", "none; the next one is %d", s.First)
	} else {
		p("events", "%d to %d%s", s.First, s.Last, spanText(s.FirstTime, s.LastTime))
	}
	p("size", "%s in %s", bytesText(uint64(s.Bytes)), count(uint64(s.Segments), "segment"))
	for _, kind := range []journal.Kind{journal.InMemory, journal.Damaged, journal.Newer, journal.Missing, journal.CursorAhead, journal.CursorDamaged} {
		if n := s.Findings[kind]; n > 0 {
			p("found", "%d %s", n, findingText(kind))
		}
	}
	if len(s.Cursors) > 0 {
		b.WriteByte('\n')
	}
	if err := s.printCursors(b); err != nil {
		return err
	}
	for i, d := range s.Dead {
		if i == 0 {
			b.WriteByte('\n')
		}
		text := fmt.Sprintf("%s: %s%s", shown(d.Output), count(d.Letters, "letter"), spanText(d.Oldest, d.Newest))
		if d.Waiting > 0 {
			text += fmt.Sprintf(", %d of them to be sent again", d.Waiting)
		}
		if d.Damaged > 0 {
			text += ", " + count(d.Damaged, "damaged line")
		}
		p("dead", "%s", text)
	}
	return nil
}

// printCursors writes the accounting of the outputs as a table.
func (s *journalStat) printCursors(b *bytes.Buffer) error {
	if len(s.Cursors) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "output\tlast\tstart\tdelivered\tfiltered\tdead\tevicted\tquarantined\tpending\tadds up\t")
	for _, c := range s.Cursors {
		name, exact := shown(c.Output), "yes"
		if c.Damaged {
			name += " (damaged)"
		}
		if !c.Configured {
			name += " (not configured)"
		}
		if !c.Exact {
			exact = "NO"
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%s\t\n", name, c.Last, c.Start, c.Delivered, c.Filtered, c.DeadLettered,
			c.Evicted, c.Quarantined, c.Pending, exact)
	}
	return w.Flush()
}

// spanText is from when to when: ", 2026-02-16 09:36:07 to 2026-02-16 10:00:00".
func spanText(from, to time.Time) string {
	if from.IsZero() || to.IsZero() {
		return ""
	}
	return fmt.Sprintf(", %s to %s UTC", from.UTC().Format(time.DateTime), to.UTC().Format(time.DateTime))
}

// findingText says what is wrong with what is there.
func findingText(kind journal.Kind) string {
	switch kind {
	case journal.InMemory:
		return "in memory only: the disk fails; the newest events are with the sensor, and lost if it does not run"
	case journal.Damaged:
		return "damaged: segments with records that cannot be read"
	case journal.Newer:
		return "made by a newer version: segments that this one cannot read"
	case journal.Missing:
		return "missing: ranges of numbers without a segment"
	case journal.CursorAhead:
		return "ahead: an output had read more than is there"
	case journal.CursorDamaged:
		return "damaged: a cursor that cannot be read; its output begins at the oldest event"
	}
	return string(kind)
}
