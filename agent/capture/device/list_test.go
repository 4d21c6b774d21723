package device

import (
	"net"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"trailhound/tests/namespace"
)

// all lists the devices by name.
func all(t *testing.T) map[string]Device {
	t.Helper()
	list, err := List()
	if err != nil {
		t.Fatal(err)
	}
	by := make(map[string]Device)
	for _, d := range list {
		if _, twice := by[d.Name]; twice {
			t.Errorf("%s is listed twice", d.Name)
		}
		by[d.Name] = d
	}
	return by
}

func TestListLoopback(t *testing.T) {
	lo, ok := all(t)["lo"]
	if !ok || lo.Index != 1 || !lo.Loopback || lo.Hatype != unix.ARPHRD_LOOPBACK || lo.Kind != "" || lo.Lower != 0 {
		t.Errorf("lo is %+v", lo)
	}
}

// What the kernel says is also what net.Interfaces says.
func TestListAgreesWithNet(t *testing.T) {
	want, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	got := all(t)
	for _, i := range want {
		d := got[i.Name]
		if d.Index != i.Index || d.MTU != i.MTU || d.HardwareAddr.String() != i.HardwareAddr.String() && !d.Loopback ||
			d.Up != (i.Flags&net.FlagUp != 0) || d.Running != (i.Flags&net.FlagRunning != 0) {
			t.Errorf("%+v is listed as %+v", i, d)
		}
	}
}

func TestListKinds(t *testing.T) {
	ip := namespace.Entered(t).IP
	ip("link add v0 type veth peer name v1")
	ip("link add v2 type veth peer name v3")
	ip("link add br0 type bridge")
	ip("link set v1 master br0")
	ip("link set v3 master br0")
	ip("link add link br0 name mt0 type macvtap")
	ip("link add link v0 name mv0 type macvlan")
	ip("link set v0 mtu 9000")
	ip("link set v0 up")
	got := all(t)
	for _, c := range []struct{ name, kind, lower, master string }{
		{"lo", "", "", ""},
		{"v0", "veth", "", ""},
		{"v1", "veth", "", "br0"},
		{"v3", "veth", "", "br0"},
		{"br0", "bridge", "", ""},
		{"mt0", "macvtap", "br0", ""},
		{"mv0", "macvlan", "v0", ""},
	} {
		d := got[c.name]
		if d.Kind != c.kind || d.Lower != got[c.lower].Index || d.Master != got[c.master].Index {
			t.Errorf("%s: kind %q, lower %d, master %d; want %q, %s (%d), %s (%d)", c.name, d.Kind, d.Lower, d.Master,
				c.kind, c.lower, got[c.lower].Index, c.master, got[c.master].Index)
		}
	}
	if d := got["v0"]; d.MTU != 9000 || !d.Up || d.Running && got["v1"].Up == false || d.Hatype != unix.ARPHRD_ETHER || len(d.HardwareAddr) != 6 {
		t.Errorf("v0 is %+v", d)
	}

	ip("link set v2 name lan-port-00001") // the longest name there is
	ip("link del mv0")
	got = all(t)
	if _, ok := got["mv0"]; ok {
		t.Error("mv0 is listed though deleted")
	}
	if d := got["lan-port-00001"]; d.Kind != "veth" || got["v2"].Index != 0 {
		t.Errorf("renamed device is %+v", d)
	}
}

// A lower device in another namespace has an index that means nothing here.
func TestListLowerElsewhere(t *testing.T) {
	s := namespace.Entered(t)
	s.IP("link add v0 type veth peer name v1")
	s.IP("link add link v0 name mv0 type macvlan")
	other := namespace.New(t)
	s.IP("link set mv0 netns " + other.Name())
	other.Enter()
	if d := all(t)["mv0"]; d.Kind != "macvlan" || d.Lower != 0 {
		t.Errorf("mv0 is %+v", d)
	}
}

func TestListCounts(t *testing.T) {
	ip := namespace.Entered(t).IP
	ip("link set lo up")
	before := all(t)["lo"]
	c, err := net.Dial("udp", "127.0.0.1:9")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for range 10 {
		c.Write(make([]byte, 100)) // nobody listens: the answers are errors of later writes
	}
	after := all(t)["lo"]
	if n := after.RxPackets - before.RxPackets; n < 10 {
		t.Errorf("lo received %d packets, want at least 10", n)
	}
	if n := after.TxBytes - before.TxBytes; n < 1000 {
		t.Errorf("lo sent %d bytes, want at least 1000", n)
	}
}

// No capability is needed, and no user in particular.
func TestListUnprivileged(t *testing.T) {
	if os.Getenv("THDV_LIST") == "" {
		unprivileged(t, "TestListUnprivileged", "THDV_LIST")
		return
	}
	if d := all(t)["lo"]; d.Index == 0 {
		t.Error("no lo")
	}
	if _, err := GetOffloads("lo"); err != nil {
		t.Error(err)
	}
}
