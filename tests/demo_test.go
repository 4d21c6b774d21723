package tests

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"trailhound/agent/detect"
	"trailhound/agent/event"
	"trailhound/tests/corpus"
	"trailhound/trails/starter"
)

var update = flag.Bool("update", false, "write the files that are made, instead of comparing them")

// TestDemoFile holds that demo.pcap is what the generator makes, and small.
func TestDemoFile(t *testing.T) {
	path := filepath.Join("corpus", "demo.pcap")
	frames := corpus.Demo()
	want := corpus.Pcap(frames)
	if *update {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what the generator makes; run go test ./tests -run DemoFile -update", path)
	}
	if limit := 64 << 10; len(want) > limit {
		t.Errorf("%d bytes, more than %d", len(want), limit)
	}
	for i := 1; i < len(frames); i++ {
		if frames[i].Time.Before(frames[i-1].Time) {
			t.Errorf("frame %d is before frame %d", i+1, i)
		}
	}
}

// TestDemoEvents replays the demo as make run does: each kind of trail of the
// starter set raises its event, the clean traffic none.
func TestDemoEvents(t *testing.T) {
	white := starter.Whitelist()
	rules := detect.NewRules(tableOf(t, string(starter.Trails())), white, detect.Options{Heuristics: true, HostDomains: true, Redact: true,
		Home: event.NewHomeNetworks(nil), UserAgents: starter.UserAgents()})
	events, summary := replay(t, setup{rules: rules, white: white, workers: 1, aggregate: time.Minute}, filepath.Join("corpus", "demo.pcap"))
	if n := summary.Undecoded(); n > 0 {
		t.Errorf("%d packets were not decoded", n)
	}
	var got []string
	for i := range events {
		e := &events[i]
		s := fmt.Sprintf("%s %s %s %s %s | %s", e.Time.Format(time.TimeOnly), e.Severity, e.Protocol, e.Type, e.Trail, e.Info)
		if e.Aggregate.Summary {
			s += fmt.Sprintf(" x%d", e.Aggregate.Count)
		}
		got = append(got, s)
	}
	sameLines(t, got, []string{
		`08:14:37 low TCP IP 80.82.77.0/24 (80.82.77.33) | mass scanner cidr`,
		`08:31:02 medium TCP UA sqlmap(/1.8.2) | user agent (suspicious)`,
		`08:52:45 medium UDP DNS confirmation-id56102.com | ek clearfake (malicious)`,
		`08:53:20 high TCP DNS triallyforwhgh.shop | lummac2 (malware)`,
		`08:53:58 high UDP DNS (cdn).tenseddrywsqio.shop | lummac2 (malware)`,
		`08:54:31 high TCP URL (203.0.113.79)/a6d914969291bf07.php | vidar (malware)`,
		`10:17:00 medium TCP IPORT 62.171.148.172:8888 | sliver (malicious)`,
		`10:17:10 medium TCP IPORT 62.171.148.172:8888 | sliver (malicious) x5`,
		`11:05:19 high TCP URL sarkerrentacars.com/zshrc | osx rustdoor (malware)`,
		`11:46:40 medium UDP DNS ql48213.pw | magentocore (malicious)`,
		`13:41:54 high UDP DNS biigband.click | apt kimsuky (malware)`,
		`14:08:33 medium TCP IPORT [2a12:bec4:1460:50::2]:3478 | magentocore (malicious)`,
		`15:12:26 medium TCP IP 163.172.226.194 | crypto mining (suspicious)`,
		`16:37:49 medium UDP DNS (facebookcorewwwi).onion | onion (suspicious)`,
	})
}
