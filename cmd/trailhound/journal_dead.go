package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"trailhound/outputs/dead"
	"trailhound/outputs/format"
)

// deadLetters says what an output's dead letters come to.
type deadLetters struct {
	Output  string    `json:"output"`
	Letters uint64    `json:"letters"`
	Waiting uint64    `json:"to_be_sent_again"` // of them
	Damaged uint64    `json:"damaged_lines"`
	Oldest  time.Time `json:"oldest,omitzero"`
	Newest  time.Time `json:"newest,omitzero"`
}

// eachLetter hands out the dead letters of an output, oldest first, until take
// says no. Again is set for those that are marked to be sent again.
func (k *kept) eachLetter(name string, take func(l *dead.Letter, again bool) bool) (damaged uint64, err error) {
	more := true
	again := dead.Again(k.letters, name)
	for _, path := range []string{again, dead.Older(k.letters, name), dead.Path(k.letters, name)} {
		n, err := dead.Read(path, func(l *dead.Letter) bool {
			more = take(l, path == again)
			return more
		})
		damaged += uint64(n)
		if err != nil || !more {
			return damaged, err
		}
	}
	return damaged, nil
}

// countDead counts the letters of an output.
func (k *kept) countDead(name string) (deadLetters, error) {
	d := deadLetters{Output: name}
	damaged, err := k.eachLetter(name, func(l *dead.Letter, again bool) bool {
		d.Letters++
		if again {
			d.Waiting++
		}
		if d.Oldest.IsZero() || l.Time.Before(d.Oldest) {
			d.Oldest = l.Time
		}
		if l.Time.After(d.Newest) {
			d.Newest = l.Time
		}
		return true
	})
	d.Damaged = damaged
	return d, err
}

// deadNames lists the outputs that have dead letters.
func (k *kept) deadNames() ([]string, error) {
	entries, err := os.ReadDir(k.letters)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read dead letters: %w", err)
	}
	var names []string
	for _, e := range entries {
		name, _, ok := strings.Cut(e.Name(), ".") // an output's name has no dot
		if ok && name != "" && strings.HasSuffix(e.Name(), ".jsonl") && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// checkDead refuses a name that no output has and that has no letters.
func (k *kept) checkDead(name string) error {
	names, err := k.deadNames()
	if err != nil {
		return err
	}
	known := append(k.outputNames(), names...)
	if slices.Contains(known, name) {
		return nil
	}
	slices.Sort(known)
	known = slices.Compact(known)
	if len(known) == 0 {
		return usagef("--dead: there is no output %q, nor any other", name)
	}
	return usagef("--dead: there is no output %q: use one of %s", name, strings.Join(known, ", "))
}

// exportDead writes the dead letters of an output: as JSON lines with the
// reason, or their events in another format.
func (a *app) exportDead(k *kept, f exportFlags) error {
	if err := k.checkDead(f.dead); err != nil {
		return err
	}
	name := f.format
	if name == "" {
		name = "json"
	}
	p, err := a.printEvents(name, k.id)
	if err != nil {
		return err
	}
	_, tty := terminal(a.out)
	damaged, err := k.eachLetter(f.dead, func(l *dead.Letter, _ bool) bool {
		if f.format != "" {
			return p.print(&l.Event)
		}
		p.buf = k.appendLetter(p.buf, l, tty)
		return len(p.buf) < printBytes || p.flush() == nil
	})
	if flushErr := p.flush(); flushErr != nil {
		return flushErr
	}
	if err != nil {
		return err
	}
	if damaged > 0 {
		a.warn("%s passed over that are no dead letters", count(damaged, "line"))
	}
	return nil
}

// letterLine is a dead letter as it is exported.
type letterLine struct {
	Time   time.Time       `json:"time"`
	Output string          `json:"output"`
	Reason string          `json:"reason"`
	Seq    uint64          `json:"seq"`
	Epoch  string          `json:"epoch"`
	Event  json.RawMessage `json:"event"`
}

// appendLetter appends the line of a letter. The reason is what a receiver said:
// on a terminal it is cleaned. The document is made anew, because what stands in
// the file may have been changed there.
func (k *kept) appendLetter(dst []byte, l *dead.Letter, tty bool) []byte {
	line := letterLine{l.Time, l.Output, l.Reason, l.Event.Seq, epochText(l.Event.Epoch), format.AppendECS(nil, &l.Event, k.id)}
	if tty {
		line.Output, line.Reason = shown(line.Output), oneLine(line.Reason)
	}
	b, err := json.Marshal(line)
	if err != nil { // a year that JSON has no text for
		line.Time = time.Time{}
		if b, err = json.Marshal(line); err != nil {
			return dst
		}
	}
	return append(append(dst, b...), '\n')
}

// retryDead marks the dead letters of an output to be sent again.
func (a *app) retryDead(k *kept, name string) error {
	if err := k.checkDead(name); err != nil {
		return err
	}
	if !slices.Contains(k.outputNames(), name) {
		return fmt.Errorf("output %s is not configured: nothing would send its dead letters", name)
	}
	d, err := k.countDead(name)
	if err != nil {
		return err
	}
	if d.Waiting > 0 {
		return fmt.Errorf("%s of output %s still wait to be sent again: %s", count(d.Waiting, "dead letter"), name, dead.Again(k.letters, name))
	}
	files, err := dead.Resend(k.letters, name)
	if err != nil {
		return fmt.Errorf("dead letters of output %s cannot be marked: %w", name, err)
	}
	if files == 0 {
		fmt.Fprintf(a.err, "output %s has no dead letters\n", name)
		return nil
	}
	fmt.Fprintf(a.err, "%s of output %s will be sent again by the sensor; what is refused again becomes a dead letter again\n",
		count(d.Letters, "dead letter"), name)
	return nil
}
