package filter

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"trailhound/agent/packet"
)

// TestTagInOrOut: whoever carries the outer tag, the frame or the kernel, an
// expression that asks for it first means the same.
func TestTagInOrOut(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 300 {
		e := pick(r, []string{"vlan and ", "vlan 10 and ", "vlan 10 or 20 or ", "not vlan 10 or ", "not vlan or ", "vlan 10 and vlan 20 and ", "vlan or vlan 20 and "}) +
			"(" + randomExpression(r, 2) + ")"
		if strings.Contains(e, "len") || strings.Contains(e, "less") || strings.Contains(e, "greater") {
			continue // of the frame as it is delivered
		}
		code := mustProgram(t, e, packet.LinkEthernet)
		for range 200 {
			frame := randomFrame(r, false)
			if len(frame) < 14 {
				continue
			}
			for range 1 + r.IntN(3) {
				frame = tag(pick(r, tagTypes), pick(r, someTags), frame)
			}
			in, out := run(t, code, given{data: frame}), run(t, code, strip(frame))
			if in != out {
				t.Fatalf("%q: tag in the frame %d, taken out %d: % x\n%s", e, in, out, frame, Text(code))
			}
		}
	}
}

// FuzzProgram compares each program with the model on one frame.
func FuzzProgram(f *testing.F) {
	r := rand.New(rand.NewPCG(7, 8))
	for i, e := range append(append([]string(nil), written...), withTags...) {
		f.Add(e, randomFrame(r, false), i%3 == 0, uint16(10))
	}
	for range 50 {
		f.Add("vlan and "+randomExpression(r, 3), randomFrame(r, false), true, uint16(10))
	}
	for _, e := range []string{"", "(", "host", "vlan 5000", "net 1.2.3.4/8", `\`, `proto \`, "((((", "tcp[", "tcp[tcp[0]]", "host foo", "port 1-", "::", "a:b", "not", "!!", "len", "ip[0] & & 1", strings.Repeat("(", 300), strings.Repeat("!", 3000) + "ip"} {
		f.Add(e, []byte{}, false, uint16(0))
	}
	f.Fuzz(func(t *testing.T, expression string, data []byte, tagged bool, tci uint16) {
		filter, err := New(expression, Options{Tcpdump: "-"})
		if err != nil {
			if e, ok := err.(*Error); !ok || e.Column < 0 || e.Column > len(expression)+1 {
				t.Fatalf("%q: %#v", expression, err)
			}
			return
		}
		for _, link := range links {
			code, err := filter.Program(link, 77)
			if err != nil {
				t.Fatalf("%q: New took it, but %v", expression, err)
			}
			if err := Check(code); err != nil {
				t.Fatalf("%q: %v\n%s", expression, err, Text(code))
			}
			again, _ := filter.Program(link, 77)
			if Text(code) != Text(again) {
				t.Fatalf("%q: two programs", expression)
			}
			g := given{data: data, tagged: tagged, tag: tci}
			got := run(t, code, g)
			if want := filter.wants(link, g); got != 0 != want || got != 0 && got != 77 {
				t.Fatalf("%q of % x (tagged %v): %d, the model says %v\n%s", expression, data, tagged, got, want, Text(code))
			}
			if !bytes.Contains([]byte(Text(code)), []byte("[vlan")) {
				if n, err := machine(t, code).Run(data); err != nil || n != int(got) {
					t.Fatalf("%q: x/net/bpf %d %v, own %d", expression, n, err, got)
				}
			}
		}
		code, err := filter.AnyProgram(0)
		if err == nil {
			err = Check(code)
		}
		if err != nil && !strings.Contains(err.Error(), "instructions") {
			t.Fatal(err)
		}
	})
}

// FuzzCheck: what passes Check runs to an end within the program.
func FuzzCheck(f *testing.F) {
	for _, e := range []string{"tcp port 80", "vlan 10 and host 10.0.0.1", "tcp[13] & 7 != 0"} {
		var seed []byte
		for _, in := range mustProgram(f, e, packet.LinkEthernet) {
			seed = append(seed, byte(in.Op>>8), byte(in.Op), in.Jt, in.Jf, byte(in.K>>24), byte(in.K>>16), byte(in.K>>8), byte(in.K))
		}
		f.Add(seed, []byte("frame"))
	}
	f.Fuzz(func(t *testing.T, encoded, frame []byte) {
		code := decode(encoded)
		if Text(code); Check(code) != nil {
			return
		}
		for _, in := range code {
			if in.K-adOffset == adPacketType || in.K-adOffset == adInterface {
				return // not known to run
			}
		}
		run(t, code, given{data: frame})
	})
}
