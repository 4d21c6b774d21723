package agent

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"trailhound/agent/detect"
	"trailhound/agent/event"
	"trailhound/agent/retro"
	"trailhound/agent/suppress"
	"trailhound/tests/corpus"
	"trailhound/trails"
	"trailhound/trails/table"
	"trailhound/trails/whitelist"
)

// listing is a table of trails.
func listing(t testing.TB, info string, all ...string) *table.Table {
	t.Helper()
	b := table.NewBuilder(table.Options{})
	p := b.Provenance(trails.Provenance{Info: info, Reference: "(static)"})
	for _, text := range all {
		kind, key, err := trails.AppendKey(nil, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		b.Add(kind, key, p)
	}
	tab, err := b.Memory()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tab.Close() })
	return tab
}

var retroHome = event.NewHomeNetworks([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")})

// recalled asks for all that is new in a table, as the service does, and gives the
// events to the gate.
func (r *running) recalled(t *testing.T, rules *detect.Rules, before *table.Table) {
	t.Helper()
	var events []event.Event
	secret := r.opt.Retro.Secret()
	secret.Fresh(rules.Table(), before, func(part []retro.Candidate) bool {
		if !r.Recall(len(part), func(i int) uint64 { return part[i].Key }, func(i int, seen retro.Seen) {
			if e, ok := rules.Recall(part[i].Ref, seen, time.Now()); ok {
				events = append(events, e)
			}
		}) {
			t.Error("nobody to ask")
		}
		return true
	})
	r.Detect(events)
}

// Frames of a live sensor: what a host asks for and where it goes.
func retroFrames() []corpus.Stamped {
	ask := func(at int, src, name string) corpus.Stamped {
		return corpus.At(at, corpus.IP(src, "10.0.0.53", corpus.UDP(40000, 53, corpus.Query(corpus.Ask(name)))).Ethernet())
	}
	syn := func(at int, src, dst string, port uint16) corpus.Stamped {
		return corpus.At(at, corpus.IP(src, dst, corpus.Syn(40000, port)).Ethernet())
	}
	return []corpus.Stamped{
		ask(0, "10.0.0.1", "www.late.example.net"), ask(1, "10.0.0.2", "late.example.net"), ask(130, "10.0.0.3", "deep.below.late.example.net"),
		ask(2, "10.0.0.1", "white.example.org"), ask(3, "10.0.0.4", "ns1.dns.example.net"), ask(4, "10.0.0.4", "printer.lan"),
		syn(5, "10.0.0.5", "192.0.2.1", 8080), syn(6, "10.0.0.5", "192.0.2.2", 443), syn(7, "198.51.100.1", "10.0.0.9", 22), syn(8, "10.0.0.5", "10.0.0.6", 23),
	}
}

// TestRetro: what was met before its trail came is told, once, with who and when.
func TestRetro(t *testing.T) {
	for _, workers := range []int{1, 2, 4} {
		t.Run(fmt.Sprint(workers), func(t *testing.T) {
			before := listing(t, "x (malware)", "known.example.net")
			now := listing(t, "x (malware)", "known.example.net", "late.example.net", "deep.below.late.example.net", "white.example.org", "dns.example.net",
				"ns1.dns.example.net", "printer.lan", "192.0.2.1", "192.0.2.1:8080", "192.0.2.1:8081", "192.0.2.2", "198.51.100.1", "10.0.0.6", "never.example")
			white, err := whitelist.New("white.example.org")
			if err != nil {
				t.Fatal(err)
			}
			opt := detect.Options{Home: retroHome}
			gate := suppress.New(suppress.Options{Window: time.Minute, Whitelisted: func(a netip.Addr) bool { return a == netip.MustParseAddr("192.0.2.2") }})
			synctest.Test(t, func(t *testing.T) {
				r := start(t, workers, LiveOptions{Rules: detect.NewRules(before, white, opt), Retro: retro.New(1<<20, retro.NewSecret()), Gate: gate})
				for i, f := range retroFrames() {
					r.sources[i%workers].batches <- frames(f)
				}
				time.Sleep(2 * time.Second)
				synctest.Wait()
				rules := detect.NewRules(now, white, opt)
				<-r.SetRules(rules)
				r.recalled(t, rules, before)
				r.recalled(t, rules, before) // a second time it is a repeat
				// The same name now is news, not a repeat of what was recalled.
				r.sources[0].batches <- frames(retroFrames()[1])
				time.Sleep(2 * time.Second)
				synctest.Wait()
				var got []string
				live := 0
				for _, e := range r.end(t) {
					if e.Aggregate.Summary {
						continue
					}
					if e.Retro.First.IsZero() {
						live++
						continue
					}
					first, last := e.Retro.First.Sub(epoch), e.Retro.Last.Sub(epoch)
					got = append(got, fmt.Sprintf("%s %s %s %s %d-%d of %d", e.Code, e.Trail, e.Src, e.Direction, int(first.Minutes()), int(last.Minutes()), len(e.Retro.Hosts)))
					if e.Severity != event.High || e.Info != "x (malware)" || e.Reference != "(static)" || e.Indicator == "" || !slices.Contains(e.Retro.Hosts, e.Src) {
						t.Errorf("%+v", e)
					}
				}
				slices.Sort(got)
				want := []string{
					"trail.dns deep.below.late.example.net 10.0.0.3 outbound 2-2 of 1",
					"trail.dns late.example.net 10.0.0.1 outbound 0-2 of 2",
					"trail.dns ns1.dns.example.net 10.0.0.4 outbound 0-0 of 1",
					"trail.ip 192.0.2.1 10.0.0.5 outbound 0-0 of 1",
					"trail.iport 192.0.2.1:8080 10.0.0.5 outbound 0-0 of 1",
				}
				if workers > 1 { // which of them came first in its minute is not told
					for i := range got {
						got[i] = strings.Replace(got[i], "late.example.net 10.0.0.2", "late.example.net 10.0.0.1", 1)
					}
				}
				if !slices.Equal(got, want) {
					t.Errorf("have %q\nwant %q", got, want)
				}
				tally := r.Tally()
				var raised, noted uint64
				for _, w := range r.Traffic() {
					raised += w.Events
					noted += w.Notes.Taken
				}
				if live != 1 || raised+tally.Recalled != tally.Gate.Detected || tally.Recalled != 12 || tally.Gate.Whitelisted != 2 {
					t.Errorf("%d live, raised %d, %+v", live, raised, tally)
				}
				if tally.Retro.Added != noted || noted == 0 || tally.Retro.Entries == 0 {
					t.Errorf("%d noted, %+v", noted, tally.Retro)
				}
			})
		})
	}
}

// epoch is second 0 of frames.
var epoch = corpus.At(0, corpus.Frame{}).Time.Truncate(time.Minute)

// TestRecallFit: a trail that would not have raised an event is not recalled.
func TestRecallFit(t *testing.T) {
	seen := retro.Seen{First: epoch, Last: epoch, Hosts: []netip.Addr{netip.MustParseAddr("10.0.0.1")}}
	for _, c := range []struct {
		trail, info string
		code        event.Code // empty: none
	}{
		{"a.example", "x (malware)", event.TrailDNS},
		{"a.example", "dynamic domain (suspicious)", ""},
		{"a.example", "free web hosting (suspicious)", ""},
		{"white.example", "x (malware)", ""},
		{"below.white.example", "x (malware)", ""},
		{"192.0.2.1", "x (malware)", event.TrailIP},
		{"192.0.2.1", "known attacker", ""},
		{"192.0.2.1", "parking site (suspicious)", ""},
		{"192.0.2.1:80", "parking site (suspicious)", event.TrailIPORT},
		{"192.0.2.1:81", "parking site (suspicious)", ""},
		{"[2001:db8::1]:81", "x (malware)", event.TrailIPORT},
		{"192.0.2.0/24", "x (malware)", ""},
		{"a.example/x", "x (malware)", ""},
	} {
		white, err := whitelist.New("white.example")
		if err != nil {
			t.Fatal(err)
		}
		tab := listing(t, c.info, c.trail)
		opt := detect.Options{Home: retroHome}
		for ref := range tab.All() {
			e, ok := detect.NewRules(tab, white, opt).Recall(ref, seen, epoch)
			if ok != (c.code != "") || e.Code != c.code && ok {
				t.Errorf("%s, %s: %v %s", c.trail, c.info, ok, e.Code)
			}
			opt.Disabled = map[event.Code]bool{c.code: true}
			if _, ok := detect.NewRules(tab, white, opt).Recall(ref, seen, epoch); ok {
				t.Errorf("%s, %s: it is switched off", c.trail, c.info)
			}
		}
	}
}

// TestRetroFull: a worker does not wait for a store that is held up.
func TestRetroFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, 1, LiveOptions{Rules: memoryRules(t, "x"), Retro: retro.New(1<<20, retro.NewSecret())})
		held := make(chan struct{})
		go r.Do(func() { <-held })
		synctest.Wait()
		for i := range 40_000 {
			f := corpus.At(0, corpus.IP("10.0.0.1", "10.0.0.53", corpus.UDP(40000, 53, corpus.Query(corpus.Ask(fmt.Sprintf("n%d.example.net", i))))).Ethernet())
			f2 := frames(f)
			r.sources[0].batches <- f2
		}
		synctest.Wait()
		close(held)
		r.end(t)
		n, c := r.Traffic()[0].Notes, r.Tally().Retro
		if n.Dropped == 0 || n.Taken < 31*(retro.BatchSize-2) || c.Added != n.Taken {
			t.Errorf("%+v, %+v", n, c)
		}
	})
}
