package dns

import (
	"strings"
	"testing"
)

func TestRecordAddresses(t *testing.T) {
	four, six := "\x01\x02\x03\x04", "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"
	mapped := "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff" + four
	front := "\x00\x01\x03svc\x03net\x00" // priority and target
	for name, c := range map[string]struct {
		typ  uint16
		data string
		want string
	}{
		"A":                        {TypeA, four, "1.2.3.4"},
		"AAAA":                     {TypeAAAA, six, "2001:db8::1"},
		"AAAA, IPv4 in it":         {TypeAAAA, mapped, "1.2.3.4"},
		"A, too long":              {TypeA, four + "x", ""},
		"A, too short":             {TypeA, four[:3], ""},
		"A of 16 bytes":            {TypeA, six, ""},
		"AAAA of 4 bytes":          {TypeAAAA, four, ""},
		"nothing":                  {TypeAAAA, "", ""},
		"another type":             {TypeTXT, four, ""},
		"hints":                    {TypeHTTPS, front + "\x00\x01\x00\x03\x02h2\x00\x04\x00\x08" + four + four + "\x00\x06\x00\x10" + six, "1.2.3.4 1.2.3.4 2001:db8::1"},
		"mapped hint":              {TypeSVCB, front + "\x00\x06\x00\x10" + mapped, "1.2.3.4"},
		"hint with a rest":         {TypeSVCB, front + "\x00\x04\x00\x06" + four + "xx\x00\x04\x00\x04" + four, "1.2.3.4 1.2.3.4"},
		"empty hints":              {TypeSVCB, front + "\x00\x04\x00\x00\x00\x06\x00\x00\x00\x04\x00\x04" + four, "1.2.3.4"},
		"hint too long":            {TypeSVCB, front + "\x00\x04\x00\x04" + four + "\x00\x04\x00\x05" + four, "1.2.3.4"},
		"hint of another type":     {TypeTXT, front + "\x00\x04\x00\x04" + four, ""},
		"SVCB without data":        {TypeSVCB, "", ""},
		"SVCB, the target cut off": {TypeSVCB, "\x00\x01\x03sv", ""},
		"SVCB, a parameter cut":    {TypeSVCB, front + "\x00\x04\x00", ""},
	} {
		msg := join(header(0x8180, 0, 1, 0, 0), record(wire("o"), c.typ, 1, 0, []byte(c.data)))
		var m Message
		var r Record
		m.Parse(msg)
		if !m.NextAnswer(&r) {
			t.Fatalf("%s: not read", name)
		}
		var got []string
		if a, ok := r.Addr(); ok {
			got = append(got, a.String())
		}
		for h := r.Hints(); ; {
			a, ok := h.Next()
			if !ok {
				break
			}
			got = append(got, a.String())
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// TestNextAnswer: the same records as by NextRecord, without the owner's name,
// and none of the other sections.
func TestNextAnswer(t *testing.T) {
	for _, msg := range [][]byte{typical, edns, answered, mdns} {
		var plain, quick Message
		var want, got Record
		plain.Parse(msg)
		quick.Parse(msg)
		for plain.NextRecord(&want) && want.Section == Answer {
			if !quick.NextAnswer(&got) || got.Type != want.Type || string(got.Data) != string(want.Data) || got.Name != nil {
				t.Fatalf("%+v, want %+v", got, want)
			}
			if string(quick.Owner(&got)) != string(want.Name) || string(quick.Target(&got)) != string(plain.Target(&want)) {
				t.Errorf("owner %q, want %q", quick.Owner(&got), want.Name)
			}
		}
		if quick.NextAnswer(&got) {
			t.Errorf("%+v is no answer", got)
		}
	}
	loop := join(header(0x8180, 0, 1, 0, 0), record([]byte{0xc0, 12}, TypeA, 1, 0, []byte{1, 2, 3, 4}))
	var m Message
	var r Record
	if m.Parse(loop); !m.NextAnswer(&r) || m.Owner(&r) != nil {
		t.Errorf("owner %q of a loop", m.Owner(&r))
	}
}
