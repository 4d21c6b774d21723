package tests

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"trailhound/agent/config"
	. "trailhound/tests/corpus"
)

// Every test that docs/differences.md names is there, and every test of a limit
// is named there or belongs to one that is.
func TestDifferencesNameTests(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(moduleRoot(t), "docs", "differences.md"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^func (TestLimit\w+)\(`).FindAllSubmatch(text, -1) {
			have[string(m[1])] = true
		}
	}
	for _, m := range regexp.MustCompile("`(TestLimit\\w+)`").FindAllSubmatch(page, -1) {
		if !have[string(m[1])] {
			t.Errorf("docs/differences.md names %s, which is not there", m[1])
		}
	}
}

// Item 5: the filter that the reference ships hides most of what it could detect.
// There is none by default, and what it would hide is detected.
func TestLimit05CaptureFilter(t *testing.T) {
	c, err := config.Load(config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if c.Capture.Filter != "" {
		t.Errorf("the default filter is %q", c.Capture.Filter)
	}
	runCases(t, []Case{
		{Name: "a SYN with ECN", Trails: fixture, Frames: Each(eth(client, "66.66.66.66", TCP(1, 443, SYN|ECE|CWR, ""))),
			Events: []string{"0 10.0.0.66 1 66.66.66.66 443 TCP IP 66.66.66.66" + malware}},
		{Name: "IPv6, port 443", Trails: fixture, Frames: Each(eth("dead::1", "dead::beef", Syn(1, 443))),
			Events: []string{"0 dead::1 1 dead::beef 443 TCP IPORT [dead::beef]:443" + malware}},
		{Name: "stealth probes", Frames: probes(11, 1, flagged(scanner, victim, 0)), Events: []string{
			"10 203.0.113.9 40000 198.51.100.7 1000 TCP IP 203.0.113.9" + portScan}},
	})
}

// Item 31: what is folded goes by the time of the packets, so a replay is the
// same however fast it is.
func TestLimit31PacketTime(t *testing.T) {
	c := Case{Trails: fixture}
	for i := range 50 {
		c.Frames = append(c.Frames, At(i*7, eth(client, "66.66.66.66", Syn(uint16(50000+i), 443))))
	}
	path := caseFile(t, &c)
	s := setup{rules: caseRules(t, &c), workers: 1, aggregate: time.Minute}
	want, _ := replay(t, s, path)
	if len(want) < 4 || !want[1].Aggregate.Summary {
		t.Fatalf("%d events", len(want))
	}
	for range 3 {
		time.Sleep(20 * time.Millisecond)
		again, _ := replay(t, s, path)
		sameEvents(t, "again", again, want)
	}
}
