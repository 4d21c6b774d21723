package event

// scanEntries describe what is raised because one host tries many things.
func scanEntries() []Entry {
	return []Entry{
		{
			Code: ScanPort, Types: []Type{IP}, Counts: "ports of one host",
			Meaning: "One host tried more TCP ports of another than the threshold, by SYN or by the flags of stealth scans (none, FIN, FIN with PSH and URG), within the window. Reported once per pair and window; the ports are those of the first packet counted. From outside it is noise; between hosts at home somebody looks around.",
			Example: "2023-11-14 22:13:30 low 203.0.113.9:40000 -> 10.0.0.7:1000 TCP IP 203.0.113.9 potential port scanning (heuristic)",
			Benign:  "Vulnerability scanners and monitoring: give them the role `scanner`. Passive FTP and RPC services with a port per connection, and a gateway that many hosts stand behind: role `nat`, or a higher threshold.",
			Rule:    "{name: our-scanner, reason: \"weekly scan of the security team\", owner: secops, action: drop, source: [203.0.113.9], code: [scan.*]}",
		},
		{
			Code: ScanUDP, Types: []Type{IP}, Counts: "ports of one host",
			Meaning: "The same over UDP. A datagram that answers one in the other direction, between the same two ports, is no probe, and DNS (port 53) is left out.",
			Example: "2023-11-14 22:13:30 low 203.0.113.9:40000 -> 10.0.0.7:1000 UDP IP 203.0.113.9 potential udp scanning (heuristic)",
			Benign:  "Voice and video with a port per stream, games, BitTorrent; traceroute, with a port per probe (33434 and up); a mirror port that shows one direction only, since answers are not known as such then.",
			Rule:    "{name: media-relay, reason: \"RTP streams of the conference bridge\", action: drop, source: [203.0.113.9], destination: [10.0.0.7], code: [scan.udp]}",
		},
		{
			Code: ScanWeb, Types: []Type{PATH}, Counts: "first segments of paths",
			Meaning: "One host asked a web server for more different first segments of paths (`/a/…`, `/b/…`) than the threshold within the window: somebody tries out what is there. Parameters are no segments; nothing is raised where both sides are at home. The event has the time of the first request.",
			Example: "2023-11-14 22:13:20 low 203.0.113.9:52000 -> 10.0.0.7:80 TCP PATH * potential web scanning (heuristic)",
			Benign:  "Search engines, link checkers, responders of OCSP (the request is the path: a rule with the server's address), a page that loads from many directories, and a proxy or gateway that asks for many: roles `proxy` and `nat`.",
			Rule:    "{name: search-engine, reason: \"crawler that we let in\", action: drop, source: [203.0.113.9], destination: [10.0.0.7], destination_port: [80], code: [scan.web]}",
		},
		{
			Code: ScanInfection, Types: []Type{PORT}, Counts: "hosts on one port",
			Meaning: "A host at home opened connections to more hosts than the threshold on one of the ports that worms spread by (135, 139, 445, 1433, 3389, 6379, 6892, 6893, 6901) within the window. The trail is the port. Who is at home is `detection.home_networks`: without it nothing is raised.",
			Example: "2023-11-14 22:13:36 medium 10.0.0.5:53000 -> 10.9.9.0:445 TCP PORT 445 potential infection (heuristic)",
			Benign:  "Backup, inventory, software distribution and domain controllers speak SMB or RDP with everybody: a rule with source and port, or the role `scanner`.",
			Rule:    "{name: backup-server, reason: \"the backup server reads all shares\", action: drop, source: [10.0.0.5], destination_port: [445], code: [scan.infection]}",
		},
	}
}
