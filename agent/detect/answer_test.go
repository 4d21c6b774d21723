package detect

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"unicode/utf8"

	"trailhound/agent/event"
	"trailhound/agent/heuristic"
	"trailhound/agent/packet"
	"trailhound/tests/corpus"
)

// answerer is a worker that keeps its events and counts its evidence.
func answerer(t testing.TB, list ...string) (*Worker, *[]event.Event) {
	w, events := worker(rulesOf(t, Options{Heuristics: true, Home: event.NewHomeNetworks(nil)}, list...))
	batch := heuristic.NewBatch()
	w.Evidence = heuristic.NewCollector(1, func(*heuristic.Batch) *heuristic.Batch { batch.Reset(); return batch })
	return w, events
}

// respond matches a message as a server's.
func respond(w *Worker, proto uint8, message []byte) {
	w.p = packet.Packet{Time: corpus.Start, Src: netip.AddrFrom4([4]byte{8, 8, 8, 8}), Dst: netip.AddrFrom4([4]byte{10, 0, 0, 1}),
		SrcPort: 53, DstPort: 50000, Proto: proto, Payload: message}
	w.begin(corpus.Start, 1)
	w.match()
}

// response is the head of a message with a question and a count of answers,
// whether they are there or not.
func response(answers int) []byte {
	b := []byte(corpus.Reply(corpus.NoError, corpus.Query(corpus.Ask("www.site.com"))))
	binary.BigEndian.PutUint16(b[6:], uint16(answers))
	return b
}

// record appends a record of the question's name.
func record(b []byte, typ uint16, data string) []byte {
	b = append(b, 0xc0, 12, byte(typ>>8), byte(typ), 0, 1, 0, 0, 0, 60)
	return append(binary.BigEndian.AppendUint16(b, uint16(len(data))), data...)
}

const (
	evilAddr = "\x42\x42\x42\x42" // 66.66.66.66
	evilName = "\x04evil\x03com\x00"
)

// TestHostileAnswers: counts that lie, names that loop, records that are cut
// off. What is whole in front of the damage is matched.
func TestHostileAnswers(t *testing.T) {
	good := record(record(response(2), 1, evilAddr), 5, evilName)
	at := func(b []byte) string { return string([]byte{0xc0 | byte(len(b)>>8), byte(len(b))}) } // a pointer to what follows
	self := response(2)
	self = record(self, 5, at(append(self, make([]byte, 12)...)))
	two := response(3)
	two = record(two, 5, "\x01x\xc0"+string([]byte{byte(len(two) + 12)}))
	owner := append(response(2), 0xc0, byte(len(response(2))), 0, 1, 0, 1, 0, 0, 0, 60, 0, 4)
	owner = append(owner, evilAddr...)
	cut := record(response(2), 1, evilAddr)
	for name, c := range map[string]struct {
		message []byte
		want    string
	}{
		"whole":              {good, "66.66.66.66 (www.site.com) evil.com"},
		"count too high":     {append(record(response(65535), 1, evilAddr), 0), "66.66.66.66 (www.site.com)"},
		"count too low":      {record(record(response(1), 1, evilAddr), 5, evilName), "66.66.66.66 (www.site.com)"},
		"count of none":      {record(response(0), 1, evilAddr), ""},
		"name to itself":     {record(self, 1, evilAddr), "66.66.66.66 (www.site.com)"},
		"name in a circle":   {record(record(two, 5, evilName), 1, evilAddr), "evil.com 66.66.66.66 (www.site.com)"},
		"owner to itself":    {record(owner, 5, evilName), "66.66.66.66 (www.site.com) evil.com"},
		"length too high":    {append(record(cut, 1, evilAddr)[:len(cut)+10], 0xff, 0xff), "66.66.66.66 (www.site.com)"},
		"cut in the data":    {good[:len(good)-3], "66.66.66.66 (www.site.com)"},
		"cut in the owner":   {cut[:len(cut)-15], ""},
		"question only":      {response(9), ""},
		"question cut":       {response(9)[:20], ""},
		"more questions":     {append(append([]byte(nil), good[:5]...), append([]byte{200}, good[6:]...)...), ""},
		"behind a good name": {record(record(response(2), 5, evilName), 64, "\x00\x01\x00\x00\x04\xff\xff"+evilAddr), "evil.com"},
	} {
		for _, proto := range []uint8{packet.ProtoUDP, packet.ProtoTCP} {
			message := c.message
			if proto == packet.ProtoTCP {
				message = []byte(corpus.Stream(string(c.message)))
			}
			w, events := answerer(t, "66.66.66.66", "evil.com")
			respond(w, proto, message)
			var got []string
			for _, e := range *events {
				got = append(got, e.Trail)
			}
			want := c.want
			if proto == packet.ProtoTCP && strings.HasPrefix(name, "count too high") {
				want = "" // on a stream, what does not add up is no message
			}
			if strings.Join(got, " ") != want {
				t.Errorf("%s over %d: got %q, want %q", name, proto, got, want)
			}
			if w.facts.reply || w.facts.app != "" {
				t.Errorf("%s: the facts stay", name)
			}
		}
	}
}

// TestAnswersAreBounded: a message of 64 KiB full of records. Each address is
// asked for, as it costs no more than its bytes; names end with the budget, as
// each may be 255 bytes long for a pointer's two.
func TestAnswersAreBounded(t *testing.T) {
	fill := func(r func(b []byte) []byte, last ...func(b []byte) []byte) []byte {
		b := response(0)
		n := 0
		for len(b) < 65_000 {
			b = r(b)
			n++
		}
		for _, f := range last {
			b = f(b)
			n++
		}
		binary.BigEndian.PutUint16(b[6:], uint16(n))
		return []byte(corpus.Stream(string(b)))
	}
	address := func(b []byte) []byte { return record(b, 1, evilAddr) }
	name := func(b []byte) []byte { return record(b, 5, evilName) }
	clean := func(b []byte) []byte { return record(b, 1, "\xc0\x00\x02\x01") }
	// In the question's place: a name of 240 bytes, to which all others lead.
	long := strings.Repeat("abcdefghijk.", 19) + "site.com"
	pointed := func(target string) []byte {
		b := []byte(corpus.Reply(corpus.NoError, corpus.Query(corpus.Ask(long))))
		n := 0
		for len(b) < 65_000 {
			b = record(b, 5, target)
			n++
		}
		b = name(address(b))
		binary.BigEndian.PutUint16(b[6:], uint16(n+2))
		return []byte(corpus.Stream(string(b)))
	}
	for what, c := range map[string]struct {
		message []byte
		want    string
	}{
		"addresses":       {fill(clean, address, name), "66.66.66.66 (www.site.com) evil.com"},
		"plain names":     {fill(func(b []byte) []byte { return record(b, 2, "\x03www\x05clean\x03org\x00") }, name, address), "evil.com 66.66.66.66 (www.site.com)"},
		"long names":      {pointed("\x01x\xc0\x0c"), "66.66.66.66 (" + long + ")"},
		"malformed names": {pointed("\xc0\xff"), "66.66.66.66 (" + long + ")"},
		"texts":           {fill(func(b []byte) []byte { return record(b, 16, strings.Repeat("x", 250)) }, address), "66.66.66.66 (www.site.com)"},
		"empty records":   {fill(func(b []byte) []byte { return record(b, 10, "") }, name), "evil.com"},
		"hints": {fill(func(b []byte) []byte {
			return record(b, 65, "\x00\x01\x00"+strings.Repeat("\x00\x04\x00\x04\xc0\x00\x02\x01", 90))
		}, address), "66.66.66.66 (www.site.com)"},
	} {
		w, events := answerer(t, "66.66.66.66", "evil.com")
		respond(w, packet.ProtoTCP, c.message)
		var got []string
		for _, e := range *events {
			got = append(got, e.Trail)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: got %q, want %q", what, got, c.want)
		}
	}
	// And events, however many addresses are listed.
	w, events := answerer(t, "198.18.0.0/15")
	n := 0
	respond(w, packet.ProtoTCP, fill(func(b []byte) []byte {
		n++
		return record(b, 1, string([]byte{198, 18, byte(n >> 8), byte(n)}))
	}))
	if len(*events) != maxRaised || w.Stats.Crowded != uint64(n-maxRaised) {
		t.Errorf("%d events, %d left out", len(*events), w.Stats.Crowded)
	}
}

// TestClassOfCleanNames: the class is kept with the hash, and no name is taken
// for another.
func TestClassOfCleanNames(t *testing.T) {
	c := newClean(1 << 10)
	for i := range 5000 {
		h := c.hash(fmt.Append(nil, i))
		if k, ok := c.class(h); ok {
			t.Fatalf("%d is remembered as %d", i, k)
		}
		c.addClass(h, class(i%4))
		if k, ok := c.class(h); !ok || k != class(i%4) {
			t.Fatalf("%d: class %d, %v", i, k, ok)
		}
	}
	none := newClean(0)
	h := none.hash([]byte("x"))
	none.addClass(h, classLong)
	if _, ok := none.class(h); ok {
		t.Error("a cache of nothing remembers")
	}
}

// FuzzAnswers matches any payload as a response.
func FuzzAnswers(f *testing.F) {
	query := corpus.Query(corpus.Ask("www.site.com"))
	for _, r := range [][]corpus.Resource{
		{corpus.Address("66.66.66.66")}, {corpus.Address("dead::beef"), corpus.Address("198.51.100.90")},
		{corpus.Leads(corpus.TypeCNAME, "a.evil.com"), corpus.Leads(corpus.TypeMX, "evil.com"), corpus.Leads(corpus.TypeSRV, "b.evil.com"), corpus.Leads(corpus.TypeNS, "ns1.evil.com")},
		{corpus.Leads(corpus.TypeHTTPS, "", corpus.Hint(4, "66.66.66.66"), corpus.Hint(6, "dead::beef"))}, {{Type: corpus.TypeA, Data: "1"}, {Type: corpus.TypeSVCB, Data: "\x00\x01\xc0\x0c\x00\x06\x00\x10"}},
	} {
		f.Add([]byte(corpus.Reply(corpus.NoError, query, r...)))
		f.Add([]byte(corpus.Reply(corpus.NoSuchName, query, r...)))
		f.Add([]byte(corpus.Reply(corpus.NoError, corpus.Query(), r...)))
	}
	f.Add(record(response(9), 5, "\xc0\x0c"))
	f.Add([]byte(corpus.Reply(corpus.NoSuchName, corpus.Query(corpus.Ask("4.3.2.1.list.org")))))
	w, events := answerer(f, "66.66.66.66", "dead::beef", "198.51.0.0/16", "evil.com", "b.evil.com")
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, proto := range []uint8{packet.ProtoUDP, packet.ProtoTCP} {
			*events = (*events)[:0]
			clear(w.seen.last)
			respond(w, proto, b)
			for _, e := range *events {
				if e.Trail == "" || e.Indicator == "" || !utf8.ValidString(e.Trail) || len(e.DNS.Answers) > event.MaxAnswers || len(*events) > maxRaised {
					t.Fatalf("%+v", e)
				}
				if reply := len(b) > 2 && b[2]&0x80 != 0; proto == packet.ProtoUDP && e.DNS.HasRCode && !reply {
					t.Fatalf("no response, but %+v", e)
				}
			}
			if w.facts.reply || w.facts.app != "" {
				t.Fatal("the facts stay")
			}
		}
	})
}
