package event

// trailEntries describe what is raised because a list names what was seen.
func trailEntries() []Entry {
	return []Entry{
		{
			Code: TrailDNS, Types: []Type{DNS},
			Meaning: "A name of the trails, or one below it, was asked for in DNS, or stood in a TLS or QUIC ClientHello, a Host header, or the target of a request to a proxy. The host that asked is likely to have run what the trail names.",
			Example: "2023-11-14 22:13:20 high 10.0.0.66:50000 -> 8.8.8.8:53 UDP DNS (www).evil-parent.com malware (test) (static)",
			Benign:  "A resolver asks for its clients: look for the query in front of it. Mail filters and threat-intelligence tools ask for listed names by profession. A hosting name that is shared by many is a matter for the whitelist.",
			Rule:    "{name: filter-lookups, reason: \"the mail filter asks for what it is sent\", action: drop, source: [10.0.0.66], trail: [evil-parent.com, \"*.evil-parent.com\"], code: [trail.dns]}",
		},
		{
			Code: TrailDNSAnswer, Types: []Type{DNS},
			Meaning: "A DNS answer leads to a listed name: as target of a CNAME, MX, NS, SRV, PTR, SVCB or HTTPS record. Nobody has spoken to it yet. The client is the destination of the packet; `direction` is the client's.",
			Example: "2023-11-14 22:13:20 high 8.8.8.8:53 -> 10.0.0.66:50000 UDP DNS (cdn).evil-parent.com malware (test) (static)",
			Benign:  "Many names lead to one shared host of a provider. If only that is listed, the trail is too wide: whitelist it.",
			Rule:    "{name: shared-cdn, reason: \"half the town is behind this provider\", action: lower, to: low, destination: [10.0.0.66], trail: [evil-parent.com], code: [trail.dns.answer]}",
		},
		{
			Code: TrailIP, Types: []Type{IP},
			Meaning: "A connection was opened (SYN), a datagram sent, or a request made to a listed address or network, or came from one. Outbound it is a host that calls out; inbound it is mostly the noise of scanners, which is why inbound events of low severity fold into one an hour per source.",
			Example: "2023-11-14 22:13:20 high 10.0.0.66:50002 -> 66.66.66.66:443 TCP IP 66.66.66.66 malware (test) (static)",
			Benign:  "Addresses change hands: feeds that are old, and addresses of clouds and CDNs, are wrong sooner or later. The reference's words in the trail's info are kept to: `attacker` is not raised for what goes out, `malware` not for what comes in.",
			Rule:    "{name: partner-vpn, reason: \"the address is our partner's now\", expires: 2099-12-31, action: drop, destination: [66.66.66.66], code: [trail.ip]}",
		},
		{
			Code: TrailIPAnswer, Types: []Type{IP},
			Meaning: "A DNS answer holds a listed address. Nobody has spoken to it yet: if somebody does, that is a `trail.ip` of its own. The client is the destination of the packet.",
			Example: "2023-11-14 22:13:20 high 8.8.8.8:53 -> 10.0.0.66:50000 UDP IP 66.66.66.66 (www.site.com) malware (test) (static)",
			Benign:  "One address serves thousands of names. Whitelist an address that is shared; if answers are of no interest at all, `detection.disable: [trail.ip.answer]` leaves connections alone.",
			Rule:    "{name: shared-hosting, reason: \"thousands of sites share it\", action: drop, trail: [\"66.66.66.66 (www.site.com)\"], code: [trail.ip.answer]}",
		},
		{
			Code: TrailIPORT, Types: []Type{IPORT},
			Meaning: "As `trail.ip`, for a trail with a port, over TCP or UDP. It is the more certain of the two: the same host may well offer harmless things on other ports.",
			Example: "2023-11-14 22:13:20 high 10.0.0.66:50003 -> 6.6.6.6:8443 TCP IPORT 6.6.6.6:8443 malware (test) (static)",
			Benign:  "An address that has changed hands.",
			Rule:    "{name: monitoring, reason: \"the check of the old server, ticket 4711\", action: drop, source: [10.0.0.66], trail: [\"6.6.6.6:8443\"], code: [trail.iport]}",
		},
		{
			Code: TrailURL, Types: []Type{URL},
			Meaning: "A request for a listed URL, for a listed path on any host, or for anything on a host that is listed as `host/`. Percent-encoding, dot segments, default ports and the case of the host make no difference.",
			Example: "2023-11-14 22:13:20 high 10.0.0.66:50030 -> 203.0.113.10:80 TCP URL evil-url.example/bad/path malware (test) (static)",
			Benign:  "A path without a host that is in use elsewhere, too. Such trails are best listed with a host.",
			Rule:    "{name: intranet-path, reason: \"our own application has this path\", action: drop, destination: [203.0.113.10], trail: [evil-url.example/bad/path], code: [trail.url]}",
		},
		{
			Code: TrailHTTP, Types: []Type{HTTP},
			Meaning: "A request whose path and body together are a listed URL with parameters: malware that posts what others send in the query.",
			Example: `2023-11-14 22:13:20 high 10.0.0.66:50030 -> 203.0.113.10:80 TCP HTTP a.example(/gate.php \(POST id=1&os=2\)) malware (test) (static)`,
			Benign:  "Rare; as `trail.url`.",
			Rule:    "{name: own-gate, reason: \"our own application posts this\", action: drop, source: [10.0.0.66], destination: [203.0.113.10], code: [trail.http]}",
		},
		{
			Code: TrailUA, Types: []Type{UA},
			Meaning: "The User-Agent of a request fits a `ua:` expression of the trails. The list of suspicious agents that comes with the sensor is `http.ua`.",
			Example: "2023-11-14 22:13:20 high 10.0.0.66:50030 -> 203.0.113.10:80 TCP UA EvilBot/3(.1) malware (test) (static)",
			Benign:  "Tools that name themselves like the trail. Expressions are searched anywhere in the value: anchor those of one's own.",
			Rule:    "{name: link-checker, reason: \"our own link checker\", action: drop, source: [10.0.0.66], trail: [\"EvilBot/*\"], code: [trail.ua]}",
		},
		{
			Code: TrailCERT, Types: []Type{CERT},
			Meaning: "A TLS server (up to TLS 1.2, which sends it in the clear) showed a certificate whose SHA-1 or SHA-256 is listed. The server is the source of the packet; `direction` is the client's.",
			Example: "2023-11-14 22:13:20 high 203.0.113.10:443 -> 10.0.0.66:50040 TCP CERT b0e990eb2884fc449a78b441aaeb07a3939b0ea1 malware (test) (static)",
			Benign:  "Certificates that ship with a product and that malware uses as well.",
			Rule:    "{name: appliance-cert, reason: \"default certificate of the appliance\", action: drop, source: [203.0.113.10], trail: [b0e990eb2884fc449a78b441aaeb07a3939b0ea1], code: [trail.cert]}",
		},
		{
			Code: TrailJA3, Types: []Type{CERT},
			Meaning: "The ClientHello of a TLS or QUIC client has a listed JA3 fingerprint: it offers what a known malware offers, in that order. Where the ClientHello is not seen whole there is none.",
			Example: "2023-11-14 22:13:20 high 10.0.0.66:50040 -> 203.0.113.10:443 TCP CERT ja3:7781187f680c0cc77608e7b1a063c24a malware (test) (static)",
			Benign:  "Programs that use the same TLS library as the malware have the same fingerprint: it names a library with its settings, not a program. Look at the server's name in the event; clients that shuffle their extensions have another each time.",
			Rule:    "{name: backup-agent, reason: \"built with the same library\", action: drop, source: [10.0.0.66], code: [trail.ja3]}",
		},
		{
			Code: TrailJA4, Types: []Type{CERT},
			Meaning: "The same for a JA4 fingerprint, which does not depend on the order of extensions.",
			Example: "2023-11-14 22:13:20 high 10.0.0.66:50040 -> 203.0.113.10:443 TCP CERT ja4:t13d0203h2_c1929292aa6b_b9a491fefe05 malware (test) (static)",
			Benign:  "As `trail.ja3`.",
			Rule:    "{name: backup-agent-ja4, reason: \"built with the same library\", action: drop, source: [10.0.0.66], code: [trail.ja4]}",
		},
	}
}
