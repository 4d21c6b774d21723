package syslog

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"trailhound/agent/event"
	"trailhound/trails"
)

// parsed is a syslog message read back. The readers here are written after the
// RFCs and know nothing of the writers.
type parsed struct {
	priority                                   int
	version, time, host, app, pid, msgid, text string
}

func parsePriority(line string) (n int, rest string, err error) {
	end := strings.IndexByte(line, '>')
	if end < 2 || end > 4 || line[0] != '<' {
		return 0, "", fmt.Errorf("no priority: %q", line)
	}
	if n, err = strconv.Atoi(line[1:end]); err != nil || n > 191 {
		return 0, "", fmt.Errorf("bad priority: %q", line)
	}
	return n, line[end+1:], nil
}

// parse5424 reads a message after RFC 5424 6.
func parse5424(line string) (p parsed, err error) {
	if p.priority, line, err = parsePriority(line); err != nil {
		return p, err
	}
	fields := strings.SplitN(line, " ", 8)
	if len(fields) != 8 || fields[0] != "1" || fields[6] != "-" {
		return p, fmt.Errorf("not the fields of a header: %q", line)
	}
	for i, most := range []int{3, 32, 255, 48, 128, 32} {
		f := fields[i]
		if f == "" || len(f) > most || strings.ContainsFunc(f, func(r rune) bool { return r < 0x21 || r > 0x7E }) {
			return p, fmt.Errorf("field %d: %q", i, f)
		}
	}
	p.version, p.time, p.host, p.app, p.pid, p.msgid, p.text = fields[0], fields[1], fields[2], fields[3], fields[4], fields[5], fields[7]
	_, err = time.Parse(time.RFC3339Nano, p.time)
	return p, err
}

var header3164 = regexp.MustCompile(`^([A-Z][a-z][a-z] [ 1-3][0-9] [0-9:]{8}) ([!-~]+) ([A-Za-z0-9-]+)\[([0-9]+)\]: (.*)$`)
var headerHere = regexp.MustCompile(`^([A-Z][a-z][a-z] [ 1-3][0-9] [0-9:]{8})() ([A-Za-z0-9-]+)\[([0-9]+)\]: (.*)$`)
var headerLibrary = regexp.MustCompile(`^([0-9-]{10}T[0-9:]{8}(?:Z|[+-][0-9:]{5})) ([!-~]+) ([A-Za-z0-9-]+)\[([0-9]+)\]: (.*)\n$`)

func parseWith(header *regexp.Regexp, line string) (p parsed, err error) {
	if p.priority, line, err = parsePriority(line); err != nil {
		return p, err
	}
	m := header.FindStringSubmatch(line)
	if m == nil {
		return p, fmt.Errorf("not a header: %q", line)
	}
	p.time, p.host, p.app, p.pid, p.text = m[1], m[2], m[3], m[4], m[5]
	return p, nil
}

// parseCEF reads a CEF record: the header fields and the keys.
func parseCEF(text string) (header []string, keys map[string]string, err error) {
	if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r < 0x20 || r >= 0x7F && r < 0xA0 }) {
		return nil, nil, fmt.Errorf("not clean: %q", text)
	}
	rest, ok := strings.CutPrefix(text, "CEF:0|")
	if !ok {
		return nil, nil, fmt.Errorf("no CEF: %q", text)
	}
	for field := ""; len(header) < 6; {
		i := strings.IndexAny(rest, `\|`)
		if i < 0 || rest[i] == '\\' && (i+1 == len(rest) || rest[i+1] != '\\' && rest[i+1] != '|') {
			return nil, nil, fmt.Errorf("header: %q", rest)
		}
		if field += rest[:i]; rest[i] == '\\' {
			field, rest = field+rest[i+1:i+2], rest[i+2:]
			continue
		}
		header, field, rest = append(header, field), "", rest[i+1:]
	}
	keys = map[string]string{}
	// A value ends before the last space in front of the next bare equals sign.
	for rest != "" {
		key, value, ok := strings.Cut(rest, "=")
		if !ok || !word(key, "") {
			return nil, nil, fmt.Errorf("no key: %q", rest)
		}
		rest = ""
		for i := 0; i < len(value); i++ {
			if value[i] == '\\' {
				i++
			} else if value[i] == '=' {
				at := strings.LastIndexByte(value[:i], ' ')
				if at < 0 {
					return nil, nil, fmt.Errorf("bare equals sign: %q", value)
				}
				value, rest = value[:at], value[at+1:]
				break
			}
		}
		if _, dup := keys[key]; dup {
			return nil, nil, fmt.Errorf("%s twice", key)
		}
		var b strings.Builder
		for i := 0; i < len(value); i++ {
			c := value[i]
			if c == '\\' {
				if i++; i == len(value) || strings.IndexByte(`\=nr`, value[i]) < 0 {
					return nil, nil, fmt.Errorf("bad escape: %q", value)
				}
				c = strings.NewReplacer("n", "\n", "r", "\r").Replace(value[i : i+1])[0]
			}
			b.WriteByte(c)
		}
		keys[key] = b.String()
	}
	return header, keys, nil
}

// frames takes a stream of octet-counted messages apart (RFC 6587 3.4.1).
func frames(text string) (list []string, err error) {
	for text != "" {
		number, rest, ok := strings.Cut(text, " ")
		n, bad := strconv.Atoi(number)
		if !ok || bad != nil || n > len(rest) || number[0] == '0' {
			return list, errors.New("not a frame")
		}
		list, text = append(list, rest[:n]), rest[n:]
	}
	return list, nil
}

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

func identity() *event.Identity {
	return &event.Identity{Name: "edge-1", ID: "0198c3f2-a1b0-4c10-8000-000000000001", Hostname: "edge-host", Version: "1.0.0",
		Labels: map[string]string{"site": "berlin"}}
}

func testID(n byte) [16]byte {
	return [16]byte{0x01, 0x98, 0xc3, 0xf2, 0xa1, 0xb0, 0x7c, 0x10, 0x80, 0, 0, 0, 0, 0, 0, n}
}

// events are one of each kind, with what has broken writers before.
func events() []event.Event {
	at := func(sec int64) time.Time { return time.Unix(sec, 4200_000).UTC() }
	health := event.NewHealth(at(1772672400), event.HealthOutputDown, "the output siem does not work", event.HealthFacts{State: event.Raised,
		Since: at(1772672400), Cause: "siem", Measures: []event.Measure{event.Count("waiting", 12), event.Share("drop_share", 1, 3)}})
	health.ID = testID(6)
	list := []event.Event{
		{ID: testID(1), Time: at(1771234567), Type: event.DNS, Code: event.TrailDNS, Severity: event.High, Confidence: 90, Direction: event.Outbound,
			Kind: trails.Domain, Observable: "cdn.bad-domain.test", Indicator: "bad-domain.test", Trail: "(cdn).bad-domain.test", Info: "lumma (malware)",
			Reference: "(static)", Src: addr("192.0.2.10"), SrcPort: 51514, Dst: addr("198.51.100.53"), DstPort: 53, Protocol: "UDP", Application: "dns",
			DNS: event.DNSFacts{Question: "cdn.bad-domain.test", Type: 1, Class: 1}},
		{ID: testID(2), Time: at(1771234570), Type: event.URL, Code: event.HTTPSQLi, Severity: event.Medium, Confidence: 30, Direction: event.External,
			Trail: "shop.test(/a|b\\c?x=\"1\"\r\nCEF:0|x=y\x00\xff)", Info: "potential sql injection (suspicious)", Reference: "(heuristic)",
			Src: addr("192.0.2.11"), SrcPort: 40222, Dst: addr("198.51.100.80"), DstPort: 80, Protocol: "TCP", Forwarded: "203.0.113.7", Application: "http",
			HTTP: event.HTTPFacts{Method: "GET", Host: "shop.test", Target: "/a|b\\c?x=\"1\"\r\nCEF:0|x=y\x00\xff", UserAgent: "curl = 8 | \\"}},
		{ID: testID(3), Time: at(1771234571), Type: event.IP, Code: event.TrailIP, Severity: event.Low, Confidence: 50, Direction: event.Outbound,
			Kind: trails.Address, Observable: "198.51.100.9", Indicator: "198.51.100.9", Trail: "198.51.100.9", Info: "bad reputation", Reference: "feed.test",
			Src: addr("192.0.2.12"), Dst: addr("198.51.100.9"), Protocol: "ICMP"},
		{ID: testID(4), Time: at(1772672400), Type: event.CERT, Code: event.TrailCERT, Severity: event.Medium, Confidence: 50, Direction: event.Inbound,
			Trail: strings.Repeat("ab", 20), Info: "c2 cert", Reference: "feed.test", Src: addr("2001:db8:0:1::1"), SrcPort: 443,
			Dst: addr("2001:db8:1:1:1:1:1:1"), DstPort: 50000, Protocol: "TCP", Application: "tls", TLS: event.TLSFacts{ServerName: "c2.test", SHA1: strings.Repeat("ab", 20)}},
		{ID: testID(5), Time: at(1771234571), Type: event.IP, Code: event.ScanPort, Severity: event.Low, Confidence: 30, Direction: event.Inbound,
			Trail: "192.0.2.12", Info: "potential port scanning", Reference: "(heuristic)", Src: addr("192.0.2.12"), Protocol: "TCP",
			Aggregate: event.Aggregate{ID: testID(3), Summary: true, Count: 97, First: at(1771234571), Last: at(1771234576), SrcPorts: []uint16{1111, 2222},
				DstPorts: []uint16{80, 443}, Dsts: []netip.Addr{addr("9.9.9.9"), addr("2001:db8::1")}, MoreDsts: 2}},
		health,
	}
	for i := range list {
		list[i].Epoch, list[i].Seq = 7, uint64(i+1)
	}
	return list
}

// numbered gives events that differ in their sequence number.
func numbered(from, n int) []event.Event {
	list := make([]event.Event, n)
	kinds := events()
	for i := range list {
		list[i] = kinds[(from+i-1)%len(kinds)]
		list[i].Seq = uint64(from + i)
	}
	return list
}

func newOutput(t testing.TB, k Keys) *Output {
	t.Helper()
	o, err := New(k, Env{Identity: identity(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Close() })
	return o
}
