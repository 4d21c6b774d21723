package corpus

import (
	"fmt"
	"time"
)

// scanLimits are those of scans.
func scanLimits() []Subject {
	syn := func(port int) Frame { return eth(scanner, victim, Syn(40000, uint16(port))) }
	dir := func(path string) Frame { return eth(scanner, victim, Data(52000, 80, Get("victim.example", path))) }
	ports := "203.0.113.9 40000 198.51.100.7 1000 TCP IP 203.0.113.9" + byHeuristic("potential port scanning")
	// The reference's window begins with the first frame and ends 30 seconds later.
	clock := eth(client, "192.0.2.1", Syn(1, 80))
	across := []Stamped{At(0, clock)}
	for i := range 11 {
		if i == 6 {
			across = append(across, At(30, clock))
		}
		across = append(across, At(27+i/6*5, syn(1000+i)))
	}
	var all []Stamped
	for i := range 40 {
		all = append(all, At(i/4, eth("10.0.0.5", fmt.Sprintf("192.0.2.%d", i), Syn(uint16(53000+i), 445))), At(i/4, syn(1000+i)),
			At(i/4, eth(scanner, victim, UDP(40000, uint16(1000+i), "x"))), At(i/4, dir(fmt.Sprintf("/dir%d/", i))))
	}
	return []Subject{
		{"limit-24", "the parameters of one page", []Case{
			silent("one page", nil, burst(120, 3, func(i int) Frame { return dir(fmt.Sprintf("/index%cid=%d", "?#;"[i%3], i)) })),
			raises("eleven pages", nil, burst(11, 1, func(i int) Frame { return dir(fmt.Sprintf("/index%d?id=1", i)) }),
				"scan.web 0 203.0.113.9 52000 198.51.100.7 80 TCP PATH *"+byHeuristic("potential web scanning")),
		}},
		{"limit-27", "a scan over the border of two windows, one in the last second", []Case{
			raises("border", nil, across, "scan.port 32 "+ports),
			raises("last second", nil, burst(11, 11, func(i int) Frame { return syn(1000 + i) }), "scan.port 0 "+ports),
		}},
		{"limit-28", "a scanner from outside takes over what is at home", []Case{
			silent("from outside", nil, burst(200, 20, func(i int) Frame { return eth(scanner, fmt.Sprintf("192.0.2.%d", i), Syn(40000, 445)) })),
			raises("and a worm inside", nil, burst(66, 8, func(i int) Frame {
				return eth([]string{scanner, "10.0.0.5"}[i%2], fmt.Sprintf("192.0.2.%d", i/2), Syn(53000, 445))
			}), "scan.infection 8 10.0.0.5 53000 192.0.2.0 445 TCP PORT 445"+byHeuristic("potential infection")),
		}},
		{"limit-29", "any number of workers", []Case{
			raises("all scans at once", nil, all, "scan.port 2 "+ports,
				"scan.udp 2 203.0.113.9 40000 198.51.100.7 1000 UDP IP 203.0.113.9"+byHeuristic("potential udp scanning"),
				"scan.web 0 203.0.113.9 52000 198.51.100.7 80 TCP PATH *"+byHeuristic("potential web scanning"),
				"scan.infection 8 10.0.0.5 53000 192.0.2.0 445 TCP PORT 445"+byHeuristic("potential infection")),
		}},
	}
}

// trailLimits are those of trails and of what leaves.
func trailLimits() []Subject {
	spelled := func(name, key, address, shown string) Case {
		return raises(name, []string{key + ",malware (test)"}, Each(eth(client, address, Syn(1, 443))), "trail.ip 0 10.0.0.66 1 "+address+" 443 TCP IP "+shown+malware)
	}
	six := func(name, key, address, shown string) Case {
		return raises(name, []string{key + ",malware (test)"}, Each(eth("dead::1", address, Syn(1, 443))), "trail.ip 0 dead::1 1 "+shown+" 443 TCP IP "+shown+malware)
	}
	beacons := func(name string, every time.Duration, events ...string) Case {
		c := raises(name, []string{"66.66.66.66,malware (test)"}, nil, events...)
		for i := range 20 {
			c.Frames = append(c.Frames, At(i*7, eth(client, "66.66.66.66", Syn(uint16(50000+i), 443))))
		}
		c.Aggregate = every
		return c
	}
	home := func(second, port int) string {
		return fmt.Sprintf("trail.ip %d 10.0.0.66 %d 66.66.66.66 443 TCP IP 66.66.66.66", second, port) + malware
	}
	return []Subject{
		{"limit-30", "networks, and IPv6 in any spelling", []Case{
			spelled("network", "198.51.100.0/24", "198.51.100.200", "198.51.100.0/24 (198.51.100.200)"),
			six("no zeros", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6", "2001:0db8:0001:0002:0003:0004:0005:0006"),
			six("capitals and padding", "2001:0DB8:0001:0002:0003:0004:0005:0007", "2001:db8:1:2:3:4:5:7", "2001:0db8:0001:0002:0003:0004:0005:0007"),
			six("two runs of zeros", "1:0:0:2:0:0:0:3", "1:0:0:2::3", "1:0:0:2::3"),
		}},
		{"limit-31", "summaries by the time of the packets", []Case{
			// The first at once, then one a minute that begins with the first it sums up.
			beacons("summaries", time.Minute, home(0, 50000), home(7, 50001), home(63, 50009)),
		}},
	}
}
