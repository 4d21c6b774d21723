package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode"

	"trailhound/agent/event"
	"trailhound/agent/status"
)

var statusNoon = time.Date(2025, 11, 21, 12, 0, 0, 0, time.UTC)

// statusSample is a sensor at work that is ready.
func statusSample() status.Snapshot {
	return status.Snapshot{
		Time: statusNoon, Version: status.Version{Version: "1.2.3", Revision: "0123456789ab"}, Sensor: status.Sensor{Name: "edge-7"},
		StartedAt: statusNoon.Add(-1000 * time.Second), State: status.Running,
		Config: status.Config{LastReload: status.Reload{OK: true, At: statusNoon}},
		Trails: status.Trails{Source: "/var/lib/trailhound/trails.thd", Generation: 3, Count: 1630214, SizeBytes: 26 << 20, CreatedAt: statusNoon.Add(-4 * time.Hour)},
		Capture: status.Capture{
			Workers: []status.Worker{{Group: "eth0", LastLoop: statusNoon}},
			Rings: []status.Ring{{Group: "eth0", Interface: "eth0", Blocks: 64, BlockBytes: 1 << 20, Bytes: 64 << 20, WantedBytes: 128 << 20,
				KernelPackets: 1_000_030, KernelDrops: 30, Freezes: 2}},
			Interfaces: []status.Interface{{Name: "eth0", Alias: "dmz", Group: "eth0", Up: true, Packets: 1_000_000, Bytes: 500_000_000, Truncated: 5,
				Drops: 30, LastPacketAt: statusNoon.Add(-3 * time.Second), Decode: map[string]uint64{"ok": 990_000, "not_ip": 10_000},
				Kinds: map[string]uint64{"tls": 610, "tcp": 300, "dns": 80, "udp": 10, "quic": 0}}},
			Filter: status.CaptureFilter{Expression: "not port 9200", Compiler: "own"},
		},
		Gate: status.Gate{Detected: 7, Suppressed: 1, Folded: 2, Passed: 4, Summaries: 1},
		Outputs: []status.Output{{Name: "local", Type: "csv", Guarantee: "acknowledged", Delivered: 5, Queued: 1,
			LastSuccessAt: statusNoon.Add(-10 * time.Second), Healthy: true}},
		Memory: status.Memory{RSSBytes: 124 << 20, HeapBytes: 20 << 20, Bounds: []status.Bound{{Store: "gate", UsedBytes: 1 << 20, BoundBytes: 64 << 20}}},
	}
}

// statusServer serves what snapshot gives, afresh each time, as a sensor does.
func statusServer(t *testing.T, snapshot func() status.Snapshot) (address string) {
	t.Helper()
	s := status.New(status.Options{Listen: "127.0.0.1:0", Snapshot: snapshot, MaxAge: 1})
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return s.Addr().String()
}

// statusRun runs the command; with an address the configuration is not read.
func statusRun(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	return trailsRun(t, t.TempDir(), append([]string{"status"}, args...)...)
}

func TestStatusPage(t *testing.T) {
	address := statusServer(t, statusSample)
	code, out, errs := statusRun(t, "--address", address)
	if code != exitDone || errs != "" {
		t.Errorf("code %d, errors %q", code, errs)
	}
	const want = `sensor     edge-7, trailhound 1.2.3 0123456789ab, up 16 minutes, at 2025-11-21T12:00:00Z
state      running, ready
trails     1630214 from /var/lib/trailhound/trails.thd, 4 hours old, 26 MiB, generation 3
filter     not port 9200 (own compiler)
events     7 detected, 1 suppressed, 2 folded into 1 summary, 4 passed
memory     124 MiB resident; allocated 64 MiB of rings and 20 MiB of heap, which are resident as far as they were touched
           gate: 1.0 MiB of at most 64 MiB

INTERFACE  ALIAS  LINK  AVG PACKETS/S  AVG MBIT/S  PACKETS  DROPS  CUT  NOT MATCHED  LAST PACKET    MOSTLY
eth0       dmz    up    1000           4.0         1000000  30     5    1.00%        3 seconds ago  tls 61%, tcp 30%, dns 8%

RING  WORKER  GROUP  SIZE    WANTED   BLOCKS  PACKETS  DROPS  DROPPED  FREEZES
eth0  0       eth0   64 MiB  128 MiB  64      1000030  30     <0.01%   2

OUTPUT  TYPE  DELIVERED       FILTERED  REJECTED  LOST  RETRIES  WAITING  LAST SUCCESS    STATE
local   csv   5 acknowledged  0         0         0     0        1        10 seconds ago  healthy
`
	if out != want {
		t.Errorf("page\n%s\nwant\n%s", out, want)
	}
}

func TestStatusNotReady(t *testing.T) {
	address := statusServer(t, func() status.Snapshot {
		s := statusSample()
		s.State, s.Trails.Starter, s.Outputs[0].Healthy, s.Outputs[0].LastError = status.Draining, true, false, "no space left on device"
		s.Config.LastReload = status.Reload{At: statusNoon.Add(-time.Minute),
			Error: "config.yaml:3:1: capture.workers: too many" + strings.Repeat("\nconfig.yaml:4:1: bad\x1b[2J", 9)}
		s.Config.RestartPending = []string{"capture.workers", "status.listen\x1b[2J"}
		s.Trails.Reloads.Failed, s.Detection.Dropped = 2, 9
		s.Capture.RestartNeeded = []string{"eth4", "eth5"}
		s.Capture.Interfaces = append(s.Capture.Interfaces, status.Interface{Name: "eth4"})
		s.Capture.Missing = []status.Missing{{Interface: "eth4", There: true, Up: true, Required: true}, {Interface: "eth5", There: true},
			{Interface: "tap*", Reason: "it is not there"}}
		s.Health = []status.Health{
			{Code: "health.trails.starter", State: event.Raised, Since: statusNoon.Add(-time.Hour), Info: "only the starter set is loaded"},
			{Code: "health.capture.drops", State: event.Recovered, Cause: "eth0", Info: "is over"},
		}
		return s
	})
	code, out, errs := statusRun(t, "--address", address)
	if code != exitFailed || errs != "" {
		t.Errorf("code %d, errors %q", code, errs)
	}
	for _, want := range []string{
		"state      draining, NOT READY\n           the sensor is draining (sensor.state)\n",
		"           only the built-in starter trails are in use (trails.starter)\n" +
			"           output \"local\" does not deliver: no space left on device (output.down)\n",
		"1630214 from the built-in starter set, 4 hours old",
		"2 reloads failed, 0 rejected, 0 went well; 0 faults of the table\n",
		"config     the reload of 60 seconds ago was refused, the configuration before stays in use:\n           config.yaml:3:1: capture.workers: too many\n",
		"config.yaml:4:1: bad?[2J\n           and 2 more, which the log has\n",
		"restart    needed to take 2 changed keys: capture.workers status.listen?[2J\n",
		"interfaces eth4, eth5: not captured before a restart, since no spare socket is left: see capture.spare_sockets (capture.restart_needed)\n",
		"\neth0       dmz    up                  1000", "\neth4       -      up, not captured    0", "\neth5       -      down, not captured  0",
		"\ntap*       -      not there           0",
		"restart    needed to capture on: eth4 eth5\n",
		"9 events lost: 9 at full queues, 0 after the gate\n",
		"failing: no space left on device\n",
		"HEALTH                 CAUSE  SINCE           WHAT IS WRONG\nhealth.trails.starter  -      60 minutes ago  only the starter set is loaded\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if strings.Contains(out, "is over") {
		t.Errorf("what has recovered is shown:\n%s", out)
	}
	if code, out, _ := statusRun(t, "--address", address, "--json"); code != exitFailed || !strings.Contains(out, `"ready": false`) {
		t.Errorf("as JSON: code %d\n%s", code, out)
	}
}

func TestStatusJSON(t *testing.T) {
	address := statusServer(t, statusSample)
	code, out, errs := statusRun(t, "--address", address, "--json")
	var got map[string]any
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != exitDone || errs != "" || got["state"] != "running" {
		t.Errorf("code %d, error %v, errors %q\n%s", code, err, errs, out)
	}
}

// What the other side says is text, whatever it is.
func TestStatusOfHostileServer(t *testing.T) {
	evil := "a\x1b]0;x\x07\x1b[2J\r\n\tb\u009b31m\u202ec\u2028" + strings.Repeat("long", 100)
	s := statusSample()
	s.Sensor.Name, s.State, s.Trails.Source, s.Version.Version = evil, evil, evil, evil
	s.Config.LastReload = status.Reload{At: statusNoon, Error: evil}
	s.Capture.Filter = status.CaptureFilter{Expression: evil, Compiler: evil}
	s.Capture.RestartNeeded = []string{evil}
	s.Reasons = []status.Reason{{Code: evil, Text: evil}}
	s.Trails.AgeSeconds, s.UptimeSeconds = 1e300, -1
	n := &s.Capture.Interfaces[0]
	n.Name, n.Alias, n.Kinds, n.Decode = evil, evil, map[string]uint64{evil: 1 << 63, "b": 1 << 63}, map[string]uint64{evil: 1}
	s.Capture.Rings[0].Interface, s.Capture.Rings[0].Group = evil, evil
	o := &s.Outputs[0]
	o.Name, o.Type, o.Guarantee, o.LastError, o.Healthy = evil, evil, evil, evil, false
	s.Health = []status.Health{{Code: event.Code(evil), Cause: evil, Info: evil, State: event.HealthState(evil)}}
	s.Memory.Bounds[0].Store = evil
	for range 1000 {
		s.Capture.Interfaces = append(s.Capture.Interfaces, *n)
		s.Reasons = append(s.Reasons, s.Reasons[0])
		s.Memory.Bounds = append(s.Memory.Bounds, s.Memory.Bounds[0])
	}
	body, err := json.Marshal(&s)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write(body) }))
	defer server.Close()
	code, out, errs := statusRun(t, "--address", server.Listener.Addr().String())
	if code != exitFailed || errs != "" {
		t.Errorf("code %d, errors %q", code, errs)
	}
	for _, r := range out {
		if r != '\n' && !unicode.IsPrint(r) {
			t.Fatalf("%q reaches the terminal", r)
		}
	}
	if lines := strings.Count(out, "\n"); lines > 150 {
		t.Errorf("%d lines", lines)
	}
	if !strings.Contains(out, "and 969 more, which --json shows\n") || !strings.Contains(out, "…") {
		t.Errorf("nothing is cut:\n%.2000s", out)
	}
	for _, r := range printable(body) {
		if r != '\n' && !unicode.IsPrint(r) {
			t.Fatalf("%q reaches the terminal as JSON", r)
		}
	}
}

func TestStatusUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	dir := t.TempDir()
	none := writeTest(t, filepath.Join(dir, "none.yaml"), "status: {listen: \"\"}\n")
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--address", address}, exitFailed, "trailhound: cannot ask a sensor at " + address + ": connection refused\n" +
			"trailhound: is it running (systemctl status trailhound), and is that its status.listen? --address asks elsewhere\n"},
		{[]string{"--address", address, "--watch"}, exitFailed, "connection refused"},
		{[]string{"--set", "status.listen=" + address}, exitFailed, "cannot ask a sensor at " + address},
		{[]string{"--address", filepath.Join(dir, "no.sock")}, exitFailed, "no such file or directory"},
		{[]string{"--address", other.Listener.Addr().String()}, exitFailed, "is no sensor: its /status gives 404"},
		{[]string{"--address", "8339"}, exitUsage, "is neither address:port nor unix:/path"},
		{[]string{"more"}, exitUsage, "unknown command"},
	} {
		code, out, errs := statusRun(t, c.args...)
		if code != c.code || out != "" || !strings.Contains(errs, c.want) {
			t.Errorf("%v: code %d, output %q, errors %q", c.args, code, out, errs)
		}
	}
	var out, errs strings.Builder
	code := execute(t.Context(), &streams{strings.NewReader(""), &out, &errs}, []string{"status", "-c", none})
	if code != exitFailed || !strings.Contains(errs.String(), "status.listen is empty: this sensor has no status endpoint") {
		t.Errorf("without an endpoint: code %d, errors %q", code, errs.String())
	}
}

// pageWriter is an output that tells of each page and can be cut off.
type pageWriter struct{ pages chan string }

func (w pageWriter) Write(b []byte) (int, error) {
	w.pages <- string(b)
	return len(b), nil
}

// Rates count from the page before, unless the sensor has started anew.
func TestStatusWatch(t *testing.T) {
	var turn atomic.Int64
	address := statusServer(t, func() status.Snapshot {
		s := statusSample()
		n := turn.Add(1) - 1
		s.Time = statusNoon.Add(time.Duration(n) * 2 * time.Second)
		s.Capture.Interfaces[0].Packets += uint64(5000 * n)
		s.Capture.Interfaces[0].Bytes += uint64(2_500_000 * n)
		if n == 2 {
			s.StartedAt = s.Time.Add(-time.Second)
			s.Capture.Interfaces[0].Packets, s.Capture.Interfaces[0].Bytes = 7, 125_000
		}
		return s
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	pages := make(chan string)
	a := &app{streams: &streams{out: pageWriter{pages}, err: os.Stderr}}
	done := make(chan error, 1)
	go func() { done <- a.status(ctx, statusFlags{address: address, watch: true, every: time.Millisecond}) }()
	for i, want := range []string{
		"LINK  AVG PACKETS/S  AVG MBIT/S  PACKETS  DROPS  CUT  NOT MATCHED  LAST PACKET    MOSTLY\neth0       dmz    up    1000           4.0  ",
		"LINK  PACKETS/S  MBIT/S  PACKETS  DROPS  CUT  NOT MATCHED  LAST PACKET    MOSTLY\neth0       dmz    up    2500       10 ",
		"LINK  AVG PACKETS/S  AVG MBIT/S  PACKETS  DROPS  CUT  NOT MATCHED  LAST PACKET    MOSTLY\neth0       dmz    up    7.0            1.0 ",
	} {
		page := <-pages
		if !strings.Contains(page, want) || strings.Contains(page, "\x1b") || strings.HasPrefix(page, "\n") != (i > 0) {
			t.Errorf("page %d:\n%s\nwant %q", i, page, want)
		}
	}
	cancel()
	for {
		select {
		case <-pages:
		case err := <-done:
			if err != context.Canceled {
				t.Errorf("ended with %v", err)
			}
			return
		}
	}
}

func TestStatusColours(t *testing.T) {
	s := statusSample()
	s.Ready = true
	for _, colour := range []bool{false, true} {
		var b strings.Builder
		p := statusPage{w: &b, now: &s, colour: colour}
		p.print()
		if strings.Contains(b.String(), "\x1b[32mready\x1b[0m") != colour || strings.Contains(b.String(), "\x1b") != colour {
			t.Errorf("colour %v:\n%q", colour, b.String())
		}
	}
}

func TestStatusTexts(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{bytesText(0), "0 B"}, {bytesText(1023), "1023 B"}, {bytesText(1 << 10), "1.0 KiB"}, {bytesText(999 << 10), "999 KiB"},
		{bytesText(1000 << 10), "1.0 MiB"}, {bytesText(64 << 20), "64 MiB"}, {bytesText(1<<64 - 1), "16 EiB"},
		{share(0, 0), "0%"}, {share(1, 0), "100%"}, {share(1, 1e9), "<0.01%"}, {share(1, 100), "1.00%"}, {share(50, 100), "50%"},
		{rate(10, 0, 1, 0), "-"}, {rate(1, 2, 1, 1), "-"}, {rate(0, 0, 1, 1), "0"}, {rate(5, 0, 1, 2), "2.5"}, {rate(1e6, 0, 1, 2), "500000"},
		{ageOf(1e300), fmt.Sprintf("%d days", 1<<33/86400)}, {ageOf(-1), "0 seconds"}, {ageOf(1), "1 second"},
		{mostly(nil), ""}, {mostly(map[string]uint64{"tcp": 0}), ""},
		{shown("a\tb"), "a?b"}, {shown("a\u202eb"), "a?b"}, {shown("ä日"), "ä日"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}
