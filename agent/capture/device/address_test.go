package device

import (
	"context"
	"net"
	"net/netip"
	"os"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"trailhound/tests/namespace"
)

// addressBody makes the body of an RTM_NEWADDR message.
func addressBody(family, bits, flags byte, index uint32, attrs ...[]byte) []byte {
	return append(append([]byte{family, bits, flags, 0}, word(index)...), join(attrs...)...)
}

func TestParseAddress(t *testing.T) {
	four, peer := []byte{192, 0, 2, 7}, []byte{192, 0, 2, 8}
	six := netip.MustParseAddr("2001:db8::7").AsSlice()
	for _, c := range []struct {
		name string
		body []byte
		want string
	}{
		{"IPv4", addressBody(unix.AF_INET, 24, 0, 2, attr(unix.IFA_ADDRESS, four...), attr(unix.IFA_LOCAL, four...)), "192.0.2.7/24"},
		{"point to point", addressBody(unix.AF_INET, 32, 0, 2, attr(unix.IFA_ADDRESS, peer...), attr(unix.IFA_LOCAL, four...)), "192.0.2.7/32"},
		{"IPv6", addressBody(unix.AF_INET6, 64, 0, 2, attr(unix.IFA_ADDRESS, six...)), "2001:db8::7/64"},
		{"tentative", addressBody(unix.AF_INET6, 64, unix.IFA_F_TENTATIVE, 2, attr(unix.IFA_ADDRESS, six...)), "2001:db8::7/64"},
		{"another host's", addressBody(unix.AF_INET6, 64, unix.IFA_F_DADFAILED, 2, attr(unix.IFA_ADDRESS, six...)), ""},
		{"another host's, long flags", addressBody(unix.AF_INET6, 64, 0, 2, attr(unix.IFA_ADDRESS, six...), attr(unix.IFA_FLAGS, word(unix.IFA_F_DADFAILED)...)), ""},
		{"other family", addressBody(unix.AF_DECnet, 24, 0, 2, attr(unix.IFA_ADDRESS, four...)), ""},
		{"too short an address", addressBody(unix.AF_INET6, 64, 0, 2, attr(unix.IFA_ADDRESS, four...)), ""},
		{"prefix too long", addressBody(unix.AF_INET, 33, 0, 2, attr(unix.IFA_LOCAL, four...)), ""},
		{"no address", addressBody(unix.AF_INET, 24, 0, 2), ""},
		{"no device", addressBody(unix.AF_INET, 24, 0, 0, attr(unix.IFA_LOCAL, four...)), ""},
		{"negative device", addressBody(unix.AF_INET, 24, 0, 1<<31, attr(unix.IFA_LOCAL, four...)), ""},
		{"cut", addressBody(unix.AF_INET, 24, 0, 2)[:7], ""},
		{"empty", nil, ""},
	} {
		a, ok := parseAddress(c.body)
		if ok != (c.want != "") || ok && (a.Prefix.String() != c.want || a.Index != 2) {
			t.Errorf("%s: %+v, %v", c.name, a, ok)
		}
	}
}

func FuzzParseAddress(f *testing.F) {
	f.Add(addressBody(unix.AF_INET, 24, 0, 2, attr(unix.IFA_LOCAL, 192, 0, 2, 7)))
	f.Add(addressBody(unix.AF_INET6, 64, 0, 2, attr(unix.IFA_ADDRESS, make([]byte, 16)...), attr(unix.IFA_FLAGS, word(8)...)))
	f.Fuzz(func(t *testing.T, b []byte) {
		if a, ok := parseAddress(b); ok && (a.Index <= 0 || !a.Prefix.IsValid()) {
			t.Errorf("%+v", a)
		}
	})
}

// addresses lists what there is, as text.
func addresses(t *testing.T) (list []string) {
	t.Helper()
	all, err := Addresses()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		list = append(list, a.Prefix.String())
	}
	return list
}

// What the kernel says is also what net.InterfaceAddrs says.
func TestAddressesAgreeWithNet(t *testing.T) {
	want, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	got := addresses(t)
	for _, a := range want {
		if !slices.Contains(got, a.String()) {
			t.Errorf("%s is missing in %q", a, got)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestAddresses(t *testing.T) {
	s := namespace.Entered(t)
	s.IP("link add v0 type veth peer name v1")
	if err := os.WriteFile("/proc/sys/net/ipv6/conf/v0/disable_ipv6", []byte("0"), 0); err == nil {
		s.IP("addr add 2001:db8::7/64 dev v0 nodad")
	}
	s.IP(`addr add 192.0.2.7/24 dev v0
		addr add 192.0.2.9/24 dev v0
		addr add 10.0.0.1 peer 10.0.0.2 dev v1`)
	got := addresses(t)
	for _, want := range []string{"192.0.2.7/24", "192.0.2.9/24", "10.0.0.1/32"} {
		if !slices.Contains(got, want) {
			t.Errorf("%s is missing in %q", want, got)
		}
	}
	if slices.Contains(got, "10.0.0.2/32") {
		t.Errorf("the peer is listed: %q", got)
	}
	if index := all(t)["v0"].Index; index == 0 || !slices.ContainsFunc(mustAddresses(t), func(a Address) bool {
		return a.Index == index && a.Prefix.Addr() == netip.MustParseAddr("192.0.2.9")
	}) {
		t.Errorf("192.0.2.9 is not of v0 (%d)", index)
	}
}

func mustAddresses(t *testing.T) []Address {
	t.Helper()
	list, err := Addresses()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// WatchAddresses sees addresses come and go, of both families. Its first call
// comes when the socket is open, so the test waits for events only.
func TestWatchAddresses(t *testing.T) {
	s := namespace.Entered(t)
	s.IP("link add v0 type veth peer name v1")
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	has := func(what string, there bool) func() bool {
		return func() bool { return slices.Contains(addresses(t), what) == there }
	}
	type change struct {
		line string
		seen func() bool
	}
	steps := []change{
		{"addr add 192.0.2.7/24 dev v0", has("192.0.2.7/24", true)},
		{"addr add 198.51.100.1/32 dev lo", has("198.51.100.1/32", true)},
		{"addr del 192.0.2.7/24 dev v0", has("192.0.2.7/24", false)},
	}
	if err := os.WriteFile("/proc/sys/net/ipv6/conf/v0/disable_ipv6", []byte("0"), 0); err == nil {
		steps = append(steps, change{"addr add 2001:db8::7/64 dev v0 nodad", has("2001:db8::7/64", true)},
			change{"addr del 2001:db8::7/64 dev v0", has("2001:db8::7/64", false)})
	}
	step, calls := -1, 0
	err := WatchAddresses(ctx, func() {
		calls++
		if step >= 0 && !steps[step].seen() {
			return // woken by another notification
		}
		if step++; step == len(steps) {
			cancel()
			return
		}
		s.IP(steps[step].line)
	})
	if err != nil || step != len(steps) {
		t.Errorf("WatchAddresses ended with %v after %d of %d steps and %d calls", err, step, len(steps), calls)
	}
}

// No capability is needed, and no user in particular.
func TestAddressesUnprivileged(t *testing.T) {
	if os.Getenv("THDV_ADDRESSES") == "" {
		unprivileged(t, "TestAddressesUnprivileged", "THDV_ADDRESSES")
		return
	}
	if _, err := Addresses(); err != nil {
		t.Error(err)
	}
}
