// Package lint finds the trails that can never match. For every trail it makes
// the packet that should match - a SYN, a DNS query, an HTTP request - and
// shows it to the same matcher that the sensor uses. What does not come back
// as an event is reported with the reason.
package lint

import (
	"runtime"
	"runtime/debug"
	"sync"

	"trailhound/agent/detect"
	"trailhound/agent/event"
	"trailhound/trails"
	"trailhound/trails/table"
	"trailhound/trails/whitelist"
)

// chunk is how many trails are checked at a time before their findings are
// handed on.
const chunk = 1 << 13

// Run checks every trail of a table as it would match under a whitelist (nil
// for none) and beside the list of suspicious user agents (nil for none).
// Findings are reported in the order of the table, by one goroutine. A table
// that is truncated meanwhile makes Run panic as reading it does.
func Run(t *table.Table, white *whitelist.List, userAgents []byte, report func(Finding)) Summary {
	rules := detect.NewRules(t, white, detect.Options{Heuristics: true, HostDomains: true, UserAgents: userAgents})
	workers := runtime.GOMAXPROCS(0)
	jobs := make(chan job, workers)
	order := make(chan chan result, 2*workers)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			debug.SetPanicOnFault(true)
			l := &linter{prober: newProber(rules, white), white: white, t: t}
			for j := range jobs {
				j.done <- l.guarded(j.refs)
			}
		})
	}
	var torn, broken any // what listing the table, and looking up in it, ended with
	go func() {
		debug.SetPanicOnFault(true)
		defer close(order)
		defer close(jobs)
		defer func() { torn = fault(recover()) }()
		refs := make([]table.Ref, 0, chunk)
		hand := func() {
			if len(refs) > 0 {
				done := make(chan result, 1)
				order <- done
				jobs <- job{refs, done}
				refs = make([]table.Ref, 0, chunk)
			}
		}
		for r := range t.All() {
			if refs = append(refs, r); len(refs) == chunk {
				hand()
			}
		}
		hand()
	}()
	var sum Summary
	for done := range order {
		r := <-done
		if r.fault != nil {
			broken = r.fault
		}
		sum.Trails += r.trails
		sum.Sent += r.sent
		sum.LookedUp += r.lookedUp
		for _, f := range r.findings {
			sum.Findings++
			sum.ByReason[f.Reason]++
			sum.ByKind[f.Kind]++
			report(f)
		}
	}
	wg.Wait()
	if broken == nil {
		broken = torn
	}
	if broken != nil {
		panic(broken) // on the caller's goroutine, who may know what to do
	}
	return sum
}

// guarded is check, with a fault of the table as a result.
func (l *linter) guarded(refs []table.Ref) (r result) {
	defer func() {
		if v := fault(recover()); v != nil {
			r.fault = v
		}
	}()
	return l.check(refs)
}

// fault gives a panic back that is a fault of mapped memory: the table's file
// was cut off in place. Any other panic goes on.
func fault(v any) any {
	if _, ok := v.(interface{ Addr() uintptr }); !ok && v != nil {
		panic(v)
	}
	return v
}

type job struct {
	refs []table.Ref
	done chan result
}

type result struct {
	trails, sent, lookedUp int
	findings               []Finding
	fault                  any
}

// linter checks trails; it is used by one goroutine.
type linter struct {
	prober *Prober
	white  *whitelist.List
	t      *table.Table
	text   []byte
	rival  string     // the trail that an event came from instead
	guess  event.Code // the heuristic that did
}

// verdict is what became of one trail.
type verdict struct {
	reason Reason
	detail string
	lookup bool // found by its key only
}

func (l *linter) check(refs []table.Ref) (r result) {
	for _, ref := range refs {
		r.trails++
		v := l.trail(ref)
		switch {
		case v.reason == Matched && v.lookup:
			r.lookedUp++
		case v.reason == Matched:
			r.sent++
		default:
			f := Finding{Kind: l.t.Kind(ref), Trail: trails.Text(l.t.Kind(ref), l.t.Key(ref)), Reason: v.reason, Detail: v.detail}
			if p := l.t.Provenance(ref); len(p.Sources) > 0 {
				f.Source = p.Sources[0].Name
			}
			r.findings = append(r.findings, f)
		}
	}
	return r
}

func (l *linter) trail(ref table.Ref) verdict {
	l.rival, l.guess = "", ""
	kind, key := l.t.Kind(ref), l.t.Key(ref)
	switch kind {
	case trails.Domain:
		return l.domain(ref, key)
	case trails.Address, trails.AddressPort, trails.Network:
		return l.address(ref, kind, key)
	case trails.URL:
		return l.url(ref, key)
	case trails.Pattern:
		return l.pattern(ref, key)
	case trails.UserAgent:
		return l.agent(ref, key)
	case trails.Certificate, trails.JA3, trails.JA4:
		return l.digest(ref, kind, key)
	}
	return verdict{reason: Unsupported}
}

// hit says whether one of the events is that of a trail. It notes what else
// there was for the reason.
func (l *linter) hit(ref table.Ref, events []event.Event) bool {
	for i := range events {
		e := &events[i]
		if e.Kind == trails.Invalid {
			l.guess = e.Code
			continue
		}
		l.text = trails.AppendText(l.text[:0], l.t.Kind(ref), l.t.Key(ref))
		if e.Kind == l.t.Kind(ref) && e.Indicator == string(l.text) {
			return true
		}
		l.rival = e.Indicator
	}
	return false
}

// missed gives the reason that is left when the observable itself is sound and
// no whitelist is in the way.
func (l *linter) missed() verdict {
	switch {
	case l.rival != "":
		return verdict{reason: Outranked, detail: l.rival}
	case l.guess != "":
		return verdict{reason: Heuristic, detail: string(l.guess)}
	}
	return verdict{reason: Unmatched}
}

// listed gives the whitelist entry that takes out the trail itself.
func (l *linter) listed(kind trails.Kind, key []byte) (verdict, bool) {
	if !l.white.Trail(kind, key) {
		return verdict{}, false
	}
	text := trails.Text(kind, key)
	entry, ok := l.white.Explain(text)
	if !ok {
		entry = text
	}
	return verdict{reason: Whitelisted, detail: entry}, true
}

// covered gives the whitelist entry above a host.
func (l *linter) covered(host []byte) (verdict, bool) {
	if !l.white.Domain(host) {
		return verdict{}, false
	}
	entry, _ := l.white.Explain(string(host))
	return verdict{reason: Whitelisted, detail: entry}, true
}
