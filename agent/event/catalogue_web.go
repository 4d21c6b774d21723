package event

// webEntries describe what is raised because of how somebody asks, what he asks
// for, and what servers say of themselves.
func webEntries() []Entry {
	return []Entry{
		{
			Code: HTTPSinkhole, Types: []Type{HTTP}, Always: true,
			Meaning: "The answer of a web server says that it is a sinkhole, in a header or in the page: the domain was taken from whoever infected its callers. The client is the destination of the packet. The trail is the text that gave it away.",
			Example: "2023-11-14 22:13:20 high 203.0.113.10:80 -> 10.0.0.66:50040 TCP HTTP Server: malware-sinkhole sinkhole response (malware) (heuristic)",
			Benign:  "People who read about sinkholes: pages with such a title.",
			Rule:    "{name: sandbox-sinkhole, reason: \"the malware sandbox\", action: drop, destination: [10.0.0.66], code: [http.sinkhole]}",
		},
		{
			Code: HTTPIoT, Types: []Type{HTTP}, Always: true,
			Meaning: "A request to an address without a name, outside the home networks, for a file named like a build for a processor (`/bins/mirai.x86`, `/x.sh`): how botnets of small devices fetch their next stage. From a device it means that it is infected.",
			Example: "2023-11-14 22:13:20 high 10.0.0.66:50030 -> 203.0.113.10:80 TCP HTTP (203.0.113.10)/bins/mirai.x86 potential iot-malware download (suspicious) (heuristic)",
			Benign:  "Installers and update scripts fetched from a bare address. Inbound it is an attempt to have one's own server fetched from, mostly noise.",
			Rule:    "{name: appliance-update, reason: \"the vendor's update server has no name\", action: drop, source: [10.0.0.66], destination: [203.0.113.10], code: [http.iot]}",
		},
		{
			Code: HTTPSeized, Types: []Type{HTTP}, Always: true,
			Meaning: "The title of a page says that the domain was seized. Somebody follows an old link, or malware still calls.",
			Example: "2023-11-14 22:13:20 medium 203.0.113.10:80 -> 10.0.0.66:50040 TCP HTTP This domain name has been seized by the FBI seized domain (suspicious) (heuristic)",
			Benign:  "Curious people.",
			Rule:    "{name: press-office, reason: \"reads about such cases\", action: lower, to: low, destination: [10.0.0.66], code: [http.seized]}",
		},
		{
			Code: HTTPCType, Types: []Type{HTTP}, Always: true,
			Meaning: "A web server delivered something of a type that runs on the client: shell scripts, HTA, scriptlets, shortcuts, compiled help. Parameters behind the type make no difference.",
			Example: "2023-11-14 22:13:20 medium 203.0.113.10:80 -> 10.0.0.66:50040 TCP HTTP application/hta content type (suspicious) (heuristic)",
			Benign:  "Installation scripts of software, inventory scripts in HTA.",
			Rule:    "{name: install-scripts, reason: \"our package mirror\", action: drop, source: [203.0.113.10], trail: [application/hta], code: [http.ctype]}",
		},
		{
			Code: HTTPNoHost, Types: []Type{HTTP}, Needs: "detection.missing_host: true",
			Meaning: "A request without a Host header, which no browser sends: scanners and simple malware.",
			Example: "2023-11-14 22:13:20 medium 10.0.0.66:50030 -> 203.0.113.10:80 TCP HTTP 203.0.113.10/index.html missing host header (suspicious) (heuristic)",
			Benign:  "Health checks of load balancers, old devices, HTTP/1.0. That is why it is off by default.",
			Rule:    "{name: health-checks, reason: \"the load balancer asks without Host\", action: drop, source: [10.0.0.66], destination: [203.0.113.10], code: [http.nohost]}",
		},
		{
			Code: HTTPProxyProbe, Types: []Type{HTTP},
			Meaning: "A request on port 80 for an absolute URL with `probe`, `proxy`, `echo` or `check` in it: somebody looks for open proxies.",
			Example: "2023-11-14 22:13:20 medium 10.0.0.66:50030 -> 203.0.113.10:80 TCP HTTP http://proxycheck.example/ potential proxy probe (suspicious) (heuristic)",
			Benign:  "Clients of a proxy on port 80: role `proxy` for it where it asks another one, a rule with its address as destination where clients ask it.",
			Rule:    "{name: our-proxy, reason: \"clients ask it with absolute URLs\", action: drop, destination: [203.0.113.10], destination_port: [80], code: [http.proxyprobe]}",
		},
		{
			Code: HTTPUA, Types: []Type{UA},
			Meaning: "The User-Agent of a request is on the built-in list of 1,353 suspicious ones: attack tools, scanners, bots, malware. What fits stands outside the parentheses.",
			Example: "2023-11-14 22:13:20 medium 203.0.113.9:50040 -> 10.0.0.7:80 TCP UA masscan(/1.0) user agent (suspicious) (heuristic)",
			Benign:  "Libraries and download tools that are on the list because malware uses them, too: a rule with the agent, and the source if it is one host's. Vulnerability scanners: role `scanner`.",
			Rule:    "{name: uptime-check, reason: \"the service that watches our site\", action: drop, source: [203.0.113.9], trail: [\"masscan*\"], code: [http.ua]}",
		},
	}
}
