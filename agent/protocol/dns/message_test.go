package dns

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
)

// header makes the twelve bytes in front of a message.
func header(flags, questions, answers, authorities, additionals uint16) []byte {
	var b []byte
	for _, n := range []uint16{0x1234, flags, questions, answers, authorities, additionals} {
		b = binary.BigEndian.AppendUint16(b, n)
	}
	return b
}

func wire(labels ...string) []byte {
	var b []byte
	for _, l := range labels {
		b = append(append(b, byte(len(l))), l...)
	}
	return append(b, 0)
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func typeClass(t, c uint16) []byte {
	return binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, t), c)
}

func record(owner []byte, t, c uint16, ttl uint32, data []byte) []byte {
	b := append(bytes.Clone(owner), typeClass(t, c)...)
	b = binary.BigEndian.AppendUint32(b, ttl)
	return append(binary.BigEndian.AppendUint16(b, uint16(len(data))), data...)
}

var (
	pointer12 = []byte{0xC0, 12}
	typical   = join(header(0x0100, 1, 0, 0, 0), wire("www", "Example", "com"), typeClass(TypeA, ClassIN))
	// edns is a query as resolvers of today send it: OPT in the additionals.
	edns = join(header(0x0120, 1, 0, 0, 1), wire("a", "b"), typeClass(TypeHTTPS, ClassIN),
		record([]byte{0}, TypeOPT, 1232, 0x8000, []byte{0, 10, 0, 2, 1, 2}))
	answered = join(header(0x8180, 1, 3, 1, 1), wire("www", "example", "com"), typeClass(TypeA, ClassIN),
		record(pointer12, TypeCNAME, ClassIN, 60, join([]byte{3}, []byte("CDN"), []byte{0xC0, 16})),
		record([]byte{0xC0, 45}, TypeA, ClassIN, 60, []byte{192, 0, 2, 1}),
		record([]byte{0xC0, 45}, TypeAAAA, ClassIN, 60, bytes.Repeat([]byte{0x20}, 16)),
		record([]byte{0xC0, 16}, TypeNS, ClassIN, 3600, wire("ns", "example", "net")),
		record([]byte{0}, TypeOPT, 4096, 0, nil))
	mdns = join(header(0, 2, 0, 0, 0), wire("_airplay", "_tcp", "local"), typeClass(TypePTR, 0x8001),
		[]byte{4, 'h', 'o', 's', 't', 0xC0, 26}, typeClass(TypeANY, ClassIN))
)

// questions reads all questions of a message into texts.
func questions(b []byte) (all []string) {
	var m Message
	var q Question
	m.Parse(b)
	for m.NextQuestion(&q) {
		all = append(all, fmt.Sprintf("%s %d %d", q.Name, q.Type, q.Class))
	}
	return all
}

func TestQuestions(t *testing.T) {
	long := strings.Repeat("x", 63)
	full := wire(long, long, long, strings.Repeat("x", 61)) // 255 octets
	over := wire(long, long, long, strings.Repeat("x", 62))
	tests := []struct {
		name string
		msg  []byte
		want []string
	}{
		{"typical", typical, []string{"www.example.com 1 1"}},
		{"edns", edns, []string{"a.b 65 1"}},
		{"truncation bit (D 19.35)", join(header(0x0300, 1, 0, 0, 0), wire("x", "y"), typeClass(1, 1)), []string{"x.y 1 1"}},
		{"two questions (D 19.16)", join(header(0, 2, 0, 0, 0), wire("x", "y"), typeClass(1, 1), wire("z"), typeClass(28, 1)), []string{"x.y 1 1", "z 28 1"}},
		{"mdns, pointer in second", mdns, []string{"_airplay._tcp.local 12 32769", "host.local 255 1"}},
		{"pointer forward", join(header(0, 1, 0, 0, 0), []byte{0xC0, 18}, typeClass(1, 1), wire("x", "y")), []string{"x.y 1 1"}},
		{"root", join(header(0, 1, 0, 0, 0), []byte{0}, typeClass(TypeNS, 1)), []string{" 2 1"}},
		{"any class", join(header(0, 1, 0, 0, 0), wire("version", "bind"), typeClass(16, 3)), []string{"version.bind 16 3"}},
		{"count too high", join(header(0, 9, 0, 0, 0), wire("x"), typeClass(1, 1)), []string{"x 1 1"}},
		{"no class", join(header(0, 1, 0, 0, 0), wire("x", "y"), []byte{0, 1, 0}), nil},
		{"no zero label", join(header(0, 1, 0, 0, 0), []byte{1, 'x', 1, 'y'}), nil},
		{"count zero", join(header(0, 0, 0, 0, 0), wire("x"), typeClass(1, 1)), nil},
		{"pointer to itself", join(header(0, 1, 0, 0, 0), pointer12, typeClass(1, 1)), nil},
		{"pointer loop with labels", join(header(0, 1, 0, 0, 0), []byte{1, 'x', 0xC0, 12}, typeClass(1, 1)), nil},
		{"pointer outside", join(header(0, 1, 0, 0, 0), []byte{0xFF, 0xFF}, typeClass(1, 1)), nil},
		{"label type 01", join(header(0, 1, 0, 0, 0), []byte{0x41, 0}, typeClass(1, 1)), nil},
		{"label type 10", join(header(0, 1, 0, 0, 0), []byte{0x80, 0}, typeClass(1, 1)), nil},
		{"longest name", join(header(0, 1, 0, 0, 0), full, typeClass(1, 1)), []string{long + "." + long + "." + long + "." + long[:61] + " 1 1"}},
		{"one octet more", join(header(0, 1, 0, 0, 0), over, typeClass(1, 1)), nil},
		{"dot in label", join(header(0, 1, 0, 0, 0), wire("a.b", "com"), typeClass(1, 1)), []string{`a\.b.com 1 1`}},
		{"backslash in label", join(header(0, 1, 0, 0, 0), wire(`a\`, "b", "com"), typeClass(1, 1)), []string{`a\\.b.com 1 1`}},
		{"nul in label", join(header(0, 1, 0, 0, 0), wire("A\x00B", "com"), typeClass(1, 1)), []string{`a\000b.com 1 1`}},
		{"bytes as sent", join(header(0, 1, 0, 0, 0), wire("\xC3\x84 \x01+/=", "com"), typeClass(1, 1)), []string{"\xC3\x84 \x01+/=.com 1 1"}},
	}
	for _, tt := range tests {
		if got := questions(tt.msg); strings.Join(got, "|") != strings.Join(tt.want, "|") {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

// A name of binary labels keeps its end, which says whose name it is.
func TestNameOutgrownByEscapes(t *testing.T) {
	nul := strings.Repeat("\x00", 60)
	msg := join(header(0, 1, 0, 0, 0), wire("first", nul, nul, "evil", "com"), typeClass(1, 1))
	var m Message
	var q Question
	if !m.Parse(msg) || !m.NextQuestion(&q) {
		t.Fatal("not read")
	}
	if want := strings.Repeat(`\000`, 60) + ".evil.com"; string(q.Name) != want {
		t.Errorf("got %q, want %q", q.Name, want)
	}
	if !q.Cut || len(q.Name) > MaxName {
		t.Errorf("Cut %v, %d bytes", q.Cut, len(q.Name))
	}
	// A message read later starts afresh.
	m.Parse(typical)
	if !m.NextQuestion(&q) || q.Cut || string(q.Name) != "www.example.com" {
		t.Errorf("got %q, Cut %v", q.Name, q.Cut)
	}
}

func TestHeader(t *testing.T) {
	var m Message
	if m.Parse(typical[:11]) || m.Questions != 0 {
		t.Error("11 bytes taken as a header")
	}
	if !m.Parse(header(0xFFFF, 1, 2, 3, 4)) {
		t.Fatal("header alone refused")
	}
	if !m.Response() || m.Opcode() != 15 || m.RCode() != 15 || !m.Truncated() || m.Query() {
		t.Errorf("flags of %04x misread", m.Flags)
	}
	if m.ID != 0x1234 || m.Questions != 1 || m.Answers != 2 || m.Authorities != 3 || m.Additionals != 4 {
		t.Errorf("counts misread: %d %d %d %d", m.Questions, m.Answers, m.Authorities, m.Additionals)
	}
	for flags, want := range map[uint16]bool{0: true, 0x0100: true, 0x07FF: true, 0x8000: false, 0x2000: false, 0x2800: false} {
		if m.Parse(header(flags, 1, 0, 0, 0)); m.Query() != want {
			t.Errorf("flags %04x: query %v", flags, m.Query())
		}
	}
}

func TestRecords(t *testing.T) {
	want := []string{
		"0 www.example.com 5 cdn.example.com",
		"0 cdn.example.com 1 ",
		"0 cdn.example.com 28 ",
		"1 example.com 2 ns.example.net",
		"2  41 ",
	}
	for _, askFirst := range []bool{true, false} {
		var m Message
		var q Question
		var r Record
		var got []string
		m.Parse(answered)
		if askFirst && !m.NextQuestion(&q) {
			t.Fatal("no question")
		}
		for m.NextRecord(&r) {
			got = append(got, fmt.Sprintf("%d %s %d %s", r.Section, r.Name, r.Type, m.Target(&r)))
		}
		if strings.Join(got, "|") != strings.Join(want, "|") {
			t.Errorf("got %q, want %q", got, want)
		}
		if askFirst && string(q.Name) != "www.example.com" {
			t.Errorf("records overwrote the question: %q", q.Name)
		}
	}
}

func TestRecordTargets(t *testing.T) {
	host := wire("h", "x")
	tests := []struct {
		typ  uint16
		data []byte
		want string
	}{
		{TypeMX, join([]byte{0, 10}, host), "h.x"},
		{TypeSRV, join(make([]byte, 6), host), "h.x"},
		{TypeHTTPS, join([]byte{0, 1}, host, []byte{0, 1, 0, 0}), "h.x"},
		{TypeSOA, join(host, host, make([]byte, 20)), "h.x"},
		{TypeDNAME, host, "h.x"},
		{TypeTXT, host, ""},
		{TypeMX, []byte{0, 10}, ""},
		{TypeCNAME, nil, ""},
		{TypeCNAME, []byte{3, 'a', 'b'}, ""},
		{TypeCNAME, []byte{1, 'a'}, ""}, // runs into the next record
	}
	for _, tt := range tests {
		msg := join(header(0x8180, 0, 2, 0, 0), record(wire("o"), tt.typ, 1, 0, tt.data), record(wire("o"), 1, 1, 0, []byte{1, 2, 3, 4}))
		var m Message
		var r Record
		m.Parse(msg)
		if !m.NextRecord(&r) {
			t.Fatalf("type %d: not read", tt.typ)
		}
		if got := m.Target(&r); string(got) != tt.want {
			t.Errorf("type %d: got %q, want %q", tt.typ, got, tt.want)
		}
		if !m.NextRecord(&r) || m.NextRecord(&r) {
			t.Errorf("type %d: cursor astray", tt.typ)
		}
	}
}

func TestTruncation(t *testing.T) {
	for _, msg := range [][]byte{typical, edns, answered, mdns} {
		var m Message
		var q Question
		var r Record
		whole, records := len(questions(msg)), 0
		for n := range len(msg) + 1 {
			b := bytes.Clone(msg[:n]) // so that reading past the end is caught
			if m.Parse(b) != (n >= headerSize) {
				t.Fatalf("Parse of %d bytes", n)
			}
			asked, listed := 0, 0
			for m.NextQuestion(&q) {
				asked++
			}
			for m.NextRecord(&r) {
				m.Target(&r)
				listed++
			}
			if asked > whole || listed < records || (n < len(msg) && asked == whole && listed == int(m.Answers+m.Authorities+m.Additionals) && listed > 0) {
				t.Errorf("%d of %d bytes: %d questions, %d records", n, len(msg), asked, listed)
			}
			records = listed
			Looks(b)
			TCPMessage(b)
		}
	}
}

func TestPointerChainIsBounded(t *testing.T) {
	chain := header(0, 1, 0, 0, 0)
	for i := range maxJumps + 1 {
		chain = append(chain, 0xC0, byte(12+2*(i+1)))
	}
	chain = append(chain, 1, 'x', 0, 0, 1, 0, 1)
	if got := questions(chain); got != nil {
		t.Errorf("%d jumps followed: %q", maxJumps+1, got)
	}
	chain[13] = 12 + 4 // one jump less
	if got := questions(chain); len(got) != 1 || !strings.HasPrefix(got[0], "x ") {
		t.Errorf("%d jumps not followed: %q", maxJumps, got)
	}
}

func TestTCPMessage(t *testing.T) {
	framed := func(b []byte) []byte { return append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...) }
	two := join(framed(typical), framed(edns))
	first, rest, ok := TCPMessage(two)
	if !ok || !bytes.Equal(first, typical) {
		t.Fatalf("first message: %v %x", ok, first)
	}
	second, rest, ok := TCPMessage(rest)
	if !ok || !bytes.Equal(second, edns) || len(rest) != 0 {
		t.Fatalf("second message: %v %x, %d left", ok, second, len(rest))
	}
	for _, b := range [][]byte{nil, {0}, two[:20], {0, 11, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}} {
		if msg, rest, ok := TCPMessage(b); ok || msg != nil || len(rest) != len(b) {
			t.Errorf("%x taken", b)
		}
	}
}

func TestNoAllocation(t *testing.T) {
	var m Message
	var q Question
	var r Record
	if n := testing.AllocsPerRun(100, func() {
		for _, b := range [][]byte{typical, edns, answered, mdns} {
			Looks(b)
			m.Parse(b)
			for m.NextQuestion(&q) {
			}
			for m.NextRecord(&r) {
				m.Target(&r)
			}
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
