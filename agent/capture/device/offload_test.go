package device

import (
	"errors"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"trailhound/tests/namespace"
)

// What is read is what ethtool(8) reads and sets.
func TestOffloads(t *testing.T) {
	ip := namespace.Entered(t).IP
	if _, err := exec.LookPath("ethtool"); err != nil {
		t.Skip("needs ethtool")
	}
	ip("link add v0 type veth peer name v1")
	for _, c := range []struct {
		set  string
		want Offloads
	}{
		{"gro on gso on tso on tx-udp-segmentation off rxvlan on", Offloads{GRO: true, GSO: true, TSO: true, RxVLAN: true, Driver: "veth"}},
		{"gro off gso on tso on tx-udp-segmentation off rxvlan on", Offloads{GSO: true, TSO: true, RxVLAN: true, Driver: "veth"}},
		{"gro off gso off tso off tx-udp-segmentation off rxvlan off", Offloads{Driver: "veth"}},
		{"gro on gso on tso off tx-udp-segmentation on rxvlan off", Offloads{GRO: true, GSO: true, USO: true, Driver: "veth"}},
	} {
		if out, err := exec.Command("ethtool", append([]string{"-K", "v0"}, strings.Fields(c.set)...)...).CombinedOutput(); err != nil {
			t.Fatalf("ethtool -K v0 %s: %v: %s", c.set, err, out)
		}
		if got, err := GetOffloads("v0"); err != nil || got != c.want {
			t.Errorf("%s: %+v, %v; want %+v", c.set, got, err, c.want)
		}
	}
}

func TestOffloadsMerge(t *testing.T) {
	for _, c := range []struct {
		o      Offloads
		rx, tx bool
	}{
		{Offloads{RxVLAN: true}, false, false},
		{Offloads{GRO: true}, true, false},
		{Offloads{HWGRO: true}, true, false},
		{Offloads{LRO: true}, true, false},
		{Offloads{GSO: true}, false, false},
		{Offloads{USO: true}, false, true},
		{Offloads{TSO: true}, false, true},
	} {
		if c.o.MergesRx() != c.rx || c.o.MergesTx() != c.tx {
			t.Errorf("%+v: rx %v, tx %v", c.o, c.o.MergesRx(), c.o.MergesTx())
		}
	}
}

func TestOffloadsOfNone(t *testing.T) {
	for _, name := range []string{"", "thdv-none", strings.Repeat("x", 15), strings.Repeat("x", 16), strings.Repeat("x", 1000)} {
		if o, err := GetOffloads(name); !errors.Is(err, unix.ENODEV) || o != (Offloads{}) {
			t.Errorf("%q: %+v, %v", name, o, err)
		}
	}
}
