package format

import (
	"encoding/csv"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"trailhound/agent/event"
	"trailhound/trails"
)

func longEvent() *event.Event {
	e := fullEvent()
	long := strings.Repeat("ü日\U0001D11E\"\\", 400)
	e.Trail, e.Observable, e.Indicator, e.HTTP.Target, e.HTTP.UserAgent, e.DNS.Question = long, long, long, long, long, long
	for i := range event.MaxValues {
		e.Aggregate.SrcPorts = append(e.Aggregate.SrcPorts[:i:i], uint16(i+1))
		e.Aggregate.DstPorts = append(e.Aggregate.DstPorts[:i:i], uint16(i+1))
		e.Aggregate.Dsts = append(e.Aggregate.Dsts[:i:i], netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}))
	}
	e.Aggregate.MoreDsts = 5
	e.Retro = event.Retro{} // for which the reference has no record
	e.Sources = []trails.Source{{Name: "a", URLs: []string{long}}, {Name: "b", URLs: []string{long}}}
	return e
}

func TestReduce(t *testing.T) {
	e := longEvent()
	whole := *e
	last := 1 << 30
	for step := 1; step <= ReduceSteps; step++ {
		r := Reduce(e, step)
		if n := 1024 >> step; len(r.Trail) > n || !utf8.ValidString(r.Trail) || !strings.HasSuffix(r.Trail, event.TruncatedMark) {
			t.Errorf("step %d: trail of %d bytes: %q", step, len(r.Trail), r.Trail)
		}
		if got, want := len(r.Aggregate.Dsts)+int(r.Aggregate.MoreDsts), event.MaxValues+5; got != want {
			t.Errorf("step %d: %d destinations are told of, want %d", step, got, want)
		}
		if r.ID != e.ID || r.Src != e.Src || r.Info != e.Info || r.Aggregate.Count != e.Aggregate.Count || r.TLS.SHA256 != e.TLS.SHA256 {
			t.Errorf("step %d touched what has to stay", step)
		}
		if n := len(AppendECS(nil, &r, identity())); n >= last {
			t.Errorf("step %d: %d bytes, %d before", step, n, last)
		} else {
			last = n
		}
	}
	if e.Trail != whole.Trail || len(e.Aggregate.Dsts) != event.MaxValues || len(e.Sources) != 2 {
		t.Error("the event itself was changed")
	}
}

func TestAppendWithin(t *testing.T) {
	line := func(dst []byte, e *event.Event, _ int) []byte { return AppendLogServer(dst, e, identity(), time.UTC) }
	doc := func(dst []byte, e *event.Event, step int) []byte { return AppendLogstash(dst, e, identity()) }
	for limit := 100; limit < 6000; limit += 37 {
		for name, encode := range map[string]func([]byte, *event.Event, int) []byte{"line": line, "doc": doc} {
			got, reduced, ok := AppendWithin([]byte("x"), longEvent(), limit, encode)
			if len(got)-1 > limit || got[0] != 'x' || ok == (len(got) == 1) {
				t.Fatalf("%s within %d: %d bytes, ok %v", name, limit, len(got)-1, ok)
			}
			if ok && !reduced && limit < 1600 {
				t.Fatalf("%s within %d: not reduced", name, limit)
			}
			if ok && (!utf8.Valid(got) || name == "doc" && len(object(t, got[1:])) != 12 || name == "line" && got[len(got)-1] != '\n') {
				t.Fatalf("%s within %d is broken: %s", name, limit, got)
			}
		}
	}
	if got, reduced, ok := AppendWithin(nil, dnsEvent(), 500, doc); string(got) != string(AppendLogstash(nil, dnsEvent(), identity())) || reduced || !ok {
		t.Error("what fits was touched")
	}
}

// Whatever the text and the limit: what comes out is whole and reads back.
func FuzzWithin(f *testing.F) {
	for i, s := range seeds() {
		f.Add(s, uint16(200+97*i))
	}
	f.Fuzz(func(t *testing.T, s string, limit uint16) {
		id := hostileIdentity("h")
		e := hostile(s)
		e.Type, e.Code, e.Protocol = event.DNS, event.TrailDNS, "UDP"
		e.Retro = event.Retro{}
		line, _, ok := AppendWithin(nil, e, int(limit), func(dst []byte, e *event.Event, _ int) []byte { return AppendLogServer(dst, e, id, time.UTC) })
		if len(line) > int(limit) || ok != (len(line) > 0) {
			t.Fatalf("%d bytes of %d, %v", len(line), limit, ok)
		}
		if ok {
			second, rest, _ := strings.Cut(string(line), " ")
			r := csv.NewReader(strings.NewReader(rest))
			r.Comma = ' '
			columns, err := r.Read()
			if err != nil || len(columns) != 11 || second != "1771234567" || columns[2] == "" || strings.Count(rest, "\n") != 1 {
				t.Fatalf("%q: %q, %v", line, columns, err)
			}
		}
		for _, encode := range []func([]byte, *event.Event, int) []byte{
			func(dst []byte, e *event.Event, _ int) []byte { return AppendLogstash(dst, e, id) },
			func(dst []byte, e *event.Event, _ int) []byte { return NewECS(id, ECSOptions{}).AppendLogstash(dst, e) },
		} {
			doc, _, ok := AppendWithin(nil, e, int(limit), encode)
			if len(doc) > int(limit) || ok != (len(doc) > 0) {
				t.Fatalf("%d bytes of %d, %v", len(doc), limit, ok)
			}
			if ok {
				object(t, doc)
			}
		}
	})
}

func TestLogServer(t *testing.T) {
	var got []byte
	for _, e := range roughEvents() {
		got = AppendLogServer(got, e, fullIdentity(), time.FixedZone("", 3600))
	}
	golden(t, "maltrail/logserver.txt", got)
	want := `1771234567 "2026-02-16 09:36:07.004200" edge-1 192.0.2.10 51514 198.51.100.53 53 UDP DNS (cdn).bad-domain.test "lumma (malware)" (static)` + "\n"
	if got := string(AppendLogServer(nil, dnsEvent(), identity(), time.UTC)); got != want {
		t.Errorf("got  %swant %s", got, want)
	}
	if got := AppendLogServer(nil, healthEvent(), identity(), time.UTC); len(got) != 0 {
		t.Errorf("a health event went to the reference: %s", got)
	}
	if got := string(AppendLogServer(nil, &event.Event{}, identity(), time.UTC)); !strings.HasPrefix(got, `0 "`) {
		t.Errorf("no second in front: %s", got)
	}
}

// What Reduce has to leave out of the newer facts, and what not.
func TestReduceFacts(t *testing.T) {
	e := fullEvent()
	long := strings.Repeat("x", 600)
	e.HTTP.ContentType, e.HTTP.Body, e.SrcGroup, e.DstGroup = long, long, long, long
	for range event.MaxAnswers {
		e.DNS.Answers = append(e.DNS.Answers, long)
		e.Retro.Hosts = append(e.Retro.Hosts, addr("192.0.2.99"))
	}
	first := e.DNS.Answers[0]
	r := Reduce(e, ReduceSteps)
	if len(r.DNS.Answers) != 0 || len(r.Retro.Hosts) != 0 || len(r.HTTP.Body)+len(r.HTTP.ContentType)+len(r.SrcGroup)+len(r.DstGroup) > 4*16 {
		t.Errorf("%+v", r)
	}
	if r.CommunityID != e.CommunityID || r.TLS != e.TLS || r.Outcome != e.Outcome || r.DNS.RCode != e.DNS.RCode || r.Retro.First != e.Retro.First {
		t.Errorf("%+v touched what has to stay", r)
	}
	if r = Reduce(e, 2); len(r.DNS.Answers) != 8 || len(r.DNS.Answers[5]) > 256 || e.DNS.Answers[0] != first || len(e.DNS.Answers[5]) != 600 {
		t.Errorf("%q", r.DNS.Answers)
	}
}
