package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"trailhound/agent/event"
	"trailhound/agent/status"
)

// statusRows is how many lines a table of the page has at most; --json has
// them all.
const statusRows = 32

// reloadRows is how many things are said to be wrong with a configuration.
const reloadRows = 8

// statusPage is a snapshot for people. All texts in it are what the other side
// chose: none reaches the terminal but through shown.
type statusPage struct {
	w           io.Writer
	now, before *status.Snapshot // before: the sample that rates count from, nil: the start of the sensor
	colour      bool
}

func (p *statusPage) print() {
	p.head()
	p.interfaces()
	p.rings()
	p.outputs()
	p.health()
}

// line writes a name and what there is to say about it.
func (p *statusPage) line(name, text string, args ...any) {
	fmt.Fprintf(p.w, "%-10s %s\n", name, fmt.Sprintf(text, args...))
}

func (p *statusPage) head() {
	s := p.now
	p.line("sensor", "%s, trailhound %s, up %s, at %s", shown(s.Sensor.Name), shown(strings.TrimSpace(s.Version.Version+" "+s.Version.Revision)),
		ageOf(s.UptimeSeconds), s.Time.UTC().Format(time.RFC3339))
	p.state()
	t := &s.Trails
	from := shown(t.Source)
	if t.Starter {
		from = "the built-in starter set"
	}
	p.line("trails", "%d from %s, %s old, %s, generation %d", t.Count, from, ageOf(t.AgeSeconds), bytesText(t.SizeBytes), t.Generation)
	if r := t.Reloads; r.Failed+r.Rejected+t.Faults > 0 {
		p.line("", "%d reloads failed, %d rejected, %d went well; %s of the table", r.Failed, r.Rejected, r.OK, count(t.Faults, "fault"))
	}
	p.reload()
	p.pending()
	if f := s.Capture.Filter; f.Expression != "" {
		p.line("filter", "%s (%s compiler)", shown(f.Expression), shown(f.Compiler))
	}
	if n := s.Capture.RestartNeeded; len(n) > 0 {
		p.line("restart", "%s: %s", p.painted("needed to capture on", paintWarn), shown(strings.Join(n, " ")))
	}
	g := &s.Gate
	p.line("events", "%d detected, %d suppressed, %d folded into %s, %d passed", g.Detected, g.Suppressed, g.Folded, summaries(g.Summaries), g.Passed)
	if g.Ignored+g.Ruled+g.Local+g.Lowered > 0 {
		p.line("", "suppressed: %d by ignore lists, %d by rules, %d by the whitelist; kept local %d, lowered %d", g.Ignored, g.Ruled, g.Whitelisted, g.Local, g.Lowered)
	}
	if o := &g.Outcomes; o.Answered+o.Refused+o.Attempted+o.Unknown > 0 {
		p.line("outcomes", "%s; %s", outcomesText(o.Answered, o.Refused, o.Attempted, o.Unknown), count(g.FollowUps, "follow-up"))
	}
	p.rules()
	if lost := s.Detection.Dropped + g.Dropped; lost > 0 {
		p.line("", "%s: %d at full queues, %d after the gate", p.painted(count(lost, "event")+" lost", paintBad), s.Detection.Dropped, g.Dropped)
	}
	p.remembered()
	m := &s.Memory
	p.line("memory", "%s resident; allocated %s of rings and %s of heap, which are resident as far as they were touched", bytesText(m.RSSBytes), bytesText(m.RingsBytes), bytesText(m.HeapBytes))
	for i, b := range m.Bounds {
		if i == statusRows {
			break
		}
		p.line("", "%s: %s of at most %s", shown(b.Store), bytesText(b.UsedBytes), bytesText(b.BoundBytes))
	}
}

// reload says that the last reload was refused, and why: one line for each
// thing that is wrong.
func (p *statusPage) reload() {
	c := &p.now.Config
	if c.LastReload.OK || c.LastReload.At.IsZero() {
		return
	}
	p.line("config", "%s, the configuration before stays in use:", p.painted("the reload of "+p.ago(c.LastReload.At)+" was refused", paintBad))
	lines, more := refusals(p.now)
	for _, line := range lines {
		p.line("", "%s", shown(line))
	}
	if more > 0 {
		p.line("", "and %d more, which the log has", more)
	}
}

// refusals are the lines that the page has of why the last reload was refused, and
// how many it leaves out.
func refusals(s *status.Snapshot) (lines []string, more int) {
	r := &s.Config.LastReload
	if r.OK || r.At.IsZero() {
		return nil, 0
	}
	lines = strings.Split(strings.TrimSpace(r.Error), "\n")
	if len(lines) > reloadRows+1 {
		lines, more = lines[:reloadRows], len(lines)-reloadRows
	}
	return lines, more
}

// pending names what was configured since the start and is not in effect.
func (p *statusPage) pending() {
	if keys := p.now.Config.RestartPending; len(keys) > 0 {
		p.line("restart", "%s: %s", p.painted("needed to take "+count(uint64(len(keys)), "changed key"), paintWarn), shown(strings.Join(keys, " ")))
	}
}

// rules says how many suppression rules there are, if any.
func (p *statusPage) rules() {
	s := &p.now.Suppress
	n := s.Active + s.Waiting + s.Expired + s.Elsewhere
	if n+s.Refused == 0 {
		return
	}
	text := fmt.Sprintf("%d active, %d waiting, %d expired, %d for other sensors", s.Active, s.Waiting, s.Expired, s.Elsewhere)
	if s.Refused > 0 {
		text += ", " + p.painted(fmt.Sprintf("%d refused", s.Refused), paintBad)
	}
	p.line("rules", "%s (trailhound suppress list)", text)
}

func (p *statusPage) state() {
	s := p.now
	if s.Ready {
		p.line("state", "%s, %s", shown(s.State), p.painted("ready", paintGood))
		return
	}
	p.line("state", "%s, %s", shown(s.State), p.painted("NOT READY", paintBad))
	for i, r := range s.Reasons {
		if i == statusRows {
			break
		}
		p.line("", "%s (%s)", shown(r.Text), shown(r.Code))
	}
}

// table writes a table, with an empty line before it. What is beyond its bound
// is counted.
func (p *statusPage) table(head string, n int, row func(i int) []string) {
	if n == 0 {
		return
	}
	fmt.Fprintln(p.w)
	w := tabwriter.NewWriter(p.w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, strings.ReplaceAll(head, " | ", "\t"))
	for i := range min(n, statusRows) {
		cells := row(i)
		for j := range cells {
			cells[j] = cmp.Or(cells[j], "-")
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	w.Flush()
	if n > statusRows {
		fmt.Fprintf(p.w, "and %d more, which --json shows\n", n-statusRows)
	}
}

// links are the interfaces, those that are not captured included, and what is
// known of these.
func (p *statusPage) links() ([]status.Interface, map[string]*status.Missing) {
	c := &p.now.Capture
	list := slices.Clone(c.Interfaces)
	missing := make(map[string]*status.Missing)
	for i := range c.Missing {
		m := &c.Missing[i]
		if missing[m.Interface] == nil && !slices.ContainsFunc(c.Interfaces, func(n status.Interface) bool { return n.Name == m.Interface }) {
			list = append(list, status.Interface{Name: m.Interface})
		}
		missing[m.Interface] = m
	}
	return list, missing
}

// linkText is the state of an interface. What is missing is not captured.
func linkText(up bool, missing *status.Missing) string {
	text := "down"
	if up || missing != nil && missing.Up {
		text = "up"
	}
	switch {
	case missing == nil:
		return text
	case !missing.There:
		return "not there"
	}
	return text + ", not captured"
}

func (p *statusPage) interfaces() {
	list, missing := p.links()
	if len(list) > statusRows {
		list = slices.SortedStableFunc(slices.Values(list), func(a, b status.Interface) int { return cmp.Compare(b.Packets, a.Packets) })
	}
	old := make(map[string]*status.Interface)
	since, average := p.now.StartedAt, "AVG "
	if p.sameRun() {
		since, average = p.before.Time, ""
		for i := range p.before.Capture.Interfaces {
			n := &p.before.Capture.Interfaces[i]
			old[n.Name] = n
		}
	}
	seconds := p.now.Time.Sub(since).Seconds()
	head := "INTERFACE | ALIAS | LINK | " + average + "PACKETS/S | " + average + "MBIT/S | PACKETS | DROPS | CUT | NOT MATCHED | LAST PACKET | MOSTLY"
	p.table(head, len(list), func(i int) []string {
		n := &list[i]
		was := cmp.Or(old[n.Name], &status.Interface{})
		link := linkText(n.Up, missing[n.Name])
		return []string{shown(n.Name), shown(n.Alias), link, rate(n.Packets, was.Packets, 1, seconds), rate(n.Bytes, was.Bytes, megabit, seconds),
			fmt.Sprint(n.Packets), fmt.Sprint(n.Drops), fmt.Sprint(n.Truncated), share(n.Undecoded(), n.Packets), p.ago(n.LastPacketAt), mostly(n.Kinds)}
	})
}

// megabit is a million bits in bytes.
const megabit = 125_000

// sameRun says whether before is of the same process, so that its counters can
// be counted from.
func (p *statusPage) sameRun() bool {
	return p.before != nil && p.before.StartedAt.Equal(p.now.StartedAt) && p.before.Time.Before(p.now.Time)
}

func (p *statusPage) rings() {
	list := p.now.Capture.Rings
	p.table("RING | WORKER | GROUP | SIZE | WANTED | BLOCKS | PACKETS | DROPS | DROPPED | FREEZES", len(list), func(i int) []string {
		r := &list[i]
		return []string{shown(r.Interface), fmt.Sprint(r.Worker), shown(r.Group), bytesText(r.Bytes), bytesText(r.WantedBytes), fmt.Sprint(r.Blocks),
			fmt.Sprint(r.KernelPackets), fmt.Sprint(r.KernelDrops), share(r.KernelDrops, r.KernelPackets), fmt.Sprint(r.Freezes)}
	})
}

func (p *statusPage) outputs() {
	list := p.now.Outputs
	p.table("OUTPUT | TYPE | DELIVERED | FILTERED | REJECTED | LOST | RETRIES | WAITING | LAST SUCCESS | STATE", len(list), func(i int) []string {
		o := &list[i]
		state := "healthy"
		if !o.Healthy {
			state = strings.TrimSuffix("failing: "+o.LastError, ": ")
		}
		return []string{shown(o.Name), shown(o.Type), fmt.Sprintf("%d %s", o.Delivered, shown(o.Guarantee)), fmt.Sprint(o.Filtered), fmt.Sprint(o.Rejected), fmt.Sprint(o.Evicted + o.Quarantined),
			fmt.Sprint(o.Retries), fmt.Sprint(o.Queued), p.ago(o.LastSuccessAt), shown(state)}
	})
	p.counted(list)
	p.errors(list)
}

// counted is what outputs themselves have counted, but for what is 0.
func (p *statusPage) counted(list []status.Output) {
	var rows [][]string
	for i := range list {
		if text := countersText(list[i].Counters); text != "" {
			rows = append(rows, []string{shown(list[i].Name), shown(text)})
		}
	}
	p.table("OUTPUT | COUNTED SINCE THE START", len(rows), func(i int) []string { return rows[i] })
}

// errorRows is how many errors of an output the page shows.
const errorRows = 3

// errors are the last ones of outputs that fail, the newest first.
func (p *statusPage) errors(list []status.Output) {
	var rows [][]string
	for i := range list {
		if list[i].Healthy {
			continue
		}
		last := list[i].LastErrors
		for j := len(last) - 1; j >= max(0, len(last)-errorRows); j-- {
			e := &last[j]
			rows = append(rows, []string{shown(list[i].Name), shown(e.Class), fmt.Sprint(e.Times), p.ago(e.FirstAt), p.ago(e.LastAt), shown(e.Text)})
		}
	}
	p.table("OUTPUT | ERRORS | TIMES | FIRST | LAST | WHAT WENT WRONG", len(rows), func(i int) []string { return rows[i] })
}

func (p *statusPage) health() {
	list := slices.DeleteFunc(slices.Clone(p.now.Health), func(h status.Health) bool { return h.State == event.Recovered })
	p.table("HEALTH | CAUSE | SINCE | WHAT IS WRONG", len(list), func(i int) []string {
		h := &list[i]
		return []string{shown(string(h.Code)), shown(h.Cause), p.ago(h.Since), shown(h.Info)}
	})
}
