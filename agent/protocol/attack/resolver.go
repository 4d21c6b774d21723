package attack

// resolverRules are those of requests that set another resolver in a router.
var resolverRules = []rule{
	{word: "dns", category: DNSChanger, check: setting, next: "=1234_sipdvrfme%"},
	{word: "dsen=", category: DNSChanger, check: wordStart},
	{word: "domainserverip=", category: DNSChanger, check: wordStart},
}

const (
	settingBefore = len("is_router_as_") // at most so much stands before "dns" in a name
	settingBehind = len("_server_ip_1")  // and behind it
)

// setting reports whether the word around "dns" is the name of a setting, and
// set.
func setting(s *scan, start, end int) bool {
	if s.is(end, "%5bserver") {
		end += len("%5bserver")
		return wordStart(s, start, end) && (s.is(end, "1%5d=") || s.is(end, "2%5d="))
	}
	for n := 0; n < settingBefore && s.any(start-1, isWord); n++ {
		start--
	}
	for n := 0; n < settingBehind && s.any(end, isWord); n++ {
		end++
	}
	s.steps += end - start
	if !s.byteIs(end, '=') || !wordStart(s, start, end) {
		return false
	}
	var name [settingBefore + len("dns") + settingBehind]byte
	for n, c := range s.text[start:end] {
		name[n] = lower(c)
	}
	return isSetting(string(name[:end-start]))
}

func isSetting(name string) bool {
	switch name {
	case "dhcppridns", "dhcpsecdns", "staticpridns", "staticsecdns", "staticthidns", "pridnsv6", "secdnsv6", "thidnsv6",
		"staticpridnsv6", "staticsecdnsv6", "staticthidnsv6", "dnsipv4", "dns2ipv4", "dnsipv6", "dns2ipv6",
		"pppoepridns", "pppoesecdns", "wan_dns1", "wan_dns2", "dnsprimary", "dnssecondary", "dnsdynamic", "dnsrefresh",
		"dns_fst", "dns_snd", "dnsserver", "dnsserver1", "dnsserver2",
		"dns_server_ip_1", "dns_server_ip_2", "dns_server_ip_3", "dns_server_ip_4", "dns1", "dns2", "dns3", "dns4",
		"dns1_1", "dns1_2", "dns1_3", "dns1_4", "dns2_1", "dns2_2", "dns2_3", "dns2_4",
		"wan_dns_x", "wan_dns1_x", "wan_dns2_x", "wan_dns3_x", "wan_dns4_x", "wan_dnsenable_x", "dns_status",
		"p_dns", "a_dns", "uiviewdns1mark", "uiviewdns2mark", "uiviewdnsrelay", "is_router_as_dns",
		"enable_dnsfollowing", "dnsen", "dnsmode":
		return true
	}
	return false
}
