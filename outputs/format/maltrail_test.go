package format

import (
	"encoding/csv"
	"strings"
	"testing"
	"time"

	"trailhound/agent/event"
)

func TestSafeValue(t *testing.T) {
	for in, want := range map[string]string{
		"lumma (malware)": `"lumma (malware)"`,
		`say "hi"`:        `"say ""hi"""`,
		"\r\n":            `"  "`,
		"a\tb":            "a\tb",
		"":                "-",
		"0":               "0",
		`"`:               `""""`,
		"a,b\\ü":          "a,b\\ü",
		"x\ny":            `"x y"`,
	} {
		if got := string(appendSafe([]byte("x "), in)); got != "x "+want+" " {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

func TestMaltrailLines(t *testing.T) {
	at0 := certEvent()
	at0.Src = addr("::")
	bad := httpEvent()
	bad.Forwarded = "1.2.3.4.5" // T6: kept as text
	broken := dnsEvent()
	broken.Trail = "bad\r\ndomain.test" // T7
	for _, c := range []struct {
		name string
		e    *event.Event
		want string
	}{
		{"dns", dnsEvent(), `"2026-02-16 09:36:07.004200" edge-1 192.0.2.10 51514 198.51.100.53 53 UDP DNS (cdn).bad-domain.test "lumma (malware)" (static)`},
		{"http", httpEvent(), `"2026-02-16 09:36:10.000000" edge-1 192.0.2.11,203.0.113.7 40222 198.51.100.80 80 TCP URL "shop.test(/item?id=1%27 or ""1""=%271)" "potential sql injection (suspicious)" (heuristic)`},
		{"icmp", icmpEvent(), `"2026-02-16 09:36:11.999999" edge-1 192.0.2.12 - 198.51.100.9 - ICMP IP 198.51.100.9 "bad reputation" feed.test`},
		{"port 0", scanEvent(), `"2026-02-16 09:36:12.000001" edge-1 192.0.2.13 - 198.51.100.10 445 TCP PORT 445 "potential infection" (heuristic)`},
		{"summary", summaryEvent(), `"2026-02-16 09:36:11.999999" edge-1 192.0.2.12 1111,2222,3333 10.0.0.1,2001:db8::1,9.9.9.9 80,443 TCP IP 198.51.100.9 "bad reputation" feed.test`},
		{"ipv6", at0, `"2026-02-16 09:36:13.000000" edge-1 ::0 443 2001:0db8:0001:0001:0001:0001:0001:0001 50000 TCP CERT 0123456789abcdef0123456789abcdef01234567 "c2 cert" feed.test`},
		{"no address", bad, `"2026-02-16 09:36:10.000000" edge-1 192.0.2.11,1.2.3.4.5 40222 198.51.100.80 80 TCP URL "shop.test(/item?id=1%27 or ""1""=%271)" "potential sql injection (suspicious)" (heuristic)`},
		{"CR LF", broken, `"2026-02-16 09:36:07.004200" edge-1 192.0.2.10 51514 198.51.100.53 53 UDP DNS "bad  domain.test" "lumma (malware)" (static)`},
		{"nothing", &event.Event{Time: at(0, 0)}, `"1970-01-01 00:00:00.000000" edge-1 - - - - - - - - -`},
	} {
		if got := string(AppendMaltrail(nil, c.e, identity(), time.UTC)); got != c.want+"\n" {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
	zone := time.FixedZone("", 2*3600)
	if got := string(AppendMaltrail(nil, dnsEvent(), identity(), zone)); !strings.HasPrefix(got, `"2026-02-16 11:36:07.004200"`) {
		t.Errorf("not local: %s", got)
	}
}

func FuzzMaltrail(f *testing.F) {
	for _, s := range seeds() {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e := hostile(s)
		e.Retro = event.Retro{}
		line := string(AppendMaltrail(nil, e, hostileIdentity(s), time.UTC))
		if strings.Count(line, "\n") != 1 || strings.Contains(line, "\r") {
			t.Fatalf("not one line: %q", line)
		}
		r := csv.NewReader(strings.NewReader(line))
		r.Comma = ' '
		fields, err := r.Read()
		if err != nil || len(fields) != 11 {
			t.Fatalf("%q: %d fields, %v", line, len(fields), err)
		}
		want := strings.NewReplacer("\r", " ", "\n", " ").Replace(s)
		if want == "" {
			want = "-"
		}
		if fields[8] != want {
			t.Fatalf("trail %q reads back as %q", want, fields[8])
		}
	})
}

func BenchmarkMaltrail(b *testing.B) {
	e, id := dnsEvent(), identity()
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendMaltrail(buf[:0], e, id, time.UTC)
	}
}
