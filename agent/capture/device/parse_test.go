package device

import (
	"reflect"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// attr makes a netlink attribute, padded.
func attr(kind uint16, value ...byte) []byte {
	b := make([]byte, 4, 4+len(value)+3)
	native.PutUint16(b, uint16(4+len(value)))
	native.PutUint16(b[2:], kind)
	b = append(b, value...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

func word(v uint32) []byte {
	return native.AppendUint32(nil, v)
}

func join(parts ...[]byte) (b []byte) {
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

// linkBody makes the body of an RTM_NEWLINK message.
func linkBody(index, flags uint32, attrs ...[]byte) []byte {
	b := make([]byte, unix.SizeofIfInfomsg)
	native.PutUint16(b[2:], unix.ARPHRD_ETHER)
	native.PutUint32(b[4:], index)
	native.PutUint32(b[8:], flags)
	return append(b, join(attrs...)...)
}

func nlmsg(kind, flags uint16, seq uint32, body []byte) []byte {
	b := make([]byte, unix.NLMSG_HDRLEN)
	native.PutUint32(b, uint32(len(b)+len(body)))
	native.PutUint16(b[4:], kind)
	native.PutUint16(b[6:], flags)
	native.PutUint32(b[8:], seq)
	return append(b, body...)
}

func name(s string) []byte { return attr(unix.IFLA_IFNAME, append([]byte(s), 0)...) }

func kind(s string, data ...[]byte) []byte {
	return attr(unix.IFLA_LINKINFO|unix.NLA_F_NESTED, join(
		attr(unix.IFLA_INFO_DATA|unix.NLA_F_NESTED, join(data...)...),
		attr(unix.IFLA_INFO_KIND, append([]byte(s), 0)...))...)
}

func TestParseLink(t *testing.T) {
	stats := make([]byte, 200)
	for i := range 25 {
		native.PutUint64(stats[i*8:], uint64(100+i))
	}
	for _, c := range []struct {
		what string
		body []byte
		want Device
		ok   bool
	}{
		{"empty", nil, Device{}, false},
		{"no name", linkBody(3, 0), Device{Index: 3, Hatype: 1}, false},
		{"no index", linkBody(0, 0, name("eth0")), Device{Name: "eth0", Hatype: 1}, false},
		{"negative index", linkBody(0x80000001, 0, name("eth0")), Device{Index: -0x7FFFFFFF, Name: "eth0", Hatype: 1}, false},
		{"flags", linkBody(3, unix.IFF_UP|unix.IFF_RUNNING|unix.IFF_LOOPBACK, name("eth0"), attr(unix.IFLA_CARRIER, 1), attr(unix.IFLA_PROMISCUITY, word(2)...)),
			Device{Index: 3, Name: "eth0", Hatype: 1, Up: true, Running: true, Loopback: true, Carrier: true, Promiscuity: 2}, true},
		{"vlan", linkBody(3, 0, name("eth0.7"), attr(unix.IFLA_LINK, word(2)...), kind("vlan")),
			Device{Index: 3, Name: "eth0.7", Hatype: 1, Kind: "vlan", Lower: 2}, true},
		{"lower elsewhere", linkBody(3, 0, name("m"), attr(unix.IFLA_LINK, word(2)...), kind("macvlan"), attr(unix.IFLA_LINK_NETNSID, word(0)...)),
			Device{Index: 3, Name: "m", Hatype: 1, Kind: "macvlan"}, true},
		{"veth", linkBody(3, 0, name("v"), attr(unix.IFLA_LINK, word(2)...), kind("veth"), attr(unix.IFLA_MASTER, word(9)...)),
			Device{Index: 3, Name: "v", Hatype: 1, Kind: "veth", Master: 9}, true},
		{"own link", linkBody(3, 0, name("e"), attr(unix.IFLA_LINK, word(3)...)), Device{Index: 3, Name: "e", Hatype: 1}, true},
		{"hsr", linkBody(3, 0, name("h"), kind("hsr", attr(1, word(7)...), attr(2, word(8)...), attr(3, 0))),
			Device{Index: 3, Name: "h", Hatype: 1, Kind: "hsr", Ports: []int{7, 8}}, true},
		{"ports of another kind", linkBody(3, 0, name("h"), kind("vlan", attr(1, word(7)...))),
			Device{Index: 3, Name: "h", Hatype: 1, Kind: "vlan"}, true},
		{"address", linkBody(3, 0, name("e"), attr(unix.IFLA_ADDRESS, 2, 0, 0, 0, 0, 1), attr(unix.IFLA_MTU, word(9000)...)),
			Device{Index: 3, Name: "e", Hatype: 1, MTU: 9000, HardwareAddr: []byte{2, 0, 0, 0, 0, 1}}, true},
		{"merged sizes", linkBody(3, 0, name("e"), attr(unix.IFLA_GRO_MAX_SIZE, word(65536)...), attr(unix.IFLA_GSO_MAX_SIZE, word(262144)...)),
			Device{Index: 3, Name: "e", Hatype: 1, GROMax: 65536, GSOMax: 262144}, true},
		{"address too long", linkBody(3, 0, name("e"), attr(unix.IFLA_ADDRESS, make([]byte, 33)...)), Device{Index: 3, Name: "e", Hatype: 1}, true},
		{"statistics", linkBody(3, 0, name("e"), attr(unix.IFLA_STATS64, stats...)),
			Device{Index: 3, Name: "e", Hatype: 1, RxPackets: 100, TxPackets: 101, RxBytes: 102, TxBytes: 103, RxErrors: 104, RxDropped: 106, RxMissed: 115}, true},
		{"short statistics", linkBody(3, 0, name("e"), attr(unix.IFLA_STATS64, stats[:20]...)),
			Device{Index: 3, Name: "e", Hatype: 1, RxPackets: 100, TxPackets: 101}, true},
		{"wrong sizes", linkBody(3, 0, name("e"), attr(unix.IFLA_MTU, 1, 2), attr(unix.IFLA_MASTER, 1, 2, 3)), Device{Index: 3, Name: "e", Hatype: 1}, true},
		{"damaged attribute ends the walk", append(linkBody(3, 0, name("e")), 3, 0, 0, 0), Device{Index: 3, Name: "e", Hatype: 1}, true},
		{"a bridge's view", append([]byte{unix.AF_BRIDGE}, linkBody(3, 0, name("e"))[1:]...), Device{}, false},
	} {
		got, ok := parseLink(c.body)
		if ok != c.ok || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, %v; want %+v, %v", c.what, got, ok, c.want, c.ok)
		}
	}
}

// links collects a dump of devices.
func links() (*listing, *[]Device) {
	var list []Device
	return &listing{kind: unix.RTM_NEWLINK, found: func(body []byte) {
		if d, ok := parseLink(body); ok {
			list = append(list, d)
		}
	}}, &list
}

func TestTake(t *testing.T) {
	a := nlmsg(unix.RTM_NEWLINK, unix.NLM_F_MULTI, dumpSeq, linkBody(1, 0, name("a")))
	done := nlmsg(unix.NLMSG_DONE, unix.NLM_F_MULTI, dumpSeq, word(0))
	for _, c := range []struct {
		what    string
		b       []byte
		n       int
		done    bool
		changed bool
		err     string
	}{
		{"one and the end", join(a, done), 1, true, false, ""},
		{"not the end", join(a, a), 2, false, false, ""},
		{"another's answer", nlmsg(unix.RTM_NEWLINK, 0, 9, linkBody(1, 0, name("a"))), 0, false, false, ""},
		{"interrupted", join(a, nlmsg(unix.NLMSG_DONE, unix.NLM_F_MULTI|unix.NLM_F_DUMP_INTR, dumpSeq, word(0))), 1, true, true, ""},
		{"refused", nlmsg(unix.NLMSG_ERROR, 0, dumpSeq, word(^uint32(unix.EPERM)+1)), 0, false, false, "operation not permitted"},
		{"end without a result", nlmsg(unix.NLMSG_DONE, 0, dumpSeq, nil), 0, false, false, "damaged"},
		{"half a header", a[:10], 0, false, false, "damaged"},
		{"half a message", a[:len(a)-1], 0, false, false, "damaged"},
		{"length 0", make([]byte, 16), 0, false, false, "damaged"},
	} {
		l, list := links()
		end, err := l.take(c.b)
		if len(*list) != c.n || end != c.done || l.changed != c.changed || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %d devices, end %v, changed %v, error %v", c.what, len(*list), end, l.changed, err)
		}
	}
}

func FuzzTake(f *testing.F) {
	f.Add(join(nlmsg(unix.RTM_NEWLINK, 2, dumpSeq, linkBody(3, 1, name("eth0"), kind("hsr", attr(1, word(7)...)), attr(unix.IFLA_STATS64, make([]byte, 200)...))),
		nlmsg(unix.NLMSG_DONE, 2, dumpSeq, word(0))))
	f.Add(nlmsg(unix.RTM_NEWLINK, 0, dumpSeq, linkBody(3, 1, attr(unix.IFLA_ADDRESS, 1, 2, 3, 4, 5, 6))[:30]))
	f.Fuzz(func(t *testing.T, b []byte) {
		l, found := links()
		l.take(b)
		list := *found
		if len(list)*(unix.NLMSG_HDRLEN+unix.SizeofIfInfomsg) > len(b) {
			t.Errorf("%d devices out of %d bytes", len(list), len(b))
		}
		for _, d := range list {
			if d.Index <= 0 || d.Lower < 0 || d.Master < 0 || d.Lower == d.Index || len(d.HardwareAddr) > maxAddress || len(d.Ports) > 2 || d.Name == "" {
				t.Errorf("%+v", d)
			}
		}
		Uppers(list, func(i int) bool { return i%2 == 0 })
	})
}
