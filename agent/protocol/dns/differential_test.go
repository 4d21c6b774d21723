package dns

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// text gives a name of dnsmessage in the form of ours.
func text(n dnsmessage.Name) string {
	s := strings.TrimSuffix(n.String(), ".")
	s = strings.ReplaceAll(s, `\`, `\\`)
	s = strings.ReplaceAll(s, "\x00", `\000`)
	return asciiLower([]byte(s))
}

// compare checks that what dnsmessage reads of a message, we read alike. The
// other way round we read more: names with dots in labels, more pointers.
func compare(t *testing.T, b []byte) {
	t.Helper()
	var p dnsmessage.Parser
	h, err := p.Start(b)
	var m Message
	if ok := m.Parse(b); ok != (err == nil) {
		t.Fatalf("Parse %v, dnsmessage %v", ok, err)
	}
	if err != nil {
		return
	}
	if h.ID != m.ID || h.Response != m.Response() || uint8(h.OpCode) != m.Opcode() || h.Truncated != m.Truncated() || uint8(h.RCode) != m.RCode() {
		t.Fatalf("header %+v read as %04x", h, m.Flags)
	}
	var q Question
	for {
		want, err := p.Question()
		if err == dnsmessage.ErrSectionDone {
			break
		}
		if err != nil {
			return
		}
		name := text(want.Name)
		if want.Name.Length > 254 {
			return // one octet more than RFC 1035 has
		}
		if !m.NextQuestion(&q) {
			t.Fatalf("question %q not read", name)
		}
		same := string(q.Name) == name || q.Cut && strings.HasSuffix(name, string(q.Name))
		if !same || q.Type != uint16(want.Type) || q.Class != uint16(want.Class) {
			t.Fatalf("question %q %d %d read as %q %d %d", name, want.Type, want.Class, q.Name, q.Type, q.Class)
		}
	}
	var r Record
	for section, read := range []struct {
		header func() (dnsmessage.ResourceHeader, error)
		skip   func() error
		body   func() (dnsmessage.UnknownResource, error)
	}{
		{p.AnswerHeader, p.SkipAnswer, p.UnknownResource},
		{p.AuthorityHeader, p.SkipAuthority, p.UnknownResource},
		{p.AdditionalHeader, p.SkipAdditional, p.UnknownResource},
	} {
		for {
			want, err := read.header()
			if err == dnsmessage.ErrSectionDone {
				break
			}
			if err != nil || want.Name.Length > 254 {
				return
			}
			body, err := read.body()
			if err != nil {
				return
			}
			name := text(want.Name)
			if !m.NextRecord(&r) {
				t.Fatalf("record %q not read", name)
			}
			same := string(r.Name) == name || r.Cut && strings.HasSuffix(name, string(r.Name))
			if !same || r.Section != Section(section) || r.Type != uint16(want.Type) || r.Class != uint16(want.Class) || r.TTL != want.TTL || !bytes.Equal(r.Data, body.Data) {
				t.Fatalf("record %q %+v read as %+v", name, want, r)
			}
		}
	}
	if m.NextRecord(&r) {
		t.Fatalf("record too many: %+v", r)
	}
}

// TestAgainstDNSMessage reads generated messages, whole and damaged.
func TestAgainstDNSMessage(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	name := func() dnsmessage.Name {
		var labels []string
		for range rnd.IntN(5) {
			labels = append(labels, strings.Repeat(string(rune('A'+rnd.IntN(58))), 1+rnd.IntN(20)))
		}
		labels = append(labels, []string{"Example.com.", "net."}[rnd.IntN(2)])
		return dnsmessage.MustNewName(strings.Join(labels, "."))
	}
	for round := range 20_000 {
		build := dnsmessage.NewBuilder(nil, dnsmessage.Header{ID: uint16(round), Response: rnd.IntN(2) == 0, Truncated: rnd.IntN(4) == 0})
		if rnd.IntN(2) == 0 {
			build.EnableCompression()
		}
		check := func(err error) {
			if err != nil {
				t.Fatal(err)
			}
		}
		check(build.StartQuestions())
		for range rnd.IntN(3) {
			check(build.Question(dnsmessage.Question{Name: name(), Type: dnsmessage.Type(1 + rnd.IntN(64)), Class: 1}))
		}
		check(build.StartAnswers())
		for range rnd.IntN(4) {
			h := dnsmessage.ResourceHeader{Name: name(), Class: 1, TTL: rnd.Uint32()}
			switch rnd.IntN(4) {
			case 0:
				check(build.AResource(h, dnsmessage.AResource{A: [4]byte{1, 2, 3, 4}}))
			case 1:
				check(build.CNAMEResource(h, dnsmessage.CNAMEResource{CNAME: name()}))
			case 2:
				check(build.MXResource(h, dnsmessage.MXResource{MX: name()}))
			case 3:
				check(build.TXTResource(h, dnsmessage.TXTResource{TXT: []string{"x"}}))
			}
		}
		check(build.StartAuthorities())
		check(build.NSResource(dnsmessage.ResourceHeader{Name: name(), Class: 1}, dnsmessage.NSResource{NS: name()}))
		check(build.StartAdditionals())
		var opt dnsmessage.ResourceHeader
		check(opt.SetEDNS0(1232, 0, true))
		check(build.OPTResource(opt, dnsmessage.OPTResource{}))
		b, err := build.Finish()
		check(err)
		compare(t, b)
		compareTargets(t, b)
		for range 3 {
			b[rnd.IntN(len(b))] = byte(rnd.Uint32())
			compare(t, b)
		}
		compare(t, bytes.Clone(b[:rnd.IntN(len(b))]))
	}
}

func compareTargets(t *testing.T, b []byte) {
	t.Helper()
	var want dnsmessage.Message
	if err := want.Unpack(b); err != nil {
		t.Fatal(err)
	}
	var m Message
	var r Record
	m.Parse(b)
	for _, a := range append(want.Answers, want.Authorities...) {
		if !m.NextRecord(&r) {
			t.Fatalf("%v not read", a)
		}
		target := ""
		switch body := a.Body.(type) {
		case *dnsmessage.CNAMEResource:
			target = text(body.CNAME)
		case *dnsmessage.MXResource:
			target = text(body.MX)
		case *dnsmessage.NSResource:
			target = text(body.NS)
		}
		if got := string(m.Target(&r)); got != target {
			t.Fatalf("target %q read as %q", target, got)
		}
	}
}

func FuzzMessage(f *testing.F) {
	for _, b := range [][]byte{typical, edns, answered, mdns, {}, header(0x8180, 0, 0, 0, 0),
		join(header(0, 1, 0, 0, 0), []byte{1, 'x', 0xC0, 12}, typeClass(1, 1)),
		join(header(0, 1, 0, 0, 0), wire("a.b\x00\\", strings.Repeat("\x00", 63), strings.Repeat("\x00", 63)), typeClass(1, 1))} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		compare(t, b)
		var m Message
		var q Question
		var r Record
		answers := 0
		m.Parse(b)
		for m.NextQuestion(&q) {
			if len(q.Name) > MaxName || bytes.IndexByte(q.Name, 0) >= 0 || bytes.ContainsFunc(q.Name, func(c rune) bool { return c >= 'A' && c <= 'Z' }) {
				t.Fatalf("name %q", q.Name)
			}
			if labels, ok := plainLabels(b, m.off-4); ok && !q.Cut && !slices.Equal(labels, unescape(q.Name)) {
				t.Fatalf("labels %q read as %q", labels, q.Name)
			}
		}
		for m.NextRecord(&r) {
			if len(r.Name) > MaxName || len(m.Target(&r)) > MaxName {
				t.Fatalf("record %+v", r)
			}
			if r.Section == Answer {
				answers++
			}
		}
		if m.NextQuestion(&q) || m.NextRecord(&r) {
			t.Fatal("a message that ended goes on")
		}
		m.Parse(b)
		for m.NextAnswer(&r) { // which does not mind what an owner's pointer leads to
			answers--
			hinted := 0
			for h := r.Hints(); ; hinted++ {
				if _, ok := h.Next(); !ok {
					break
				}
			}
			if _, ok := r.Addr(); 4*hinted > len(r.Data) || ok && hinted > 0 || len(m.Owner(&r)) > MaxName || len(m.Target(&r)) > MaxName {
				t.Fatalf("answer %+v", r)
			}
		}
		if answers > 0 {
			t.Fatal("answers missing")
		}
		if msg, rest, ok := TCPMessage(b); ok && 2+len(msg)+len(rest) != len(b) {
			t.Fatal("TCPMessage lost bytes")
		}
	})
}

// plainLabels reads the labels of the first question in lower case, if its name
// has no pointers and ends at b[end].
func plainLabels(b []byte, end int) (labels []string, ok bool) {
	if skip(b, headerSize) != end {
		return nil, false
	}
	for off := headerSize; b[off] != 0; {
		size := int(b[off])
		if size > maxLabel {
			return nil, false
		}
		labels = append(labels, asciiLower(b[off+1:off+1+size]))
		off += 1 + size
	}
	return labels, true
}

// unescape turns the text of a name into its labels again: what the text says
// is unambiguous.
func unescape(text []byte) (labels []string) {
	var label []byte
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '.':
			labels, label = append(labels, string(label)), nil
		case text[i] == '\\' && text[i+1] == '0':
			label = append(label, 0)
			i += 3
		case text[i] == '\\':
			i++
			label = append(label, text[i])
		default:
			label = append(label, text[i])
		}
	}
	if len(text) > 0 {
		labels = append(labels, string(label))
	}
	return labels
}

func asciiLower(b []byte) string {
	b = bytes.Clone(b)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c | 0x20
		}
	}
	return string(b)
}

func FuzzLooks(f *testing.F) {
	for _, b := range [][]byte{typical, edns, answered, mdns, make([]byte, 64)} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if !Looks(b) {
			return
		}
		var m Message
		if !m.Parse(b) || m.Opcode() != 0 {
			t.Fatal("not a standard message")
		}
		n := 0
		for off := headerSize; n < int(m.Questions); n++ {
			if off = skip(b, off); off < 0 || off+4 > len(b) {
				t.Fatal("questions not whole")
			}
			off += 4
		}
	})
}
