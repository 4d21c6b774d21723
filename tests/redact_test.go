package tests

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"trailhound/agent/detect"
	"trailhound/agent/event"
	"trailhound/outputs/format"
	. "trailhound/tests/corpus"
)

// TestRedactedInEveryFormat: with event.redact no output has a password that a
// request carried, wherever it stood; without, they have it.
func TestRedactedInEveryFormat(t *testing.T) {
	const secret = "hunter2"
	request := func(at int, method, target, body string) Stamped {
		return At(at, IP("10.0.0.5", "198.51.100.80", Data(uint16(50000+at), 80, Request(method, target, []string{"Host: shop.example", "User-Agent: sqlmap/1.8",
			"Cookie: session=" + secret, "Authorization: Basic " + secret, "X-Forwarded-For: 203.0.113.7"}, body))).Ethernet())
	}
	file := caseFile(t, &Case{Frames: []Stamped{
		request(0, "GET", "/x?user=me&password="+secret+"&f=../../../etc/passwd", ""),
		request(1, "POST", "/login", "user=me&pass="+secret+"&f=../../../etc/passwd"),
		request(2, "GET", "http://me:"+secret+"@shop.example/gate.php", ""),
		request(3, "GET", "/gate.php?access_token="+secret, ""),
		request(4, "CONNECT", "me:"+secret+"@shop.example:443", ""),
		request(6, "POST", "/api/login", `{"user":"me' or 1=1 --","password":"`+secret+`"}`),
		request(7, "GET", "/login?next=https%3A%2F%2Fa.example%2Fcb%3Faccess_token%3D"+secret+"%26a%3D1&f=../../../etc/passwd", ""),
		request(5, "GET", "/r?u=http://me:"+secret+"@evil.example/&f=../../../etc/passwd", ""),
	}})
	id := &event.Identity{Name: "edge-1", Hostname: "edge-host", Version: "1.0.0"}
	ecs := format.NewECS(id, format.ECSOptions{})
	formats := map[string]func(e *event.Event) []byte{
		"ecs":          func(e *event.Event) []byte { return ecs.Append(nil, e) },
		"logstash ecs": func(e *event.Event) []byte { return ecs.AppendLogstash(nil, e) },
		"logstash":     func(e *event.Event) []byte { return format.AppendLogstash(nil, e, id) },
		"log server":   func(e *event.Event) []byte { return format.AppendLogServer(nil, e, id, time.UTC) },
		"cef, maltrail": func(e *event.Event) []byte {
			b, _, _ := format.AppendMaltrailCEF(nil, e, id, Start, time.UTC, 8192)
			return b
		},
		"all there is": func(e *event.Event) []byte { return fmt.Appendf(nil, "%+v", *e) },
		"cef in 1 KB": func(e *event.Event) []byte {
			b, _, _ := format.AppendCEFWith(nil, e, id, format.CEFOptions{Size: 1024})
			return b
		},
		"reduced in ecs": func(e *event.Event) []byte {
			b, _, _ := format.AppendWithin(nil, e, 4096, func(b []byte, e *event.Event, _ int) []byte { return ecs.Append(b, e) })
			return b
		},
	}
	for _, name := range format.Names() {
		l, err := format.Named(name, format.Options{Identity: id, Location: time.UTC})
		if err != nil {
			t.Fatal(err)
		}
		formats[name] = func(e *event.Event) []byte { return l.Append(nil, e) }
	}
	for _, redact := range []bool{true, false} {
		rules := detect.NewRules(tableOf(t, "shop.example/gate.php,gate (malware),(static)\n"), nil,
			detect.Options{Heuristics: true, HostDomains: true, Redact: redact, UserAgents: []byte("sqlmap\n")})
		events, _ := replay(t, setup{rules: rules}, file)
		if len(events) < 8 {
			t.Fatalf("redact %v: %d events", redact, len(events))
		}
		for name, encode := range formats {
			told := 0
			for i := range events {
				text := encode(&events[i])
				if len(text) == 0 {
					t.Errorf("%s has no record of %s", name, events[i].Code)
				}
				if bytes.Contains(text, []byte(secret)) {
					if told++; redact {
						t.Errorf("%s, %s: %s", name, events[i].Code, text)
					}
				}
			}
			if !redact && told == 0 {
				t.Errorf("%s never has what is masked otherwise: this shows nothing", name)
			}
		}
	}
}
