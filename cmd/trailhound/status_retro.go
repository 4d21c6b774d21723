package main

import (
	"fmt"
	"time"
)

// remembered says what new trails are looked up in, and what came of it.
func (p *statusPage) remembered() {
	r := &p.now.Retro
	if r.MostEntries == 0 {
		return
	}
	text := fmt.Sprintf("%d of at most %d names and addresses", r.Entries, r.MostEntries)
	if !r.Since.IsZero() {
		text += fmt.Sprintf(", all since %s", r.Since.UTC().Format(time.RFC3339))
	}
	if r.Dropped > 0 {
		text += fmt.Sprintf(", %s", p.painted(count(r.Dropped, "note")+" lost", paintWarn))
	}
	p.line("remembered", "%s", text)
	if c := &r.LastCheck; !c.At.IsZero() {
		text := fmt.Sprintf("%s looked up %s, %s; %s raised in all", count(c.Keys, "new trail"), p.ago(c.At), count(c.Hits, "hit"), count(r.Recalled, "event"))
		if c.Error != "" {
			text += ": " + p.painted(shown(c.Error), paintWarn)
		}
		p.line("", "%s", text)
	}
}
