package event

// Technique is a technique of MITRE ATT&CK (Enterprise, v15).
type Technique struct{ ID, Name string }

// Technique gives the technique that a heuristic points to; the zero value where
// none fits without guessing. A trail's technique is not in its code.
func (c Code) Technique() Technique {
	switch c {
	case ScanPort, ScanUDP, ScanInfection:
		return Technique{"T1046", "Network Service Discovery"}
	case ScanWeb, HTTPWebScan, HTTPNonexistent:
		return Technique{"T1595", "Active Scanning"}
	case DNSExhaustion, DNSLong:
		return Technique{"T1071.004", "Application Layer Protocol: DNS"}
	case DNSNXDomain, DNSDGAEntropy, DNSDGAConsonant:
		return Technique{"T1568.002", "Dynamic Resolution: Domain Generation Algorithms"}
	case HTTPSQLi, HTTPXMLi, HTTPPHPi, HTTPLDAPi, HTTPXSS, HTTPXXE, HTTPSSTI, HTTPConfig, HTTPRCE, HTTPTraversal:
		return Technique{"T1190", "Exploit Public-Facing Application"}
	case HTTPIoT, HTTPDownload:
		return Technique{"T1105", "Ingress Tool Transfer"}
	case HTTPLeak:
		return Technique{"T1041", "Exfiltration Over C2 Channel"}
	case HTTPDNSChanger:
		return Technique{"T1565", "Data Manipulation"}
	case HTTPProxyProbe:
		return Technique{"T1090", "Proxy"}
	}
	return Technique{}
}
