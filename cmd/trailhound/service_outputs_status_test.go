package main

import (
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"trailhound/agent/config"
	"trailhound/agent/event"
	"trailhound/agent/status"
	"trailhound/outputs"
)

// What outputs count has a place in the metrics, each of it.
func TestOutputCountersAreShown(t *testing.T) {
	var names []string
	all := outputs.AllCounters()
	all.Each(func(name string, _ uint64) { names = append(names, name) })
	if shown := status.OutputCounters(); !slices.Equal(slices.Sorted(slices.Values(names)), slices.Sorted(slices.Values(shown))) {
		t.Errorf("outputs count %v, metrics show %v", names, shown)
	}
}

// The page has what outputs count, and the last errors of those that fail.
func TestStatusPageOfOutputs(t *testing.T) {
	address := statusServer(t, func() status.Snapshot {
		s := statusSample()
		s.Outputs[0].Counters = map[string]uint64{"bytes": 2 << 20, "rotations": 2, "torn": 0}
		bad := status.Output{Name: "elk", Type: "elasticsearch", LastError: "no", Counters: map[string]uint64{"connect_failures": 7}}
		for i, class := range []string{"other", "connect", "auth", "timeout"} {
			bad.LastErrors = append(bad.LastErrors, status.OutputError{FirstAt: statusNoon.Add(-time.Hour), LastAt: statusNoon.Add(-time.Duration(i) * time.Minute),
				Times: uint64(i + 1), Class: class, Text: class + " it\x1b[2J was"})
		}
		s.Outputs = append(s.Outputs, bad)
		return s
	})
	_, out, _ := statusRun(t, "--address", address)
	for _, want := range []string{
		"\nOUTPUT  COUNTED SINCE THE START\nlocal   2.0 MiB, 2 rotations\nelk     7 connect failures\n",
		"\nOUTPUT  ERRORS   TIMES  FIRST           LAST            WHAT WENT WRONG\nelk     timeout  4      60 minutes ago  3 minutes ago   timeout it?[2J was\nelk     auth     3  ",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if strings.Contains(out, "other it") {
		t.Errorf("the oldest error is shown:\n%s", out)
	}
}

// Every type of output counts, and has nothing that another transport counts.
func TestEveryOutputCounts(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		keys string
		has  outputs.Counted
	}{
		{"type: csv, path: " + dir + "/x.csv", outputs.HasBytes | outputs.HasRotations | outputs.HasTorn | outputs.HasEmptied},
		{"type: stdout", outputs.HasBytes},
		{`type: syslog, address: "udp://192.0.2.1:514"`, outputs.HasBytes | outputs.HasTruncated | outputs.HasReconnects | outputs.HasFailures},
		{`type: syslog, address: "udp://192.0.2.1:514", profile: maltrail`, outputs.HasBytes | outputs.HasTruncated | outputs.HasSkipped | outputs.HasReconnects | outputs.HasFailures},
		{`type: syslog, address: "tcp://192.0.2.1:514"`, outputs.HasBytes | outputs.HasTruncated | outputs.HasReconnects | outputs.HasFailures | outputs.HasLosses | outputs.HasResent},
		{`type: logstash, addresses: ["192.0.2.1:5044"]`, outputs.HasBytes | outputs.HasReconnects | outputs.HasFailures | outputs.HasLosses | outputs.HasResent},
		{`type: logstash, protocol: udp, addresses: ["192.0.2.1:5044"]`, outputs.HasBytes | outputs.HasReconnects | outputs.HasFailures | outputs.HasTruncated},
		{`type: logstash, protocol: lumberjack, addresses: ["192.0.2.1:5044"]`, outputs.HasBytes | outputs.HasReconnects | outputs.HasFailures | outputs.HasResent | outputs.HasRequests | outputs.HasKeepalives},
		{`type: elasticsearch, addresses: ["http://192.0.2.1:9200"]`, outputs.HasBytes | outputs.HasRequests | outputs.HasDuplicates | outputs.HasDiverted | outputs.HasDeferred | outputs.HasSplits},
		{"type: maltrail, address: 192.0.2.1", outputs.HasBytes | outputs.HasTruncated | outputs.HasSkipped | outputs.HasReconnects | outputs.HasFailures},
	} {
		file := writeTest(t, filepath.Join(dir, "config.yaml"), "outputs:\n- {name: x, "+c.keys+"}\n")
		conf, err := config.Load(config.Options{File: file, Explicit: true})
		if err != nil {
			t.Fatal(err)
		}
		out, err := newOutput(&conf.Outputs[0], surroundings{identity: &event.Identity{}, log: slog.New(slog.DiscardHandler), stdout: io.Discard})
		if err != nil {
			t.Fatal(err)
		}
		counter, ok := out.(outputs.Counter)
		if !ok {
			t.Errorf("%s: counts nothing", c.keys)
		} else if n := counter.Counters(); n != (outputs.Counters{Has: c.has}) {
			t.Errorf("%s: %+v, want %b", c.keys, n, c.has)
		}
		out.Close()
	}
}
