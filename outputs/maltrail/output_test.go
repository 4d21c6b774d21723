package maltrail

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"trailhound/agent/config"
	"trailhound/agent/event"
	"trailhound/outputs"
)

var identity = &event.Identity{Name: "edge-1", Hostname: "edge-host"}

func detection(trail string) event.Event {
	return event.Event{Time: time.Unix(1771234567, 4200000).UTC(), Type: event.DNS, Code: event.TrailDNS, Severity: event.High,
		Trail: trail, Info: "lumma (malware)", Reference: "(static)", Src: netip.MustParseAddr("192.0.2.10"), SrcPort: 51514,
		Dst: netip.MustParseAddr("198.51.100.53"), DstPort: 53, Protocol: "UDP"}
}

func health() event.Event {
	return event.NewHealth(time.Unix(1771234567, 0), event.HealthHeartbeat, "up for 5m0s", event.HealthFacts{State: event.Metric})
}

func server(t *testing.T) *net.UDPConn {
	t.Helper()
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func newOutput(t *testing.T, k Keys) *Output {
	t.Helper()
	o, err := New(k, Env{Identity: identity})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Close() })
	return o
}

// receive reads one datagram as the reference's server does: the text up to the
// first space is the second, the rest a line that an independent parser of
// columns reads.
func receive(t *testing.T, c *net.UDPConn) (size int, second string, columns []string) {
	t.Helper()
	buf := make([]byte, 70_000)
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	n, err := c.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	second, line, _ := strings.Cut(string(buf[:n]), " ")
	if strings.Count(line, "\n") != 1 || line[len(line)-1] != '\n' || !utf8.ValidString(line) {
		t.Fatalf("not one line: %q", line)
	}
	r := csv.NewReader(strings.NewReader(line))
	r.Comma = ' '
	if columns, err = r.Read(); err != nil || len(columns) != 11 {
		t.Fatalf("%q: %v", line, err)
	}
	return n, second, columns
}

func TestSend(t *testing.T) {
	c := server(t)
	o := newOutput(t, Keys{Address: "udp://" + c.LocalAddr().String(), Sensor: "dmz 7", TimeZone: "UTC"})
	if o.Guarantee() != outputs.Sent || o.Limits() != (outputs.Limits{}) || o.Check(t.Context()) != nil {
		t.Error("guarantee, limits or check are not those of datagrams")
	}
	hostile := "a\r\nb \"q\" \x1b ü"
	batch := []event.Event{detection("(cdn).bad-domain.test"), health(), detection(hostile), detection(strings.Repeat("ü", 4500))}
	r, err := o.Send(t.Context(), batch)
	if err != nil || len(r.Outcomes) != len(batch) {
		t.Fatal(err)
	}
	for i, outcome := range r.Outcomes {
		if outcome != outputs.Delivered {
			t.Errorf("event %d: %v", i, outcome)
		}
	}
	_, second, columns := receive(t, c)
	if got, want := fmt.Sprintf("%s %q", second, columns), `1771234567 ["2026-02-16 09:36:07.004200" "dmz 7" "192.0.2.10" "51514" "198.51.100.53" "53" "UDP" "DNS" "(cdn).bad-domain.test" "lumma (malware)" "(static)"]`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if _, _, columns = receive(t, c); columns[8] != "a  b \"q\" \x1b ü" {
		t.Errorf("hostile trail is %q", columns[8])
	}
	// The 9 kB of the last one do not fit.
	size, _, columns := receive(t, c)
	if size > defaultDatagram || !strings.HasSuffix(columns[8], event.TruncatedMark) || columns[9] != "lumma (malware)" {
		t.Errorf("%d bytes: %q", size, columns)
	}
	if s := o.Stats(); s.Events != 3 || s.Health != 1 || s.Truncated != 1 || s.Rejected != 0 || s.Bytes == 0 {
		t.Errorf("%+v", s)
	}
}

func TestZone(t *testing.T) {
	if _, err := time.LoadLocation("Asia/Kolkata"); err != nil {
		t.Skipf("this machine has no tz database: %v", err)
	}
	c := server(t)
	o := newOutput(t, Keys{Address: c.LocalAddr().String(), TimeZone: "Asia/Kolkata"})
	if _, err := o.Send(t.Context(), []event.Event{detection("x")}); err != nil {
		t.Fatal(err)
	}
	if _, second, columns := receive(t, c); second != "1771234567" || columns[0] != "2026-02-16 15:06:07.004200" || columns[1] != "edge-1" {
		t.Errorf("%s %q", second, columns)
	}
}

func TestRejectedAndAbsent(t *testing.T) {
	c := server(t)
	o := newOutput(t, Keys{Address: c.LocalAddr().String(), MaxDatagram: 1024})
	long := detection("x")
	long.Protocol = strings.Repeat("p", 1100)
	r, err := o.Send(t.Context(), []event.Event{long, detection("y")})
	if err != nil || r.Outcomes[0] != outputs.Rejected || r.Outcomes[1] != outputs.Delivered || !strings.Contains(r.Reasons[0], "a datagram of 1024 bytes") {
		t.Errorf("%+v, %v", r, err)
	}
	// What the host of a server that is not there says comes too late for the
	// datagram that it is about, but not for the others.
	c.Close()
	batch := []event.Event{detection("y"), detection("z")}
	if r, err = o.Send(t.Context(), batch); err == nil || r.Outcomes[0] != outputs.Delivered || r.Outcomes[1] != outputs.Retry || !strings.Contains(err.Error(), "nobody listens there") {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err = o.Send(t.Context(), batch[1:]); err == nil || r.Outcomes[0] != outputs.Retry {
		t.Errorf("%+v, %v", r, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r, err := o.Send(ctx, batch); !errors.Is(err, context.Canceled) || r.Outcomes[0] != outputs.Retry {
		t.Errorf("%v", err)
	}
}

func TestKeys(t *testing.T) {
	for want, k := range map[string]Keys{
		"address: is missing":                   {},
		"address: \"a b:8337\"":                 {Address: "a b"},
		"address: \"tcp://h\": the server":      {Address: "tcp://h"},
		"time_zone: ":                           {Address: "h", TimeZone: "Nowhere/City"},
		"max_datagram: 100 is not from":         {Address: "h", MaxDatagram: 100},
		"max_datagram: 65508 is not from 1024 ": {Address: "h", MaxDatagram: 65508},
	} {
		if _, err := New(k, Env{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %s", k, err, want)
		}
	}
	for _, address := range []string{"maltrail.example", "192.0.2.1", "2001:db8::1", "[2001:db8::1]:8337", "udp://h:1"} {
		if o, err := New(Keys{Address: address}, Env{}); err != nil {
			t.Errorf("%s: %v", address, err)
		} else {
			o.Close()
		}
	}
}

// The default port is that of the server.
func TestDefaultPort(t *testing.T) {
	asked := ""
	o, err := New(Keys{Address: "192.0.2.1"}, Env{Identity: identity, Dial: func(_ context.Context, network, address string) (net.Conn, error) {
		asked = network + " " + address
		return nil, errors.New("not here")
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	if _, err := o.Send(t.Context(), []event.Event{detection("x")}); err == nil || asked != "udp 192.0.2.1:8337" {
		t.Errorf("%v, asked for %s", err, asked)
	}
}

// The sample is read as the program reads it, and shows the defaults.
func TestSample(t *testing.T) {
	text := "outputs:\n"
	for i, line := range strings.Split(strings.TrimSpace(Sample()), "\n") {
		if i == 1 {
			text += "  - " + line + "\n"
		} else {
			text += "    " + line + "\n"
		}
	}
	text += "  - {name: x, type: maltrail, address: 'maltrail.example:8337'}\n"
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(config.Options{File: file})
	if err != nil {
		t.Fatal(err)
	}
	var shown, dflt Keys
	if err := errors.Join(c.Outputs[0].Decode(&shown), c.Outputs[1].Decode(&dflt)); err != nil {
		t.Fatal(err)
	}
	if shown != dflt || shown.MaxDatagram != defaultDatagram {
		t.Errorf("%+v, %+v", shown, dflt)
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"address", "sensor", "time_zone", "max_datagram"} {
		if !strings.Contains(string(readme), "| "+key+" |") {
			t.Errorf("README: %s is missing", key)
		}
	}
}
