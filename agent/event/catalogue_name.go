package event

// nameEntries describe what is raised because of names, and of the answers to
// them.
func nameEntries() []Entry {
	return []Entry{
		{
			Code: DNSLong, Types: []Type{DNS}, Counts: "characters of the first label",
			Meaning: "The first label of a name is longer than the threshold and has no hyphen, in DNS, SNI or Host: data in names, as tunnels and some malware send it, or a generated name. Once a second per client and server; not for a domain that `dns.exhaustion` reports, and only when no trail matches the name. Names of zones that networks make up for themselves, and of examples (`.lan`, `.local`, `.corp`, `.test`, `.example` and the like), are left out by this and all other `dns.*` heuristics.",
			Example: "2023-11-14 22:13:20 medium 10.0.0.66:50000 -> 8.8.8.8:53 UDP DNS (a3f9c27be10d48f6a1b2c3d4e5f60718).tunnel.com long domain (suspicious) (heuristic)",
			Benign:  "Antivirus and reputation look-ups, CDNs and trackers with keys in names, such as `*.token.awswaf.com`. Better a rule than the whitelist, which would silence the trails below the domain, too.",
			Rule:    "{name: av-cloud, reason: \"reputation queries of the antivirus\", action: drop, trail: [\"*.tunnel.com\"], code: [dns.long, dns.exhaustion]}",
		},
		{
			Code: DNSExhaustion, Types: []Type{DNS}, Counts: "names below a domain", Always: true,
			Meaning: "More different names below one domain were asked for than the threshold within the window: a tunnel through DNS, or a flood against the domain's name servers. Once an hour per domain. Trails are looked up all the same. Names of private zones and examples are left out, as for `dns.long`.",
			Example: "2023-11-14 22:13:30 medium 10.0.0.66:50000 -> 8.8.8.8:53 UDP DNS (003e8).tunnel.com potential dns exhaustion (suspicious) (heuristic)",
			Benign:  "A resolver or mail server asks for many: roles `resolver` and `mail`. Block lists asked for addresses by DNS (a word that ends in `bl`), names of dial-up addresses, and domains where hosts look for `wpad` and no single one asks for most names are left out by themselves.",
			Rule:    "{name: telemetry, reason: \"one name per device, by design\", action: drop, trail: [\"*.tunnel.com\"], code: [dns.exhaustion]}",
		},
		{
			Code: DNSNXDomain, Types: []Type{DNS}, Counts: "answers that the name does not exist",
			Meaning: "One name, or the names below one domain, were answered with NXDOMAIN more often than the threshold within the window - each client at home counts for itself: malware that looks for its server, or a leftover of something that is gone. For a domain, the trail lists the names; one that was raised for a name may be raised for its domain one answer later. Names of private zones and examples are left out, as for `dns.long`.",
			Example: "2023-11-14 22:13:40 medium 8.8.8.8:53 -> 10.0.0.66:50000 UDP DNS www.gone.com excessive no such domain (suspicious) (heuristic)",
			Benign:  "Software that looks for a server that was switched off; a resolver, whose answers are those of all its clients, and a mail server: roles `resolver` and `mail`.",
			Rule:    "{name: old-update-server, reason: \"switched off, clients still ask, ticket 4711\", expires: 2099-12-31, action: drop, trail: [www.gone.com], code: [dns.nxdomain]}",
		},
		{
			Code: DNSParked, Types: []Type{DNS},
			Meaning: "A name resolved to an address of a parking provider, by the trails. The domain is for sale or was taken down: a typing error, or malware whose server has gone.",
			Example: "2023-11-14 22:13:20 medium 8.8.8.8:53 -> 10.0.0.66:50000 UDP DNS (www.parked).com parked site (suspicious) (heuristic)",
			Benign:  "People who mistype. It matters when the same host asks again and again.",
			Rule:    "{name: expired-partner, reason: \"the partner let it expire\", action: drop, trail: [www.parked.com, (www.parked).com], code: [dns.parked]}",
		},
		{
			Code: DNSDGAEntropy, Types: []Type{DNS}, Counts: "bits of entropy per character",
			Meaning: "A name of two labels that does not exist (NXDOMAIN), and whose label is more random than the threshold: likely made by an algorithm. One is nothing; many of one client are malware that looks for its server. Labels with a hyphen are not measured, and private zones and examples left out, as for `dns.long`.",
			Example: "2023-11-14 22:13:20 medium 8.8.8.8:53 -> 10.0.0.66:50000 UDP DNS (kq3v9xw7zt2mbd).com entropy threshold no such domain (suspicious) (heuristic)",
			Benign:  "Browsers that test whether the network answers what does not exist; long names of companies. Raise the threshold to 3.8 if single ones come all day.",
			Rule:    "{name: kiosk-browser, reason: \"tests for captive portals\", action: drop, destination: [10.0.0.66], code: [\"dns.dga.*\"]}",
		},
		{
			Code: DNSDGAConsonant, Types: []Type{DNS}, Counts: "consonants",
			Meaning: "The same for a label below the threshold of entropy but with more consonants than words have.",
			Example: "2023-11-14 22:13:20 medium 8.8.8.8:53 -> 10.0.0.66:50000 UDP DNS (bcdbcdbcdbcd).com consonant threshold no such domain (suspicious) (heuristic)",
			Benign:  "Abbreviations, and languages with many consonants.",
			Rule:    "{name: product-code, reason: \"our product names look like that\", action: drop, trail: [(bcdbcdbcdbcd).com], code: [dns.dga.consonant]}",
		},
		{
			Code: DNSSinkholed, Types: []Type{DNS},
			Meaning: "A name resolved to an address that the trails know as a sinkhole: somebody took it from its owners because malware uses it. The client (destination of the packet) asked for it, so it is likely infected.",
			Example: "2023-11-14 22:13:20 high 8.8.8.8:53 -> 10.0.0.66:50000 UDP DNS (www.sinkholed).com sinkholed by testsink (malware) (heuristic)",
			Benign:  "Mail filters and analysts that look such names up; a resolver whose filter answers with a sinkhole of one's own, where it is right that it is raised.",
			Rule:    "{name: sandbox, reason: \"the malware sandbox\", action: drop, destination: [10.0.0.66], code: [dns.sinkholed]}",
		},
	}
}
