package e2e

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"trailhound/agent/event"
)

// hostileTexts are what an attacker might send.
var hostileTexts = []string{"plain.test", `say "hi"`, "a\r\nb", "tab\there", `back\slash`, "p|q=r", "ü 日本 \U0001D11E", "\x00\x1b[31m", "\u2028line",
	strings.Repeat("long/", 200), "<&>'", "CEF:0|x|", " <13>1 - ", `{"create":{}}`, "203.0.113.9, 10.0.0.1"}

// variedEvent makes the n-th event, whose number in a new journal is n+1. All
// that can differ does.
func variedEvent(n int) event.Event {
	text := hostileTexts[n%len(hostileTexts)] + " " + strconv.Itoa(n)
	e := event.Event{Epoch: 4711, Seq: uint64(n + 1), Time: time.Unix(1771234567+int64(n), int64(n%1e6)*1000).UTC(), Type: event.URL, Code: event.HTTPSQLi,
		Severity: event.Severity(n % 4), Confidence: uint8(n % 101), Direction: event.Outbound, Trail: text, Observable: text,
		Info: "potential injection | " + text, Reference: "(heuristic)", Src: netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}),
		SrcPort: uint16(n%65535 + 1), Dst: netip.MustParseAddr("2001:db8::1"), DstPort: 80, Protocol: "TCP",
		HTTP: event.HTTPFacts{Method: "GET", Host: "shop.test", Target: "/" + text, UserAgent: text}, Forwarded: text}
	switch {
	case n%3 == 0:
		e.Type, e.Code, e.Protocol, e.SrcPort, e.DstPort, e.HTTP = event.IP, event.TrailIP, "ICMP", 0, 0, event.HTTPFacts{}
	case n%5 == 0:
		e.Type, e.Code, e.Protocol, e.DstPort, e.HTTP, e.Forwarded = event.DNS, event.TrailDNS, "UDP", 53, event.HTTPFacts{}, ""
	}
	binary.BigEndian.PutUint64(e.ID[8:], uint64(n+1))
	return e
}

// sourceOf is the source as the reference has it: the address that a request was
// forwarded for stands behind it, for requests that are judged by their text alone.
func sourceOf(e *event.Event) string {
	by := e.Forwarded[:len(e.Forwarded)-len(strings.TrimLeft(e.Forwarded, "0123456789."))]
	if e.Code != event.HTTPSQLi || by == "" {
		return e.Src.String()
	}
	return e.Src.String() + "," + by
}

// variedEvents makes the events [from, to).
func variedEvents(from, to int) []event.Event {
	list := make([]event.Event, 0, to-from)
	for n := from; n < to; n++ {
		list = append(list, variedEvent(n))
	}
	return list
}

// edge is who sends the events.
func edge() *event.Identity {
	return &event.Identity{Name: "edge-1", ID: "0198c3f2-a1b0-4c10-8000-000000000001", Hostname: "edge-host", Version: "1.0.0",
		Labels: map[string]string{"site": "berlin"}}
}

// times is how often each event arrived, by its number.
type times map[uint64]int

// check wants the numbers 1 to last and no others, and gives how many came more
// than once.
func (m times) check(t testing.TB, last int) (twice int) {
	t.Helper()
	missing, first := m.missing(last)
	if missing > 0 {
		t.Errorf("%d of %d events are missing, the first is %d", missing, last, first)
	}
	for seq, n := range m {
		if seq == 0 || seq > uint64(last) {
			t.Errorf("event %d was never sent", seq)
		}
		if n > 1 {
			twice++
		}
	}
	return twice
}

func (m times) missing(last int) (n int, first uint64) {
	for seq := uint64(last); seq > 0; seq-- {
		if m[seq] == 0 {
			n, first = n+1, seq
		}
	}
	return n, first
}

// dig follows a dotted path; absent is nil.
func dig(doc map[string]any, path string) any {
	var v any = doc
	for _, name := range strings.Split(path, ".") {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	return v
}

// decodeNumbers decodes an object with its numbers as they are written.
func decodeNumbers(line string) (doc map[string]any, err error) {
	d := json.NewDecoder(strings.NewReader(line))
	d.UseNumber()
	return doc, d.Decode(&doc)
}

// sameFields compares a document with what the event says, not with what the
// encoder makes of it.
func sameFields(t testing.TB, doc map[string]any, e *event.Event, compat bool) {
	t.Helper()
	label := map[event.Severity]string{event.Info: "info", event.Low: "low", event.Medium: "medium", event.High: "high"}[e.Severity]
	port := func(n uint16, none any) any {
		if n == 0 {
			return none
		}
		return json.Number(strconv.Itoa(int(n)))
	}
	src := sourceOf(e)
	var want map[string]any
	if compat {
		want = map[string]any{"timestamp": json.Number(strconv.FormatInt(e.Time.Unix(), 10)), "sensor": "edge-host", "severity": label, "src_ip": src,
			"src_port": port(e.SrcPort, "-"), "dst_ip": "2001:db8::1", "dst_port": port(e.DstPort, "-"), "proto": e.Protocol, "type": string(e.Type),
			"trail": e.Trail, "info": e.Info, "reference": e.Reference}
		if len(doc) != len(want) {
			t.Errorf("event %d has %d keys", e.Seq, len(doc))
		}
	} else {
		want = map[string]any{"@timestamp": e.Time.Format("2006-01-02T15:04:05.000000Z"), "event.id": event.IDString(e.ID),
			"event.sequence": json.Number(strconv.Itoa(int(e.Seq))), "event.code": string(e.Code), "event.reason": e.Info, "trailhound.epoch": fmt.Sprintf("%016x", e.Epoch),
			"trailhound.severity": label, "trailhound.confidence": json.Number(strconv.Itoa(int(e.Confidence))), "trailhound.trail": e.Trail,
			"trailhound.observable": e.Observable, "trailhound.reference": e.Reference, "trailhound.type": string(e.Type), "source.ip": e.Src.String(),
			"source.address": e.Src.String(), "source.port": port(e.SrcPort, nil), "destination.ip": "2001:db8::1", "destination.port": port(e.DstPort, nil),
			"network.transport": strings.ToLower(e.Protocol), "network.direction": "outbound", "observer.name": "edge-1",
			"host.name": "edge-host", "labels.site": "berlin", "data_stream.dataset": "trailhound.event"}
		if e.HTTP.UserAgent != "" {
			want["user_agent.original"], want["http.request.method"] = e.HTTP.UserAgent, "GET"
		}
		if e.Forwarded != "" { // of any request, as sent
			want["trailhound.forwarded"] = e.Forwarded
		}
	}
	for path, w := range want {
		if got := dig(doc, path); got != w {
			t.Errorf("event %d: %s is %.200q, want %.200q", e.Seq, path, fmt.Sprint(got), fmt.Sprint(w))
		}
	}
}
