package e2e

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"trailhound/agent/event"
	"trailhound/outputs"
	"trailhound/outputs/logstash"
	"trailhound/outputs/syslog"
)

// attacks are texts that are to break a line, a field, a frame or a document.
// Events are made of cleaned text of bounded length; the outputs do not rely on
// it.
var attacks = []string{
	"a\nb", "a\r\nb", "\n", "a\rb", `"`, `say "hi" 'there'`, "|", "a|b|c", "=", "a=b src=6.6.6.6 cn3=1", `\`, `\n\=\|`, "\x00", "a\x00b", "\x1b[2J\x07", "\x7f", "\u0085\u009b",
	"\xff\xfe", "ok\x80ok", "\xed\xa0\x80", "\xc3", "\u2028\u2029", "\ufeff", "日本 \U0001D11E", "\t",
	"\n<165>1 2026-01-01T00:00:00Z forged forged - - - CEF:0|forged|", "9 <13>forged", "<13>forged", "CEF:0|forged|", "- - - [id@1 a=\"b\"]",
	"\"}}\n{\"event\":{\"sequence\":1}}", `{"create":{}}`, "#012", "%s%n", "@cee:{}",
	strings.Repeat("/long", 64<<10/5), strings.Repeat("=|\\\"\n\x00\xff ", 64<<10/8), strings.Repeat("\U0001D11E", 64<<10/4), strings.Repeat("x", 1300) + "\n|=",
}

// attackEvent puts the n-th text wherever an attacker's text goes.
func attackEvent(n int) event.Event {
	e := event.Event{Seq: uint64(n + 1), Time: time.Unix(1771234567, 0).UTC(), Type: event.URL, Code: event.HTTPSQLi, Severity: event.Medium, Confidence: 30,
		Direction: event.Inbound, Src: netip.MustParseAddr("192.0.2.1"), SrcPort: 50000, Dst: netip.MustParseAddr("2001:db8::1"), DstPort: 80, Protocol: "TCP"}
	text := attacks[n]
	e.Trail, e.Observable, e.Info, e.Reference, e.Forwarded = text, text, text, text, text
	e.HTTP = event.HTTPFacts{Method: text, Host: text, Target: "/" + text, UserAgent: text}
	e.ID[15] = byte(n + 1)
	return e
}

// readBack says whether a value is the text as a receiver may get it: bytes that
// are no UTF-8 are replaced, controls are as clean says, and the end may be cut
// off.
func readBack(got string, n int, clean func(string) string) bool {
	var b strings.Builder
	for _, r := range attacks[n] {
		b.WriteRune(r) // RuneError for each byte that is no UTF-8
	}
	want := clean(b.String())
	if len(want) > 1000 { // shortening cleans, too
		got, want = strings.Map(visible, got), strings.Map(visible, want)
	}
	if !utf8.ValidString(got) {
		return false
	}
	short := strings.TrimSuffix(got, event.TruncatedMark)
	return got == want || len(want) > 1000 && strings.HasPrefix(want, short)
}

// visible drops what cleaning may change.
func visible(r rune) rune {
	if unicode.IsControl(r) || r == ' ' {
		return -1
	}
	return r
}

// TestHostileTextSyslog: each event is one message with its own fields, whatever
// an attacker has put into them, over every transport into real daemons.
func TestHostileTextSyslog(t *testing.T) {
	for name, r := range map[string]*syslogReceiver{"rsyslog": startRsyslog(t), "syslog-ng": startSyslogNG(t)} {
		ways := map[string]syslog.Keys{
			"tcp newline": {Address: "tcp://" + r.address("lines")},
			"tcp counted": {Address: "tcp://" + r.address("tcp"), Framing: "octet-counting", RFC: "5424"},
			"tls":         {Address: "tls://" + r.address("tls")},
			"udp 5424":    {Address: "udp://" + r.address("udp"), RFC: "5424"},
		}
		if name == "rsyslog" {
			ways["tcp newline"] = syslog.Keys{Address: "tcp://" + r.address("tcp")}
			ways["udp go-syslog"] = syslog.Keys{Address: "udp://" + r.address("udp")}
			ways["unix"] = syslog.Keys{Address: "unix://" + r.socket()}
		}
		for way, k := range ways {
			for _, format := range []string{"cef", "json"} {
				t.Run(name+"/"+way+"/"+format, func(t *testing.T) {
					k := k
					if k.Format = format; way == "tls" {
						k.TLS.CA = r.certificate()
					}
					before := r.written()
					o := newSyslog(t, k)
					sendAttacks(t, o)
					if err := o.Close(); err != nil {
						t.Error(err)
					}
					r.until("the messages arrive", func() bool { return r.written() >= before+len(attacks) })
					r.settles()
					seen := make(times)
					all := r.messages()[before:]
					for i := range all {
						seen[attackIn(t, &all[i], format)]++
					}
					if twice := seen.check(t, len(attacks)); twice > 0 || len(all) != len(attacks) {
						t.Errorf("%d messages of %d events", len(all), len(attacks))
					}
				})
			}
		}
	}
}

// attackIn checks a message and gives its number.
func attackIn(t *testing.T, m *syslogMessage, format string) (seq uint64) {
	t.Helper()
	if m.App != "trailhound" || m.Pri != "164" || m.Pid != fmt.Sprint(os.Getpid()) {
		t.Errorf("forged: %.500q", *m)
	}
	if format == "json" {
		doc, err := decodeNumbers(m.Msg)
		if err != nil {
			t.Fatalf("%v in %.500q", err, m.Msg)
		}
		return attackInDocument(t, doc)
	}
	header, keys, err := readCEF(m.Msg)
	if err != nil {
		t.Fatalf("%v in %.500q", err, m.Msg)
	}
	if _, err := fmt.Sscan(keys["cn3"], &seq); err != nil || seq < 1 || seq > uint64(len(attacks)) {
		t.Fatalf("%v in %.500q", err, m.Msg)
	}
	n := int(seq - 1)
	e := attackEvent(n)
	if header[0] != "Trailhound" || header[3] != string(e.Code) || keys["src"] != "192.0.2.1" || keys["externalId"] != event.IDString(e.ID) || strings.ContainsAny(m.Msg, "\r\n\x00") {
		t.Errorf("attack %d: %q %q", n, header, keys)
	}
	for _, key := range []string{"cs1", "cs4", "requestClientApplication", "msg"} {
		if value, ok := keys[key]; ok && !readBack(value, n, cleanText) {
			t.Errorf("attack %q: %s is %.300q", attacks[n][:min(len(attacks[n]), 40)], key, value)
		}
	}
	return seq
}

// attackInDocument checks an ECS document and gives its number.
func attackInDocument(t *testing.T, doc map[string]any) (seq uint64) {
	t.Helper()
	number, _ := dig(doc, "event.sequence").(json.Number)
	n64, err := number.Int64()
	n := int(n64 - 1)
	if err != nil || n < 0 || n >= len(attacks) {
		t.Fatalf("%v in %.500q", err, doc)
	}
	e := attackEvent(n)
	for path, want := range map[string]any{"event.id": event.IDString(e.ID), "event.code": string(e.Code), "source.ip": "192.0.2.1", "trailhound.severity": "medium"} {
		if got := dig(doc, path); got != want {
			t.Errorf("attack %d: %s is %.300q", n, path, fmt.Sprint(got))
		}
	}
	for _, path := range []string{"trailhound.trail", "trailhound.observable", "trailhound.reference", "event.reason", "user_agent.original"} {
		if got := dig(doc, path); got != nil && !readBack(fmt.Sprint(got), n, func(s string) string { return s }) {
			t.Errorf("attack %q: %s is %.300q", attacks[n][:min(len(attacks[n]), 40)], path, fmt.Sprint(got))
		}
	}
	return uint64(n + 1)
}

// sendAttacks hands all of them over.
func sendAttacks(t *testing.T, o outputs.Output) {
	t.Helper()
	batch := make([]event.Event, len(attacks))
	for n := range batch {
		batch[n] = attackEvent(n)
	}
	r, err := o.Send(t.Context(), batch)
	for n, outcome := range r.Outcomes {
		if outcome != outputs.Delivered {
			t.Errorf("attack %d: %v %q: %v", n, outcome, r.Reasons[n], err)
		}
	}
}

// TestHostileTextLogstash: each event is one document, over every transport.
func TestHostileTextLogstash(t *testing.T) {
	r := startJSONReceiver(t)
	for name, k := range map[string]logstash.Keys{
		"tcp": {Addresses: []string{r.address("tcp")}},
		"tls": {Addresses: []string{"tls://" + r.address("tls")}},
		"udp": {Addresses: []string{r.address("udp")}, Protocol: "udp"},
	} {
		for _, profile := range []string{"ecs", "compat"} {
			t.Run(name+"/"+profile, func(t *testing.T) {
				k := k
				if k.Profile = profile; name == "tls" {
					k.TLS.CA = r.certificate()
				}
				before := r.written()
				o := newLogstash(t, k)
				sendAttacks(t, o)
				if err := o.Close(); err != nil {
					t.Error(err)
				}
				r.until("the lines arrive", func() bool { return r.written() >= before+len(attacks) })
				r.settles()
				n := 0
				seen := make(times)
				r.eachDocument(func(doc map[string]any) bool {
					if n++; n <= before {
						return true
					}
					if profile == "ecs" {
						seen[attackInDocument(t, doc)]++
						return true
					}
					i := n - before - 1 // in order, and in no other way to be told apart
					for _, key := range []string{"trail", "info", "reference"} {
						if got, _ := doc[key].(string); !readBack(got, i, func(s string) string { return s }) {
							t.Errorf("attack %q: %s is %.300q", attacks[i][:min(len(attacks[i]), 40)], key, got)
						}
					}
					if doc["src_port"] != json.Number("50000") || len(doc) != 12 {
						t.Errorf("forged: %.500q", doc)
					}
					seen[uint64(i+1)]++
					return true
				})
				seen.check(t, len(attacks))
			})
		}
	}
	t.Run("lumberjack", func(t *testing.T) {
		r := startLumberReceiver(t, false)
		r.compare = func(doc map[string]any, _ uint64) { attackInDocument(t, doc) }
		o := newLogstash(t, logstash.Keys{Protocol: "lumberjack", Addresses: []string{r.address()}})
		sendAttacks(t, o)
		o.Close()
		r.stop(0)
		if twice := r.seen.check(t, len(attacks)); twice > 0 {
			t.Errorf("%d came twice", twice)
		}
	})
}
