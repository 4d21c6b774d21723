package event

import "testing"

// TestForwardedSource holds which events have a second source in the reference's
// formats, and what it looks like.
func TestForwardedSource(t *testing.T) {
	for _, c := range []struct {
		code            Code
		forwarded, want string
	}{
		{HTTPSQLi, "192.0.2.1", "192.0.2.1"}, {HTTPDownload, "999.1.", "999.1."}, {HTTPNonexistent, "2001:db8::1", "2001"}, {HTTPWebScan, "fe80::1", ""},
		{HTTPRCE, "", ""}, {HTTPUA, "192.0.2.1", ""}, {HTTPIoT, "192.0.2.1", ""}, {HTTPProxyProbe, "192.0.2.1", ""}, {HTTPNoHost, "192.0.2.1", ""},
		{TrailURL, "192.0.2.1", ""}, {TrailDNS, "192.0.2.1", ""}, {TrailUA, "192.0.2.1", ""}, {ScanWeb, "192.0.2.1", ""},
	} {
		if got := (&Event{Code: c.code, Forwarded: c.forwarded}).ForwardedSource(); got != c.want {
			t.Errorf("%s %q: got %q, want %q", c.code, c.forwarded, got, c.want)
		}
	}
}
