package event

import "strings"

// The codes of events that a trail raised: one per type a trail can have, and
// for names and addresses one more, when it was an answer of DNS that held them:
// such a host has not been spoken to yet.
const (
	TrailDNS   Code = "trail.dns"
	TrailIP    Code = "trail.ip"
	TrailIPORT Code = "trail.iport"
	TrailURL   Code = "trail.url"
	TrailHTTP  Code = "trail.http"
	TrailUA    Code = "trail.ua"
	TrailCERT  Code = "trail.cert"
	TrailJA3   Code = "trail.ja3" // fingerprints of TLS clients, of type CERT
	TrailJA4   Code = "trail.ja4"

	TrailDNSAnswer Code = "trail.dns.answer"
	TrailIPAnswer  Code = "trail.ip.answer"
)

// Trails lists the codes of all trails.
func Trails() []Code {
	return []Code{TrailDNS, TrailDNSAnswer, TrailIP, TrailIPAnswer, TrailIPORT, TrailURL, TrailHTTP, TrailUA, TrailCERT, TrailJA3, TrailJA4}
}

// The codes of the heuristics.
const (
	ScanPort      Code = "scan.port"
	ScanUDP       Code = "scan.udp"
	ScanWeb       Code = "scan.web"
	ScanInfection Code = "scan.infection"

	DNSLong         Code = "dns.long"
	DNSExhaustion   Code = "dns.exhaustion"
	DNSNXDomain     Code = "dns.nxdomain"
	DNSParked       Code = "dns.parked"
	DNSDGAEntropy   Code = "dns.dga.entropy"
	DNSDGAConsonant Code = "dns.dga.consonant"
	DNSSinkholed    Code = "dns.sinkholed"

	HTTPSinkhole    Code = "http.sinkhole"
	HTTPIoT         Code = "http.iot"
	HTTPSeized      Code = "http.seized"
	HTTPCType       Code = "http.ctype"
	HTTPNoHost      Code = "http.nohost"
	HTTPProxyProbe  Code = "http.proxyprobe"
	HTTPUA          Code = "http.ua"
	HTTPSQLi        Code = "http.sqli"
	HTTPXMLi        Code = "http.xmli"
	HTTPPHPi        Code = "http.phpi"
	HTTPLDAPi       Code = "http.ldapi"
	HTTPXSS         Code = "http.xss"
	HTTPXXE         Code = "http.xxe"
	HTTPSSTI        Code = "http.ssti"
	HTTPLeak        Code = "http.leak"
	HTTPConfig      Code = "http.config"
	HTTPRCE         Code = "http.rce"
	HTTPTraversal   Code = "http.traversal"
	HTTPWebScan     Code = "http.webscan"
	HTTPDNSChanger  Code = "http.dnschanger"
	HTTPNonexistent Code = "http.nonexistent"
	HTTPDownload    Code = "http.download"
)

// Heuristics lists the codes of all heuristics, in the order of the manual.
func Heuristics() []Code {
	return []Code{
		ScanPort, ScanUDP, ScanWeb, ScanInfection,
		DNSLong, DNSExhaustion, DNSNXDomain, DNSParked, DNSDGAEntropy, DNSDGAConsonant, DNSSinkholed,
		HTTPSinkhole, HTTPIoT, HTTPSeized, HTTPCType, HTTPNoHost, HTTPProxyProbe, HTTPUA,
		HTTPSQLi, HTTPXMLi, HTTPPHPi, HTTPLDAPi, HTTPXSS, HTTPXXE, HTTPSSTI,
		HTTPLeak, HTTPConfig, HTTPRCE, HTTPTraversal, HTTPWebScan, HTTPDNSChanger,
		HTTPNonexistent, HTTPDownload,
	}
}

// CodeOf gives the code of a trail's event, unless an answer raised it: "trail."
// and the type in lower case.
func CodeOf(t Type) Code {
	switch t {
	case DNS:
		return TrailDNS
	case IP:
		return TrailIP
	case IPORT:
		return TrailIPORT
	case URL:
		return TrailURL
	case HTTP:
		return TrailHTTP
	case UA:
		return TrailUA
	case CERT:
		return TrailCERT
	}
	return Code("trail." + strings.ToLower(string(t)))
}

// IsTrail says whether a trail raised the event.
func (c Code) IsTrail() bool { return strings.HasPrefix(string(c), "trail.") }

// IsHealth says whether the sensor speaks of itself.
func (c Code) IsHealth() bool { return strings.HasPrefix(string(c), "health.") }

// Category is "trail", "heuristic" or "health": what rules in a SIEM split on
// before anything else.
func (c Code) Category() string {
	switch {
	case c.IsTrail():
		return "trail"
	case c.IsHealth():
		return "health"
	}
	return "heuristic"
}

// Severity is the severity of a heuristic. A guess is at most medium, except
// where the other side itself said that the host is infected. The severity of
// a trail is in its info and reference: see RateTrail. That of a health event
// is in its state as well: see NewHealth.
func (c Code) Severity() Severity {
	switch c {
	case DNSSinkholed, HTTPSinkhole, HTTPIoT:
		return High
	case ScanPort, ScanUDP, ScanWeb:
		return Low
	}
	if c.IsHealth() {
		return Info
	}
	return Medium
}
