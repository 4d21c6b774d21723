package device

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"trailhound/tests/namespace"
)

// stack reads lines "INDEX KIND lower|master|ports INDEX...", KIND "-" for none.
func stack(t *testing.T, text string) (list []Device) {
	t.Helper()
	num := func(s string) int { return strings.Index("0123456789", s) }
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		w := strings.Fields(line)
		d := Device{Index: num(w[0]), Kind: strings.TrimPrefix(w[1], "-")}
		for i := 2; i+1 < len(w); i += 2 {
			switch n := num(w[i+1]); w[i] {
			case "on":
				d.Lower = n
			case "in":
				d.Master = n
			case "port":
				d.Ports = append(d.Ports, n)
			default:
				t.Fatalf("%q", line)
			}
		}
		list = append(list, d)
	}
	return list
}

func TestUppers(t *testing.T) {
	for _, c := range []struct {
		what, stack    string
		captured, want []int // captured nil: all
	}{
		{"vlan on bridge on bond on two", "1 - in 3\n2 - in 3\n3 bond in 4\n4 bridge\n5 vlan on 4", nil, []int{3, 4, 5}},
		{"only the hardware is captured", "1 - in 3\n2 - in 3\n3 bond in 4\n4 bridge\n5 vlan on 4", []int{1, 2}, []int{3, 4, 5}},
		{"in the other order", "5 vlan on 4\n4 bridge\n3 bond in 4\n2 - in 3\n1 - in 3", nil, []int{3, 4, 5}},
		{"one member is not captured", "1 - in 3\n2 - in 3\n3 bond", []int{1, 3}, nil},
		{"vlan on a bond with a member not captured", "1 - in 3\n2 - in 3\n3 bond\n4 vlan on 3", []int{1, 4}, nil},
		{"vlan on a captured bond with a member not captured", "1 - in 3\n2 - in 3\n3 bond\n4 vlan on 3", []int{1, 3, 4}, []int{4}},
		{"no member", "1 bridge\n2 bond", nil, nil},
		{"lower is not captured", "1 -\n2 vlan on 1", []int{2}, nil},
		{"lower is not there", "2 vlan on 1", nil, nil},
		{"no lower", "1 -\n2 macvlan", nil, nil},
		{"all kinds on a device", "1 -\n2 vlan on 1\n3 macvlan on 1\n4 macvtap on 1\n5 ipvlan on 1\n6 ipvtap on 1", nil, []int{2, 3, 4, 5, 6}},
		{"all kinds with members", "1 - in 2\n2 team\n3 - in 4\n4 vrf\n5 - in 6\n6 bridge", nil, []int{2, 4, 6}},
		{"wrapped", "1 -\n2 macsec on 1\n3 wireguard on 1\n4 vxlan on 1\n5 gre on 1\n6 ipip on 1\n7 ppp", nil, nil},
		{"veth", "1 veth\n2 veth", nil, nil},
		{"containers on a bridge", "1 bridge\n2 veth in 1\n3 veth in 1\n4 - in 1", nil, []int{1}},
		{"hsr", "1 -\n2 -\n3 hsr port 1 port 2", nil, []int{3}},
		{"hsr, one port not captured", "1 -\n2 -\n3 hsr port 1 port 2", []int{1, 3}, nil},
		{"netvsc and its virtual function", "1 -\n2 - in 1\n3 vlan on 1", nil, []int{2, 3}},
		{"a virtual function alone", "1 -\n2 - in 1", []int{2}, nil},
		{"port of openvswitch", "1 openvswitch\n2 - in 1\n3 - in 1", nil, nil},
		{"circle", "1 vlan on 2\n2 vlan on 1", []int{}, nil},
		{"itself", "1 vlan on 1 in 1", []int{}, nil},
	} {
		list := stack(t, c.stack)
		got := Uppers(list, func(i int) bool { return c.captured == nil || slices.Contains(c.captured, i) })
		for _, d := range list {
			if got[d.Index] != slices.Contains(c.want, d.Index) {
				t.Errorf("%s: %d repeats: %v", c.what, d.Index, got[d.Index])
			}
		}
		if len(got) != len(c.want) {
			t.Errorf("%s: %v, want %v", c.what, got, c.want)
		}
	}
}

func TestUppersReal(t *testing.T) {
	ip := namespace.Entered(t).IP
	ip("link add v0 type veth peer name p0")
	ip("link add v1 type veth peer name p1")
	ip("link add br0 type bridge")
	ip("link set v0 master br0")
	ip("link set v1 master br0")
	ip("link add link br0 name mv0 type macvlan")
	checkRepeating(t, "br0", "mv0")
	ip("link set v0 nomaster")
	ip("link set v1 nomaster")
	checkRepeating(t, "mv0")
}

func TestUppersRealBond(t *testing.T) {
	ip := namespace.Entered(t).IP
	ip("link add v0 type veth peer name p0")
	for _, kind := range []string{"name bond0 type bond mode balance-rr", "link v0 name v0.9 type vlan id 9"} {
		args := append([]string{"link", "add"}, strings.Fields(kind)...)
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			t.Skipf("needs a kernel with bonding and 8021q: %s", out)
		}
	}
	ip("link set v0 master bond0")
	ip("link add br0 type bridge")
	ip("link set bond0 master br0")
	ip("link add link br0 name br0.7 type vlan id 7")
	checkRepeating(t, "bond0", "br0", "br0.7", "v0.9")
}

// checkRepeating checks which devices repeat others when all are captured.
func checkRepeating(t *testing.T, names ...string) {
	t.Helper()
	list, err := List()
	if err != nil {
		t.Fatal(err)
	}
	got := Uppers(list, func(int) bool { return true })
	for _, d := range list {
		if want := slices.Contains(names, d.Name); got[d.Index] != want {
			t.Errorf("%s repeats: %v, want %v", d.Name, got[d.Index], want)
		}
	}
}
