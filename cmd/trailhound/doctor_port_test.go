package main

import (
	"errors"
	"slices"
	"testing"
	"time"

	"trailhound/agent/capture/device"
	"trailhound/agent/config"
	"trailhound/agent/packet"
)

func TestChoosePorts(t *testing.T) {
	up := func(d device.Device) device.Device { d.Up, d.Carrier, d.MTU = true, true, 1500; return d }
	host := []device.Device{
		up(device.Device{Index: 1, Name: "lo", Loopback: true}),
		up(device.Device{Index: 2, Name: "eth0", Master: 4}),
		up(device.Device{Index: 3, Name: "eth1", Master: 4}),
		up(device.Device{Index: 4, Name: "bond0", Kind: "bond"}),
		up(device.Device{Index: 5, Name: "bond0.7", Kind: "vlan", Lower: 4}),
		{Index: 6, Name: "eth2", MTU: 1500},
	}
	entry := func(names ...string) (list []config.Interface) {
		for _, n := range names {
			list = append(list, config.Interface{Name: n})
		}
		return list
	}
	for _, c := range []struct {
		what    string
		entries []config.Interface
		ports   []string
		// The findings, by check, status, and part of detail and action.
		findings [][4]string
	}{
		{"any", entry("any"), []string{"lo", "eth0", "eth1"}, [][4]string{
			{"interface bond0", statusOK, "bond, skipped: repeats what is captured on eth0, eth1", ""},
			{"interface bond0.7", statusOK, "vlan, skipped: repeats what is captured on bond0", ""},
			{"interfaces", statusOK, "as soon as they are up: eth2", ""}}},
		{"one", entry("eth1"), []string{"eth1"}, nil},
		{"the upper alone", entry("bond0"), []string{"bond0"}, nil},
		{"a pattern", entry("eth*"), []string{"eth0", "eth1"}, [][4]string{{"interfaces", statusOK, "eth2", ""}}},
		{"upper by name beside those below", entry("eth[01]", "bond0"), []string{"eth0", "eth1", "bond0"}, [][4]string{
			{"interface bond0", statusWarn, "packets count twice", "either this interface or those below"}}},
		{"down", entry("eth0", "eth2"), []string{"eth0"}, [][4]string{{"interface eth2", statusWarn, "hardware, down", "ip link set eth2 up"}}},
		{"missing", entry("eth0", "eth9"), []string{"eth0"}, [][4]string{
			{"interface eth9", statusFail, "there is no such interface", "there are: bond0, bond0.7, eth0, eth1, eth2, lo"}}},
		{"missing, optional", []config.Interface{{Name: "eth0"}, {Name: "eth9", Optional: true}}, []string{"eth0"}, [][4]string{
			{"interface eth9", statusOK, "captured when it appears", ""}}},
		{"no match", entry("eth0", "wl*"), []string{"eth0"}, [][4]string{{"interface wl*", statusFail, "no interface matches", "there are"}}},
		{"only down", entry("eth2"), nil, [][4]string{
			{"interface eth2", statusWarn, "down", "up"}, {"interfaces", statusFail, "nothing to capture on", "bring one up"}}},
	} {
		ports, all := choosePorts(c.entries, host)
		var names []string
		for _, p := range ports {
			names = append(names, p.Name)
		}
		if !slices.Equal(names, c.ports) {
			t.Errorf("%s: captures %v, want %v", c.what, names, c.ports)
		}
		if len(all) != len(c.findings) {
			t.Errorf("%s: %+v", c.what, all)
			continue
		}
		for i, want := range c.findings {
			if all[i].Check != want[0] {
				t.Errorf("%s: finding %q, want %q", c.what, all[i].Check, want[0])
			}
			all[i].is(t, c.what, want[1], want[2], want[3])
		}
	}
}

func TestCheckPorts(t *testing.T) {
	eth := port{Device: device.Device{Index: 2, Name: "eth0", Up: true, Carrier: true, MTU: 1500}, named: true}
	unnamed := eth
	unnamed.named = false
	bridge := unnamed
	bridge.Kind = "bridge"
	cut := eth
	cut.Carrier = false
	busy := traffic{took: 2 * time.Second, captured: true, received: 2400, sent: 160, bytes: 1 << 20, host: 200, other: 2200,
		opens: 20, answers: 20, toServer: 1000, fromServer: 1200}
	with := func(change func(*traffic)) traffic { n := busy; change(&n); return n }
	for _, c := range []struct {
		what                   string
		p                      port
		seen                   traffic
		status, detail, action string
	}{
		{"busy", eth, busy, statusOK, "hardware, up, MTU 1500: 1200 packets/s received, 80 sent, 4194 kbit/s (captured 2s)", ""},
		{"slow", eth, with(func(t *traffic) { t.received = 3 }), statusOK, "1.5 packets/s received", ""},
		{"silent", eth, traffic{took: time.Second, captured: true}, statusWarn, "nothing seen", "--watch 30s"},
		{"silent, any", unnamed, traffic{took: time.Second, captured: true}, statusOK, "0 packets/s received, 0 sent", ""},
		{"no carrier", cut, traffic{took: time.Second, captured: true}, statusWarn, "up, no carrier", "cable"},
		{"broadcast only", eth, traffic{captured: true, received: 9, broadcast: 5, multicast: 4}, statusWarn, "broadcast and multicast only", "SPAN"},
		{"broadcast only, any", unnamed, traffic{captured: true, received: 9, broadcast: 9}, statusWarn, "broadcast and multicast only", "SPAN"},
		{"broadcast only, a bridge", bridge, traffic{captured: true, received: 9, broadcast: 9}, statusOK, "", ""},
		{"broadcast and own packets", eth, traffic{captured: true, received: 9, broadcast: 9, sent: 1}, statusOK, "", ""},
		{"no answers", eth, with(func(t *traffic) { t.answers = 0 }), statusWarn, "one direction only: 1000 packets of TCP to servers", "both directions"},
		{"few without answers", eth, with(func(t *traffic) { t.opens, t.answers = 9, 0 }), statusOK, "", ""},
		{"answers only", eth, with(func(t *traffic) { t.opens = 0 }), statusWarn, "one direction only: 1200 packets of TCP from servers", "both directions"},
		{"to servers only", eth, with(func(t *traffic) { t.opens, t.answers, t.fromServer = 0, 0, 0 }), statusWarn, "none from them (0 SYN, 0 SYN/ACK)", "both directions"},
		{"from servers only", eth, with(func(t *traffic) { t.opens, t.answers, t.toServer = 0, 0, 0 }), statusWarn, "none to them", "both directions"},
		{"few to servers", eth, with(func(t *traffic) { t.opens, t.answers, t.toServer, t.fromServer = 0, 0, 49, 0 }), statusOK, "", ""},
		{"most without a side at home", eth, with(func(t *traffic) { t.home, t.foreign = 49, 51 }), statusWarn, "51 of 100 packets have no side in detection.home_networks", "detection.home_networks"},
		{"half without a side at home", eth, with(func(t *traffic) { t.home, t.foreign = 50, 50 }), statusOK, "", ""},
		{"few without a side at home", eth, with(func(t *traffic) { t.home, t.foreign = 0, 99 }), statusOK, "", ""},
		{"lost by the hardware", eth, with(func(t *traffic) { t.missed = 7 }), statusWarn, "7 packets dropped by the hardware", "ethtool -G eth0 rx"},
		{"counters", eth, traffic{took: 2 * time.Second, received: 200, broadcast: 0}, statusOK, "100 packets/s received, 0 sent, 0 kbit/s (counters of 2s)", ""},
	} {
		all := checkPorts([]port{c.p}, observed{by: map[int]traffic{2: c.seen}})
		if all[0].Check != "interface eth0" {
			t.Errorf("%s: %+v", c.what, all)
		}
		all[0].is(t, c.what, c.status, c.detail, c.action)
	}
}

func TestCheckPortsTogether(t *testing.T) {
	ports := []port{{Device: device.Device{Index: 2, Name: "eth0", Up: true, Carrier: true}}}
	quiet := map[int]traffic{2: {captured: true}}
	busy := map[int]traffic{2: {captured: true, received: 5, host: 5}}
	for _, c := range []struct {
		what                   string
		seen                   observed
		status, detail, action string
	}{
		{"all silent", observed{by: quiet}, statusWarn, "no packet on any interface", "mirror port"},
		{"drops", observed{by: busy, dropped: 3}, statusWarn, "3 packets dropped by the kernel", "capture.ring_total"},
		{"no privilege", observed{by: busy, unprivileged: errors.New("x")}, statusWarn, "devices' counters", "see privileges"},
		{"refused", observed{by: busy, failed: errors.New("ring memory of 5 bytes is too small")}, statusFail, "cannot capture: ring memory", "capture"},
		{"not looked", observed{none: true}, statusOK, "--watch 0s", ""},
	} {
		all := checkPorts(ports, c.seen)
		if len(all) != 2 {
			t.Errorf("%s: %+v", c.what, all)
			continue
		}
		all[1].is(t, c.what, c.status, c.detail, c.action)
	}
	if all := checkPorts(ports, observed{by: busy}); len(all) != 1 {
		t.Errorf("all is well: %+v", all)
	}
	if all := checkPorts(nil, observed{}); len(all) != 0 {
		t.Errorf("no port: %+v", all)
	}
}

func TestCountTCP(t *testing.T) {
	var n traffic
	for _, p := range []packet.Packet{
		{SrcPort: 50000, DstPort: 443, Flags: packet.FlagSYN},
		{SrcPort: 443, DstPort: 50000, Flags: packet.FlagSYN | packet.FlagACK},
		{SrcPort: 50000, DstPort: 443, Flags: packet.FlagACK},
		{SrcPort: 50000, DstPort: 443, Flags: packet.FlagSYN | packet.FlagECE | packet.FlagCWR},
		{SrcPort: 179, DstPort: 179, Flags: packet.FlagACK},
	} {
		n.countTCP(&p)
	}
	var sum traffic
	sum.addTCP(n)
	sum.addTCP(n)
	if want := (traffic{opens: 4, answers: 2, toServer: 6, fromServer: 2}); sum != want {
		t.Errorf("%+v, want %+v", sum, want)
	}
}

func TestWithCounters(t *testing.T) {
	ports := []port{{Device: device.Device{Index: 2}}, {Device: device.Device{Index: 3}}}
	before := []device.Device{{Index: 2, RxPackets: 10, TxPackets: 5, RxBytes: 100, RxMissed: 1}, {Index: 3}}
	after := []device.Device{{Index: 2, RxPackets: 30, TxPackets: 4, RxBytes: 300, RxMissed: 3}}
	got := withCounters(observed{}, ports, before, after, time.Second).by
	if want := (traffic{took: time.Second, received: 20, sent: 4, bytes: 200, missed: 2}); len(got) != 1 || got[2] != want {
		t.Errorf("from counters: %+v", got)
	}
	got = withCounters(observed{by: map[int]traffic{2: {received: 7}}}, ports, before, after, time.Second).by
	if want := (traffic{took: time.Second, captured: true, received: 7, missed: 2}); got[2] != want {
		t.Errorf("captured: %+v", got)
	}
}

func TestCheckSnaplen(t *testing.T) {
	d := func(name string, mtu int) port { return port{Device: device.Device{Name: name, MTU: mtu}} }
	loop := port{Device: device.Device{Name: "lo", MTU: 65536, Loopback: true}}
	named := loop
	named.named = true
	big := port{Device: device.Device{Name: "eth0", MTU: 1500, GROMax: 200000, GSOMax: 65536}}
	huge := port{Device: device.Device{Name: "eth0", MTU: 1500, GROMax: 512 << 10}}
	for _, c := range []struct {
		what    string
		snaplen int64
		ports   []port
		o       device.Offloads
		err     error
		all     [][4]string
	}{
		{"fits", 18 << 10, []port{d("eth0", 9000)}, device.Offloads{GSO: true, RxVLAN: true}, nil, [][4]string{{"offloads", statusOK, "18KiB", ""}}},
		{"mtu", 1500, []port{d("eth0", 1500), d("eth1", 9000), d("eth2", 1400)}, device.Offloads{}, nil, [][4]string{
			{"mtu", statusWarn, "up to 9022 bytes on eth0, eth1: payload beyond capture.snaplen (1500) is cut", "raise capture.snaplen to 9KiB"}}},
		{"gro", 18 << 10, []port{d("eth0", 1500)}, device.Offloads{GRO: true, LRO: true, HWGRO: true}, nil, [][4]string{
			{"offloads", statusWarn, "GRO, hardware GRO, LRO on eth0 make frames of up to 65558 bytes", "raise capture.snaplen to 65KiB, or stop the merging: ethtool -K eth0 gro off rx-gro-hw off lro off"}}},
		{"tso", 18 << 10, []port{d("eth0", 1500)}, device.Offloads{TSO: true, USO: true}, nil, [][4]string{{"offloads", statusWarn, "TSO, UDP segmentation", "tso off tx-udp-segmentation off"}}},
		{"enough", 65 << 10, []port{d("eth0", 1500)}, device.Offloads{GRO: true, TSO: true}, nil, [][4]string{{"offloads", statusOK, "", ""}}},
		{"big tcp", 65 << 10, []port{big}, device.Offloads{GRO: true, TSO: true}, nil, [][4]string{{"offloads", statusWarn, "200022 bytes", "to 196KiB"}}},
		{"big tcp, of sent ones only", 65 << 10, []port{big}, device.Offloads{TSO: true}, nil, [][4]string{{"offloads", statusOK, "", ""}}},
		{"beyond all", 65 << 10, []port{huge}, device.Offloads{GRO: true}, nil, [][4]string{{"offloads", statusWarn, "524310 bytes", "to its most, 256KiB"}}},
		{"unknown", 18 << 10, []port{d("eth0", 1500)}, device.Offloads{}, errors.New("cannot read"), [][4]string{{"offloads", statusWarn, "cannot read", "ethtool -k"}}},
		{"loopback", 18 << 10, []port{loop}, device.Offloads{TSO: true}, nil, [][4]string{{"offloads", statusOK, "", ""}}},
		{"named loopback", 18 << 10, []port{named}, device.Offloads{TSO: true}, nil, [][4]string{{"mtu", statusWarn, "65558 bytes on lo", "65KiB"}}},
		{"none", 18 << 10, nil, device.Offloads{}, nil, nil},
	} {
		all := checkSnaplen(c.snaplen, c.ports, func(string) (device.Offloads, error) { return c.o, c.err })
		if len(all) != len(c.all) {
			t.Errorf("%s: %+v", c.what, all)
			continue
		}
		for i, want := range c.all {
			if all[i].Check != want[0] {
				t.Errorf("%s: %+v", c.what, all[i])
			}
			all[i].is(t, c.what, want[1], want[2], want[3])
		}
	}
}
