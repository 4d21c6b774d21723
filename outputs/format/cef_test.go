package format

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"trailhound/agent/event"
	"trailhound/trails"
)

// nextKey finds where a value ends: before a space and the next key. It is the
// grammar of the common CEF readers, written down independently of the writer.
var nextKey = regexp.MustCompile(` ([A-Za-z0-9]+)=`)

// parseCEF reads a record back: the seven header fields and the extension.
func parseCEF(line string) (header []string, ext map[string]string, err error) {
	if !utf8.ValidString(line) {
		return nil, nil, errors.New("not UTF-8")
	}
	rest, ok := strings.CutPrefix(line, "CEF:0|")
	if !ok {
		return nil, nil, errors.New("does not begin with CEF:0|")
	}
	var field strings.Builder
	for len(header) < 6 {
		if rest == "" {
			return nil, nil, errors.New("header ends early")
		}
		switch {
		case rest[0] == '\\':
			if len(rest) < 2 || rest[1] != '\\' && rest[1] != '|' {
				return nil, nil, fmt.Errorf("bad escape in the header: %q", rest)
			}
			field.WriteByte(rest[1])
			rest = rest[2:]
		case rest[0] == '|':
			header = append(header, field.String())
			field.Reset()
			rest = rest[1:]
		case rest[0] < 0x20:
			return nil, nil, fmt.Errorf("control in the header: %q", rest)
		default:
			field.WriteByte(rest[0])
			rest = rest[1:]
		}
	}
	ext = make(map[string]string)
	for rest != "" {
		key, value, ok := strings.Cut(rest, "=")
		if !ok || key == "" || strings.ContainsAny(key, ` \|`) {
			return nil, nil, fmt.Errorf("no key: %q", rest)
		}
		rest = ""
		if m := nextKey.FindStringIndex(value); m != nil {
			value, rest = value[:m[0]], value[m[0]+1:]
		}
		if _, dup := ext[key]; dup {
			return nil, nil, fmt.Errorf("key %s twice", key)
		}
		if ext[key], err = unescapeCEF(value); err != nil {
			return nil, nil, err
		}
	}
	return header, ext, nil
}

func unescapeCEF(v string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(v); i++ {
		switch {
		case v[i] == '=' || v[i] < 0x20:
			return "", fmt.Errorf("bare %q in value %q", v[i], v)
		case v[i] != '\\':
			b.WriteByte(v[i])
			continue
		}
		i++
		if i == len(v) {
			return "", fmt.Errorf("value ends in an escape: %q", v)
		}
		switch v[i] {
		case '\\', '=':
			b.WriteByte(v[i])
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		default:
			return "", fmt.Errorf("unknown escape in %q", v)
		}
	}
	return b.String(), nil
}

func TestCEFEscaping(t *testing.T) { // T1
	for _, c := range []struct{ raw, header, value string }{
		{`a\b`, `a\\b`, `a\\b`},
		{`x|y`, `x\|y`, `x|y`},
		{`k=v`, `k=v`, `k\=v`},
		{"l1\nl2", `l1 l2`, `l1\nl2`},
		{`p q=r`, `p q=r`, `p q\=r`},
		{`x|y=z\w`, `x\|y=z\\w`, `x|y\=z\\w`},
		{"a\rb", "a b", `a\rb`},
		{"a\tb\x00\u0085\x7f", "a b", "a b"},
		{"\xff", "\uFFFD", "\uFFFD"},
	} {
		if got := string(appendCEFHeader(nil, c.raw, 100)); got != c.header {
			t.Errorf("header %q: %s, want %s", c.raw, got, c.header)
		}
		if got := string(appendCEFValue(nil, c.raw, 100)); got != c.value {
			t.Errorf("value %q: %s, want %s", c.raw, got, c.value)
		}
	}
	if got := string(appendCEFValue(nil, "==日本", 3)); got != `\=\=日` {
		t.Errorf("the limit counts %q", got)
	}
}

func TestCEFLine(t *testing.T) {
	const want = `CEF:0|Trailhound|Trailhound|1.0.0|http.sqli|potential sql injection (suspicious)|5|rt=1771234570000 src=192.0.2.11 spt=40222 ` +
		`dst=198.51.100.80 dpt=80 proto=TCP app=HTTP act=alert cat=heuristic cnt=1 externalId=0198c3f2-a1b0-7c10-8000-000000000002 ` +
		`deviceExternalId=edge-1 dvchost=edge-host trailhoundDirection=external dhost=shop.test request=http://shop.test/item?id\=1%27 or "1"\=%271 requestMethod=GET ` +
		`requestClientApplication=curl/8 cs1Label=trail cs1=shop.test(/item?id\=1%27 or "1"\=%271) cs2Label=reference cs2=(heuristic) ` +
		`cs3Label=trailType cs3=URL cs4Label=forwardedFor cs4=203.0.113.7 cs5Label=communityId cs5=1:JJayO27lzJEfl0R+P5GC0GPuNyk\= flexNumber1Label=confidence flexNumber1=30 msg=potential sql injection (suspicious)`
	if got := string(AppendCEF(nil, httpEvent(), identity())); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestCEFValues(t *testing.T) {
	check := func(name string, e *event.Event, want map[string]string) {
		t.Helper()
		_, got, err := parseCEF(string(AppendCEF(nil, e, identity())))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for key, v := range want {
			if have, ok := got[key]; have != v || ok != (v != "") {
				t.Errorf("%s: %s is %q, want %q", name, key, have, v)
			}
		}
	}
	check("T2", icmpEvent(), map[string]string{"spt": "", "dpt": "", "cs4": "", "cs4Label": ""})
	check("T3", scanEvent(), map[string]string{"spt": "", "dpt": "445"})
	sinkholed := dnsEvent() // an answer: what stands at dst asked for the name, and is not it
	sinkholed.Code, sinkholed.Kind, sinkholed.Src, sinkholed.Dst = event.DNSSinkholed, trails.Invalid, addr("8.8.8.8"), addr("10.0.0.66")
	sinkholed.Direction = event.Internal
	check("answer", sinkholed, map[string]string{"dhost": "", "shost": "", "destinationDnsDomain": "cdn.bad-domain.test", "deviceDirection": "", "trailhoundDirection": "internal"})
	check("retro", retroEvent(), map[string]string{"dhost": "", "destinationDnsDomain": "bad-domain.test"})
	v6 := icmpEvent()
	v6.Trail = "2606:2800:0220:0001:0248:1893:25c8:1946 (a.test)"
	check("RFC 5952", v6, map[string]string{"cs1": "2606:2800:220:1:248:1893:25c8:1946 (a.test)"})
	check("http", httpEvent(), map[string]string{"dhost": "shop.test", "destinationDnsDomain": "", "trailhoundDirection": "external"})
	check("dns", dnsEvent(), map[string]string{"dhost": "", "destinationDnsDomain": "cdn.bad-domain.test", "trailhoundDirection": "outbound", "app": "DNS", "deviceDirection": "1", "cat": "trail"})
	check("cert", certEvent(), map[string]string{"shost": "c2.test", "dhost": "", "src": "2001:db8:0:1::1", "c6a2": "2001:db8:0:1::1",
		"c6a2Label": "Source IPv6 Address", "c6a3": "2001:db8:1:1:1:1:1:1", "fileHash": "0123456789abcdef0123456789abcdef01234567", "deviceDirection": "0"})
	check("summary", summaryEvent(), map[string]string{"cnt": "97", "start": "1771234571000", "end": "1771234576000", "spt": "1111",
		"cs5": "1111,2222,3333", "cs6": "9.9.9.9,10.0.0.1,2001:db8::1", "flexString1": "80,443"})
	check("flow", dnsEvent(), map[string]string{"cs5Label": "communityId", "cs5": "1:m/8fa5N18Low3BexDP2W0dZckHA=", "outcome": "", "flexNumber2": ""})
	full := fullEvent()
	full.Outcome, full.DNS.RCode = event.Refused, 5
	check("full", full, map[string]string{"cs5Label": "sourcePorts", "outcome": "failure", "flexNumber2Label": "dnsResponseCode", "flexNumber2": "5",
		"deviceCustomDate1Label": "retroFirst", "deviceCustomDate1": "1771200000000", "deviceCustomDate2Label": "retroLast", "deviceCustomDate2": "1771203600000"})
	e := httpEvent()
	e.Forwarded, e.Trail = "1.2.3.4.5", "a\r\nb"
	check("T6, T7", e, map[string]string{"cs4": "1.2.3.4.5", "cs1": "a\r\nb", "src": "192.0.2.11"})
	e.Trail = strings.Repeat("=ü", 4500)
	check("T8", e, map[string]string{"cs1": strings.Repeat("=ü", 2000)})
	e.HTTP.Target = "/" + strings.Repeat("x", 2000)
	check("long request", e, map[string]string{"request": "http://shop.test/" + strings.Repeat("x", 1023-len("http://shop.test/"))})
}

func FuzzCEF(f *testing.F) {
	for _, s := range seeds() {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e := hostile(s)
		if len(s)%2 == 1 {
			e.Aggregate.SrcPorts = nil // cs5 is the flow's id then
		}
		line := string(AppendCEF(nil, e, hostileIdentity(s)))
		if strings.ContainsAny(line, "\r\n\x00") {
			t.Fatalf("not one line: %q", line)
		}
		header, ext, err := parseCEF(line)
		if err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		if len(header) != 6 || header[0] != Vendor || header[5] != "8" {
			t.Fatalf("header %q", header)
		}
		want := strings.Map(func(r rune) rune {
			switch {
			case r == '\t':
				return ' '
			case r != '\n' && r != '\r' && (r < 0x20 || r >= 0x7F && r < 0xA0):
				return -1
			}
			return r
		}, eachInvalidByte(s))
		if utf8.RuneCountInString(want) <= cefCustom && ext["cs1"] != want {
			t.Fatalf("trail %q reads back as %q", want, ext["cs1"])
		}
	})
}

func eachInvalidByte(s string) string { return string([]rune(s)) }

func BenchmarkCEF(b *testing.B) {
	e, id := httpEvent(), identity()
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendCEF(buf[:0], e, id)
	}
}
