package event

import "testing"

func TestRateTrail(t *testing.T) {
	for _, c := range []struct {
		info, reference string
		want            Severity
	}{
		{"lumma (malware)", "(static)", High},
		{"mass scanner (malware)", "(static)", Low}, // T4: the leftmost term decides
		{"c2 cert (malware)", "(static)", Medium},
		{"Ransomware", "feed.test", Medium},
		{"ransomware", "feed.test", High},
		{"malware distribution", "feed.test", Medium},
		{"malware site", "feed.test", Medium},
		{"malware site, malware", "feed.test", High}, // the second one is not followed by " site"
		{"malware distributio", "feed.test", High},
		{"potential malware site", "feed.test", Medium},
		{"potential iot-malware download (suspicious)", "(heuristic)", High},
		{"iot-malware site", "feed.test", High}, // only the bare term looks at what follows
		{"adversary", "feed.test", High},
		{"malwaredomainlist", "feed.test", High},
		{"anything", "malwaredomainlist.com", High},
		{"bad reputation", "feed.test", Low},
		{"known attacker", "feed.test", Low},
		{"spammer (malware)", "feed.test", Low},
		{"compromised", "", Low},
		{"crawler", "", Low},
		{"potential port scanning", "(heuristic)", Low},
		{"blacklisted", "(remote custom)", High}, // T5
		{"my list", "(custom)", High},
		{"mass scanner", "(custom)", High},
		{"my list", "feed.test,(custom)", High},
		{"my list", "custom", Medium},
		{"(remote custom)", "", High},
		{"", "", Medium},
		{"malware", "", High},
		{"malware ", "", High},
	} {
		if got := RateTrail(c.info, c.reference); got != c.want {
			t.Errorf("RateTrail(%q, %q) = %v, want %v", c.info, c.reference, got, c.want)
		}
	}
}

func TestRateTrailAllocatesNothing(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { RateTrail("potential malware site of a mass scanner", "feed.test") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestCodes(t *testing.T) {
	for typ, want := range map[Type]Code{DNS: "trail.dns", IP: "trail.ip", IPORT: "trail.iport", URL: "trail.url",
		HTTP: "trail.http", UA: "trail.ua", CERT: "trail.cert", PATH: "trail.path"} {
		if got := CodeOf(typ); got != want {
			t.Errorf("CodeOf(%s) = %s, want %s", typ, got, want)
		}
	}
	seen := make(map[Code]bool)
	for _, c := range Heuristics() {
		if seen[c] {
			t.Errorf("%s is listed twice", c)
		}
		seen[c] = true
		want := Medium
		switch c {
		case "scan.port", "scan.udp", "scan.web":
			want = Low
		case "dns.sinkholed", "http.sinkhole", "http.iot":
			want = High
		}
		if c.Severity() != want {
			t.Errorf("%s is %v, want %v", c, c.Severity(), want)
		}
		if c.IsTrail() || c.IsHealth() || c.Category() != "heuristic" {
			t.Errorf("%s is no heuristic", c)
		}
	}
	if len(seen) != 33 {
		t.Errorf("%d heuristics, the manual knows 33", len(seen))
	}
	if TrailDNS.Category() != "trail" || Code("health.canary").Category() != "health" ||
		Code("health.canary").Severity() != Info {
		t.Error("categories")
	}
}

func TestConfidence(t *testing.T) {
	for _, c := range []struct {
		reference string
		heuristic bool
		want      uint8
		label     string
	}{
		{"(static)", false, 90, "High"}, {"(custom)", false, 90, "High"}, {"(remote custom)", false, 90, "High"},
		{"feed.test", false, 50, "Medium"}, {"(heuristic)", true, 30, "Low"}, {"(static)", true, 30, "Low"},
	} {
		got := Confidence(c.reference, c.heuristic)
		if got != c.want || ConfidenceLabel(got) != c.label {
			t.Errorf("%+v: %d %s", c, got, ConfidenceLabel(got))
		}
	}
	for c, want := range map[uint8]string{0: "Low", 33: "Low", 34: "Medium", 66: "Medium", 67: "High", 100: "High"} {
		if ConfidenceLabel(c) != want {
			t.Errorf("ConfidenceLabel(%d) = %s", c, ConfidenceLabel(c))
		}
	}
}

func BenchmarkRateTrail(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		RateTrail("keitaro tds (malicious)", "(static)")
	}
}
