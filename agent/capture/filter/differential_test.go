package filter

import (
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/net/bpf"

	"trailhound/agent/packet"
)

// theirs is tcpdump's program for an expression; nil if it has none.
//
// It is asked without its optimizer, which is wrong on one of nine hundred
// expressions like these (libpcap 1.10.3): "not ip6 proto 44 and src host ::1
// and port 1000 or 0 or not (sctp port 443) and (port 0 or 81)" does not accept
// an SCTP packet from port 81.
func theirs(t testing.TB, link packet.LinkType, expression string) []bpf.RawInstruction {
	t.Helper()
	out, err := exec.Command("tcpdump", "-O", "-ddd", "-y", dataLinks[link], "--", expression).CombinedOutput()
	if err != nil {
		t.Logf("%s: %q: %s", dataLinks[link], expression, strings.TrimSpace(string(out)))
		return nil
	}
	code, err := parseProgram(string(out))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// machine makes a program ready to run on the machine of x/net/bpf.
func machine(t testing.TB, code []bpf.RawInstruction) *bpf.VM {
	t.Helper()
	list, ok := bpf.Disassemble(code)
	if !ok {
		t.Fatalf("x/net/bpf does not know all of\n%s", Text(code))
	}
	vm, err := bpf.NewVM(list)
	if err != nil {
		t.Fatal(err)
	}
	return vm
}

func accepts(t testing.TB, vm *bpf.VM, frame []byte) bool {
	t.Helper()
	n, err := vm.Run(frame)
	if err != nil {
		t.Fatal(err)
	}
	return n > 0
}

// TestLikeTcpdump compares with tcpdump on many expressions and frames, except
// where a frame ends before a value that is asked for: there the order of
// questions decides, which is not ours to the last.
func TestLikeTcpdump(t *testing.T) {
	if _, err := exec.LookPath("tcpdump"); err != nil {
		t.Skip("tcpdump, which this compares with, is not installed: ", err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	expressions := append([]string(nil), written...)
	for range 250 {
		expressions = append(expressions, randomExpression(r, 1+r.IntN(2)))
	}
	for _, link := range links {
		frames := make([][]byte, 3000)
		for i := range frames {
			frames[i] = randomFrame(r, link == packet.LinkRaw)
		}
		compared, short, never := 0, 0, 0
		for i, e := range expressions {
			if testing.Short() && i%5 != 0 {
				continue
			}
			other := theirs(t, link, e)
			if other == nil {
				continue // of the link layer, for frames without
			}
			compared++
			code := mustProgram(t, e, link)
			own := machine(t, code)
			accepted := 0
			for _, frame := range frames {
				got := accepts(t, own, frame)
				if got {
					accepted++
				}
				n, beyond := runToEnd(t, other, given{data: frame})
				if beyond {
					short++
				} else if got != (n > 0) {
					t.Errorf("%s %q: %v, tcpdump %v: % x\n%s", dataLinks[link], e, got, n > 0, frame, Text(code))
					break
				}
			}
			if accepted == 0 {
				never++
			}
		}
		if least := len(expressions) * 3 / 4; !testing.Short() && compared < least {
			t.Errorf("%s: only %d of %d expressions compared", dataLinks[link], compared, len(expressions))
		}
		if short*10 > compared*len(frames) || never*3 > compared {
			t.Errorf("%s: %d comparisons left out as too short, %d expressions accept no frame", dataLinks[link], short, never)
		}
		t.Logf("%s: %d expressions, %d frames, %d comparisons left out as too short, %d expressions accept no frame", dataLinks[link], compared, len(frames), short, never)
	}
}

// TestVLANLikeTcpdump compares on frames with tags in them, which is all that
// tcpdump knows of.
func TestVLANLikeTcpdump(t *testing.T) {
	if _, err := exec.LookPath("tcpdump"); err != nil {
		t.Skip("tcpdump, which this compares with, is not installed: ", err)
	}
	r := rand.New(rand.NewPCG(3, 4))
	var frames [][]byte
	for range 3000 {
		frame := randomFrame(r, false)
		for range r.IntN(4) {
			if len(frame) >= 14 {
				frame = tag(pick(r, tagTypes), pick(r, someTags), frame)
			}
		}
		frames = append(frames, frame)
	}
	expressions := append([]string(nil), withTags...)
	for range 60 {
		e := randomExpression(r, 1)
		expressions = append(expressions, "vlan and "+e, "vlan 10 and ("+e+")", "not vlan and "+e, e+" or vlan 20 and "+randomExpression(r, 0))
	}
	for _, e := range expressions {
		want := theirs(t, packet.LinkEthernet, e)
		if want == nil {
			t.Errorf("%q: tcpdump does not know it", e)
			continue
		}
		code := mustProgram(t, e, packet.LinkEthernet)
		for _, frame := range frames {
			g := given{data: frame}
			if n, beyond := runToEnd(t, want, g); !beyond && run(t, code, g) > 0 != (n > 0) {
				t.Errorf("%q: %v, tcpdump %v: % x\n%s", e, n == 0, n > 0, frame, Text(code))
				break
			}
		}
	}
}

// withTags are expressions of both languages with vlan.
var withTags = []string{
	"vlan", "vlan 10", "not vlan", "vlan 10 and vlan 20", "vlan and vlan", "vlan and vlan and vlan", "vlan 10 or vlan 20", "vlan (10)", "vlan 0x0a",
	"vlan and host 10.0.0.1", "vlan 10 and host 10.0.0.1", "vlan 10 and vlan 20 and host 10.0.0.1", "vlan and port 80", "vlan and tcp[tcpflags] & tcp-syn != 0",
	"host 10.0.0.1 or vlan and host 10.0.0.1", "not vlan 10", "not (vlan and port 80)", "ip6 or (vlan and ip6)", "vlan and ether src 2:0:0:0:0:1", "vlan and arp", "vlan and icmp6[0] > 3", "vlan and len > 60", "vlan and ether[12:2] = 0x8100", "vlan and multicast", "vlan and ip6 multicast", "vlan and ip[9] = 6", "vlan and host 2001:db8::1",
}
