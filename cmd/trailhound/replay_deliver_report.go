package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"trailhound/outputs"
)

// logQuiet is what a replay has to say of its outputs.
const logQuiet = slog.LevelWarn

// deliverTally is what became of the events of one output in this run.
type deliverTally struct {
	delivered, filtered, rejected, lost, pending uint64
}

// tally gives it for the moment.
func (l *deliverLoop) tally() deliverTally {
	s := l.State()
	return deliverTally{delivered: s.Delivered - l.before.Delivered, filtered: s.Filtered - l.before.Filtered,
		rejected: s.DeadLettered - l.before.DeadLettered,
		lost:     s.Evicted + s.Quarantined - l.before.Evicted - l.before.Quarantined, pending: s.Pending}
}

// good says whether everything arrived that was to.
func (t *deliverTally) good() bool { return t.rejected == 0 && t.lost == 0 && t.pending == 0 }

// report says what each output got, and removes the journal when nothing in it
// is needed any more. The error says what was not delivered.
func (d *deliverer) report(quiet bool) error {
	good := d.closing == nil
	for _, l := range d.loops {
		t := l.tally()
		good = good && t.good()
		if !quiet {
			fmt.Fprintf(d.err, "%-9s %s: %s\n", "output", l.Name, l.text(t, d.started))
		}
	}
	if good {
		if !d.kept {
			if err := os.RemoveAll(d.dir); err != nil {
				return fmt.Errorf("cannot remove the journal: %w", err)
			}
		}
		return nil
	}
	if !slices.ContainsFunc(d.loops, func(l *deliverLoop) bool { t := l.tally(); return !t.good() }) {
		// What an output says at its end comes after it has counted: nothing waits.
		return errors.Join(d.closing, fmt.Errorf("the journal in %q counts all as delivered: replay the captures again to send what may be missing", d.dir))
	}
	all := []error{d.closing, fmt.Errorf("not everything was delivered: the journal stays in %q", d.dir)}
	for _, l := range d.loops {
		switch t := l.tally(); {
		case t.rejected > 0:
			all = append(all, fmt.Errorf("%s was refused %s: journal export %s --dead %s", l.Name, count(t.rejected, "event"), d.with(), l.Name))
		case t.pending > 0:
			to := ""
			for _, name := range d.flags.to {
				to += " --to " + word(name)
			}
			all = append(all, fmt.Errorf("%s lacks %s: replay --deliver %s%s goes on", l.Name, count(t.pending, "event"), d.with(), to))
		}
	}
	return errors.Join(all...)
}

// with are the flags with which another command finds this journal and these
// outputs.
func (d *deliverer) with() string {
	text := "--journal " + word(d.dir)
	if d.configFile != "" {
		text += " -c " + word(d.configFile)
	}
	for _, set := range d.set {
		text += " --set " + word(set)
	}
	return text
}

// word is a text as one word for a shell.
func word(text string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-=:,@%+", r)
	}
	if text != "" && !strings.ContainsFunc(text, func(r rune) bool { return !plain(r) }) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// text is an output's line of the summary.
func (l *deliverLoop) text(t deliverTally, started time.Time) string {
	text := fmt.Sprintf("%d delivered (%s), %d rejected, %d filtered, %d pending", t.delivered, l.Guarantee(), t.rejected, t.filtered, t.pending)
	if t.lost > 0 {
		text += fmt.Sprintf(", %d given up", t.lost)
	}
	if took := l.ended.Sub(started).Seconds(); !started.IsZero() && took > 0 {
		text += fmt.Sprintf(", %.0f events/s", float64(t.delivered)/took)
	}
	counted := make(map[string]uint64)
	counters := l.Counters()
	counters.Each(func(name string, value uint64) { counted[name] = value })
	if own := countersText(counted); own != "" {
		text += "; " + own
	}
	c := l.Counts()
	if c.DeadLost > 0 {
		text += fmt.Sprintf("; %d of the rejected could not be kept", c.DeadLost)
	}
	if c.Errors > 0 {
		text += "; " + classesText(&c)
	}
	if c.Error != "" {
		text += ": " + oneLine(c.Error)
	}
	return text
}

// classesText says how many attempts failed, and of what kind.
func classesText(c *outputs.DeliveryCounts) string {
	var parts []string
	for class, n := range c.Classes {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, outputs.Class(class)))
		}
	}
	return fmt.Sprintf("%s failed (%s)", count(c.Errors, "attempt"), strings.Join(parts, ", "))
}

// progressText is what is shown while the replay runs.
func (d *deliverer) progressText() string {
	var parts []string
	for _, l := range d.loops {
		t := l.tally()
		parts = append(parts, fmt.Sprintf("%s %d, %d wait", l.Name, t.delivered, t.pending))
	}
	return "delivered: " + strings.Join(parts, "; ")
}

// progressLine is the last line of a terminal, written anew now and then. What
// else is written there goes above it. Elsewhere than on a terminal there is no
// such line.
type progressLine struct {
	w     io.Writer
	width int // 0: no line

	mu    sync.Mutex
	shown bool
	stop  chan struct{}
	done  chan struct{}
}

// progressEvery is how often it is written.
const progressEvery = 500 * time.Millisecond

// eraseLine goes to the first column and erases the line (ECMA-48 EL).
const eraseLine = "\r\x1b[K"

func (a *app) progress(quiet bool) *progressLine {
	p := &progressLine{w: a.err}
	if width, tty := terminal(a.err); tty && !quiet && os.Getenv("TERM") != "dumb" {
		p.width = max(width, 20)
	}
	return p
}

// run shows a text until end.
func (p *progressLine) run(text func() string) {
	if p.width == 0 {
		return
	}
	p.stop, p.done = make(chan struct{}), make(chan struct{})
	go func() {
		defer close(p.done)
		tick := time.NewTicker(progressEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
			case <-p.stop:
				return
			}
			line := []rune(oneLine(text()))
			line = line[:min(len(line), p.width-1)]
			p.mu.Lock()
			fmt.Fprintf(p.w, "%s%s", eraseLine, string(line))
			p.shown = true
			p.mu.Unlock()
		}
	}()
}

// Write writes above the line.
func (p *progressLine) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
	return p.w.Write(b)
}

// say warns.
func (p *progressLine) say(format string, args ...any) {
	fmt.Fprintf(p, "trailhound: warning: "+format+"\n", args...)
}

// end takes the line away.
func (p *progressLine) end() {
	if p.stop != nil {
		close(p.stop)
		<-p.done
		p.stop = nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
}

func (p *progressLine) erase() {
	if p.shown {
		io.WriteString(p.w, eraseLine)
		p.shown = false
	}
}
