package filter

import (
	"encoding/binary"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/net/bpf"

	"trailhound/agent/packet"
)

// decode reads instructions of eight bytes.
func decode(b []byte) (code []bpf.RawInstruction) {
	for ; len(b) >= 8; b = b[8:] {
		code = append(code, bpf.RawInstruction{Op: binary.BigEndian.Uint16(b), Jt: b[2], Jf: b[3], K: binary.BigEndian.Uint32(b[4:])})
	}
	return code
}

func TestCheck(t *testing.T) {
	ret := bpf.RawInstruction{Op: returnConstant, K: 1}
	for _, c := range []struct {
		name string
		code []bpf.RawInstruction
		want string
	}{
		{"right", []bpf.RawInstruction{{Op: classStore, K: 15}, {Op: classLoad | modeMemory, K: 15}, ret}, ""},
		{"return A", []bpf.RawInstruction{{Op: returnA}}, ""},
		{"nothing", nil, "has 0 instructions"},
		{"too long", make([]bpf.RawInstruction, MaxInstructions+1), "has 4097 instructions"},
		{"no return", []bpf.RawInstruction{{Op: miscToX}}, "behind the end"},
		{"return not last", []bpf.RawInstruction{ret, {Op: jumpAlways, K: 0}}, "behind the end"},
		{"true too far", []bpf.RawInstruction{{Op: jumpEqual, Jt: 1}, ret}, "behind the end"},
		{"false too far", []bpf.RawInstruction{{Op: jumpEqual, Jf: 9}, ret}, "behind the end"},
		{"back", []bpf.RawInstruction{ret, {Op: jumpAlways, K: ^uint32(1)}, ret}, "leads back"},
		{"unknown code", []bpf.RawInstruction{{Op: 0xffff}, ret}, "not known"},
		{"eBPF call", []bpf.RawInstruction{{Op: 0x85}, ret}, "not known"},
		{"slot", []bpf.RawInstruction{{Op: classStore, K: 16}, ret}, "no slot 16"},
		{"unwritten slot", []bpf.RawInstruction{{Op: classLoad | modeMemory, K: 1}, ret}, "slot 1"},
		{"slot written on one way", []bpf.RawInstruction{{Op: jumpEqual, Jt: 1}, {Op: classStore, K: 1}, {Op: classLoadX | modeMemory, K: 1}, ret}, "slot 1"},
		{"division by 0", []bpf.RawInstruction{{Op: aluDiv}, ret}, "divides"},
		{"shift", []bpf.RawInstruction{{Op: aluShiftLeft, K: 32}, ret}, "shifts"},
		{"random number", []bpf.RawInstruction{{Op: classLoad | modeAbsolute, K: adOffset + 56}, ret}, "loads from"},
		{"link layer area", []bpf.RawInstruction{{Op: classLoad | modeAbsolute, K: 0xffe00000}, ret}, "loads from"},
	} {
		err := Check(c.code)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// TestText compares with what tcpdump prints of its own programs.
func TestText(t *testing.T) {
	if _, err := exec.LookPath("tcpdump"); err != nil {
		t.Skip("tcpdump, which this compares with, is not installed: ", err)
	}
	for _, e := range []string{"tcp port 80 and ip[0] & 0xf > 5", "ip[0] + ip[1] * 2 - 7 = len", "ether[ip[0] & 0xf] << 2 = 0 or ip[0] | 3 ^ 1 = 4", "inbound", "tcp[13] & 7 != 0", "ip[2] >> 3 < ip[6] / ip[7]", "ip[3] % 4 = 1", "ifindex 3"} {
		want, err := exec.Command("tcpdump", "-O", "-d", "-y", "EN10MB", "--", e).Output()
		if err != nil {
			t.Fatal(err)
		}
		f, err := New(e, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if f.Compiler() != "tcpdump" {
			continue
		}
		code, err := f.Program(packet.LinkEthernet, 262144)
		if err != nil {
			t.Fatal(err)
		}
		squeeze := func(s string) string {
			var lines []string
			for line := range strings.Lines(s) {
				lines = append(lines, strings.Join(strings.Fields(line), " "))
			}
			return strings.Join(lines, "\n")
		}
		if got := Text(code); squeeze(got) != squeeze(string(want)) {
			t.Errorf("%q:\n%s\ntcpdump:\n%s", e, got, want)
		}
	}
	code := mustProgram(t, "vlan 10", packet.LinkEthernet)
	if got := Text(code); !strings.Contains(got, "(000) ld       [vlanp]\n(001) jeq      #0x0             jt ") || !strings.Contains(got, "ld       [vlan_tci]") {
		t.Error(got)
	}
}
