package event

// ForwardedSource is what the reference appends to the source of an event, behind a
// comma: the digits and dots that a forwarded-for value begins with, for the categories
// of requests, downloads and files of scanners alone. Empty: nothing.
func (e *Event) ForwardedSource() string {
	switch e.Code {
	case HTTPSQLi, HTTPXMLi, HTTPPHPi, HTTPLDAPi, HTTPXSS, HTTPXXE, HTTPSSTI, HTTPLeak, HTTPConfig, HTTPRCE, HTTPTraversal, HTTPWebScan,
		HTTPDNSChanger, HTTPDownload, HTTPNonexistent:
	default:
		return ""
	}
	for i, c := range []byte(e.Forwarded) {
		if (c < '0' || c > '9') && c != '.' {
			return e.Forwarded[:i]
		}
	}
	return e.Forwarded
}
