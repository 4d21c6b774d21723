package format

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"trailhound/agent/event"
)

// golden compares with a file, or writes it when -update is given.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("not as in %s:\n%s", file, got)
	}
}

// roughEvents are the fixed set of golden files: the reference's four, and
// those that break encoders.
func roughEvents() []*event.Event {
	rough := httpEvent()
	rough.Trail = "a|b=c \"q\"\\\r\n\x00\x7f\t\xff ü 日本 \U0001D11E \u2028 <&>"
	return []*event.Event{dnsEvent(), httpEvent(), icmpEvent(), scanEvent(), certEvent(), summaryEvent(), rough,
		healthEvent(), recoveredEvent(), heartbeatEvent()}
}

// The two lines that the reference's documentation of the payload gives.
func TestLogstashIsTheReferences(t *testing.T) {
	for _, c := range []struct {
		e    *event.Event
		want string
	}{
		{dnsEvent(), `{"timestamp": 1771234567, "sensor": "edge-host", "severity": "high", "src_ip": "192.0.2.10", "src_port": 51514, "dst_ip": "198.51.100.53", "dst_port": 53, "proto": "UDP", "type": "DNS", "trail": "(cdn).bad-domain.test", "info": "lumma (malware)", "reference": "(static)"}`},
		{icmpEvent(), `{"timestamp": 1771234571, "sensor": "edge-host", "severity": "low", "src_ip": "192.0.2.12", "src_port": "-", "dst_ip": "198.51.100.9", "dst_port": "-", "proto": "ICMP", "type": "IP", "trail": "198.51.100.9", "info": "bad reputation", "reference": "feed.test"}`},
	} {
		if got := string(AppendLogstash([]byte("x"), c.e, identity())); got != "x"+c.want {
			t.Errorf("got  %s\nwant %s", got[1:], c.want)
		}
	}
}

func TestLogstashGolden(t *testing.T) {
	var compat []byte
	prod := NewECS(fullIdentity(), ECSOptions{Namespace: "prod"})
	for _, e := range roughEvents() {
		compat = append(AppendLogstash(compat, e, fullIdentity()), '\n')
		got := prod.AppendLogstash([]byte("x"), e)
		want := `x{"@version":"1",` + string(prod.Append(nil, e)[1:])
		if string(got) != want {
			t.Errorf("ECS is not that of the other outputs with @version: %s", got)
		}
	}
	golden(t, "logstash/compat.jsonl", compat)
}

func TestLogstashTypes(t *testing.T) {
	word := scanEvent()
	word.Trail = "007"
	one := summaryEvent()
	one.Aggregate.SrcPorts, one.Aggregate.DstPorts, one.Aggregate.Dsts = []uint16{7}, nil, nil
	unknown := dnsEvent()
	unknown.Src, unknown.SrcPort = event.Event{}.Src, 0
	for _, c := range []struct {
		name string
		e    *event.Event
		want string
	}{
		{"T3: no port of TCP", scanEvent(), `"src_port": 0, "dst_ip": "198.51.100.10", "dst_port": 445, "proto": "TCP", "type": "PORT", "trail": 445,`},
		{"no number", word, `"type": "PORT", "trail": "007",`},
		{"summary", summaryEvent(), `"src_port": "1111,2222,3333", "dst_ip": "10.0.0.1,2001:db8::1,9.9.9.9", "dst_port": "80,443",`},
		{"lists of one", one, `"src_port": 7, "dst_ip": "198.51.100.9", "dst_port": 80,`},
		{"forwarded", httpEvent(), `"src_ip": "192.0.2.11,203.0.113.7", "src_port": 40222,`},
		{"no address", unknown, `"src_ip": "-", "src_port": 0,`},
		{"health", healthEvent(), `"severity": "medium", "type": "HEALTH", "code": "health.capture.drops", "state": "raised", "cause": "eth1",`},
	} {
		if got := string(AppendLogstash(nil, c.e, identity())); !strings.Contains(got, c.want) {
			t.Errorf("%s: %s has no %s", c.name, got, c.want)
		}
	}
}

// Literal results of Python's json.dumps.
func TestASCIIAsPython(t *testing.T) {
	for in, want := range map[string]string{
		"a/b<&>'":           `a/b<&>'`,
		"\"\\":              `\"\\`,
		"\b\f\n\r\t":        `\b\f\n\r\t`,
		"\x00\x1b\x7f":      `\u0000\u001b\u007f`,
		"ü日\u2028\uffff":    `\u00fc\u65e5\u2028\uffff`,
		"x\U0001D11E y":     `x\ud834\udd1e y`,
		"\U00010000":        `\ud800\udc00`,
		"\U0010FFFF":        `\udbff\udfff`,
		"\xff\xe6\x97z\x80": `\ufffd\ufffd\ufffdz\ufffd`,
		"":                  "",
	} {
		if got := string(appendASCII(nil, in)); got != want {
			t.Errorf("%q becomes %s, want %s", in, got, want)
		}
	}
}

// skeleton is what remains of a compat object without its values.
var (
	quotedText = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
	skeleton   = `{S: N, S: S, S: S, S: S, S: V, S: S, S: V, S: S, S: S, S: V, S: S, S: S}`
)

// members reads an object with a decoder that is not the encoder's and gives
// keys and values in order.
func members(t testing.TB, doc []byte) (keys []string, values map[string]any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	if tok, err := d.Token(); err != nil || tok != json.Delim('{') {
		t.Fatalf("%v, %v in %q", tok, err, doc)
	}
	values = make(map[string]any)
	for d.More() {
		key, err := d.Token()
		if err != nil {
			t.Fatalf("%v in %q", err, doc)
		}
		var v any
		if err := d.Decode(&v); err != nil {
			t.Fatalf("%v in %q", err, doc)
		}
		keys = append(keys, key.(string))
		values[key.(string)] = v
	}
	return keys, values
}

func FuzzLogstash(f *testing.F) {
	for _, s := range seeds() {
		f.Add(s, uint16(80))
	}
	f.Add("445", uint16(0))
	f.Fuzz(func(t *testing.T, s string, port uint16) {
		id := hostileIdentity(s)
		want := string([]rune(s)) // each invalid byte is U+FFFD
		e := hostile(s)
		e.SrcPort, e.DstPort = port, port
		e.Aggregate, e.Retro, e.Code = event.Aggregate{}, event.Retro{}, event.HTTPSQLi
		doc := AppendLogstash(nil, e, id)
		for _, c := range doc {
			if c < ' ' || c > '~' {
				t.Fatalf("byte %#x in %q", c, doc)
			}
		}
		keys, v := members(t, doc)
		if got := strings.Join(keys, " "); got != "timestamp sensor severity src_ip src_port dst_ip dst_port proto type trail info reference" {
			t.Fatalf("keys are %s", got)
		}
		shape := quotedText.ReplaceAllString(string(doc), "S")
		if !regexp.MustCompile("^" + strings.NewReplacer("{", `\{`, "}", `\}`, "N", `-?\d+`, "V", `(S|\d+)`).Replace(skeleton) + "$").MatchString(shape) {
			t.Fatalf("shape is %s", shape)
		}
		src := "192.0.2.10"
		if e.ForwardedSource() != "" {
			src += "," + e.ForwardedSource()
		}
		for key, w := range map[string]string{"sensor": want, "src_ip": src, "dst_ip": "198.51.100.53", "proto": want, "type": want,
			"trail": want, "info": want, "reference": want, "timestamp": "1771234567", "severity": "high"} {
			if got := fmt.Sprint(v[key]); got != w {
				t.Fatalf("%s is %q, want %q", key, got, w)
			}
		}
		if got := fmt.Sprint(v["dst_port"]); got != fmt.Sprint(port) && !(port == 0 && got == "-") {
			t.Fatalf("dst_port is %s, want %d", got, port)
		}
		e.Type = event.PORT
		if _, v := members(t, AppendLogstash(nil, e, id)); fmt.Sprint(v["trail"]) != want {
			t.Fatalf("trail of PORT is %v, want %q", v["trail"], want)
		}
		e.Code = event.HealthCaptureDrops
		if _, v := members(t, AppendLogstash(nil, e, id)); v["cause"] != want || v["info"] != want {
			t.Fatalf("health event: %v", v)
		}
		ecs := NewECS(id, ECSOptions{}).AppendLogstash(nil, hostile(s))
		if m := object(t, ecs); m["@version"] != "1" || get(m, "trailhound.trail") != want || bytes.ContainsAny(ecs, "\r\n") {
			t.Fatalf("ECS: %s", ecs)
		}
	})
}

func BenchmarkLogstash(b *testing.B) {
	e, id := dnsEvent(), identity()
	var buf []byte
	b.Run("compat", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			buf = AppendLogstash(buf[:0], e, id)
		}
		b.SetBytes(int64(len(buf)))
	})
	b.Run("ecs", func(b *testing.B) {
		ecs := NewECS(id, ECSOptions{})
		b.ReportAllocs()
		for b.Loop() {
			buf = ecs.AppendLogstash(buf[:0], e)
		}
		b.SetBytes(int64(len(buf)))
	})
}
