package format

import (
	"encoding/csv"
	"slices"
	"strings"
	"testing"

	"trailhound/agent/event"
)

// readCSV reads a header and one record back by column.
func readCSV(t *testing.T, record []byte) map[string]string {
	t.Helper()
	if strings.Count(string(record), "\n") != 1 {
		t.Fatalf("not one line: %q", record)
	}
	all, err := csv.NewReader(strings.NewReader(string(AppendCSVHeader(nil)) + string(record))).ReadAll()
	if err != nil {
		t.Fatalf("%v in %q", err, record)
	}
	m := make(map[string]string)
	for i, name := range all[0] {
		m[name] = all[1][i]
	}
	return m
}

func TestCSVHeaderBeginsAsPromised(t *testing.T) {
	const first = "time,sensor,src_ip,src_port,dst_ip,dst_port,protocol,type,trail,info,reference," +
		"severity,confidence,direction,code,count,first_seen,last_seen,event_id,epoch,seq,forwarded_ip,url,user_agent,dns_query,"
	if got := string(AppendCSVHeader(nil)); !strings.HasPrefix(got, first) {
		t.Errorf("header is %s", got)
	}
}

func TestCSVValues(t *testing.T) {
	check := func(name string, e *event.Event, want map[string]string) {
		t.Helper()
		got := readCSV(t, AppendCSV(nil, e, identity()))
		for column, v := range want {
			if got[column] != v {
				t.Errorf("%s: %s is %q, want %q", name, column, got[column], v)
			}
		}
	}
	check("dns", dnsEvent(), map[string]string{"time": "2026-02-16T09:36:07.004200Z", "sensor": "edge-1", "src_ip": "192.0.2.10",
		"src_port": "51514", "trail": "(cdn).bad-domain.test", "severity": "high", "confidence": "90", "code": "trail.dns", "count": "1",
		"first_seen": "2026-02-16T09:36:07.004200Z", "last_seen": "2026-02-16T09:36:07.004200Z", "epoch": "", "seq": "",
		"event_id": "0198c3f2-a1b0-7c10-8000-000000000001", "dns_query": "cdn.bad-domain.test", "url": "", "summary": ""})
	check("http", httpEvent(), map[string]string{"src_ip": "192.0.2.11,203.0.113.7", "forwarded_ip": "203.0.113.7",
		"url": `http://shop.test/item?id=1%27 or "1"=%271`, "user_agent": "curl/8"})
	check("icmp", icmpEvent(), map[string]string{"src_port": "-", "dst_port": "-", "protocol": "ICMP"}) // T2
	check("port 0", scanEvent(), map[string]string{"src_port": "-", "dst_port": "445"})                 // T3
	check("ipv6", certEvent(), map[string]string{"src_ip": "2001:db8:0:1::1", "dst_ip": "2001:0db8:0001:0001:0001:0001:0001:0001"})
	check("summary", summaryEvent(), map[string]string{"count": "97", "first_seen": "2026-02-16T09:36:11.000000Z",
		"last_seen": "2026-02-16T09:36:16.000005Z", "src_ports": "1111,2222,3333", "dst_ports": "80,443",
		"dst_ips": "10.0.0.1,2001:db8::1,9.9.9.9", "summary": "true", "src_port": "1111"})
	full := fullEvent()
	check("full", full, map[string]string{"epoch": "fedcba9876543210", "seq": "42", "vlan": "10,20", "packet": "7",
		"retro_first": "2026-02-16T00:00:00.000000Z", "retro_last": "2026-02-16T01:00:00.000000Z"})
	bad := httpEvent()
	bad.Forwarded = "1.2.3.4.5"
	check("T6", bad, map[string]string{"src_ip": "192.0.2.11,1.2.3.4.5", "forwarded_ip": ""})
	bad.Trail = "bad\r\ndomain\x00.test"
	check("T7", bad, map[string]string{"trail": "baddomain.test"})
	bad.Trail = strings.Repeat("ü", 4500)
	check("T8", bad, map[string]string{"trail": bad.Trail})
	check("nothing", &event.Event{}, map[string]string{"src_ip": "-", "dst_ip": "-", "src_port": "-", "severity": "info", "retro_first": "", "retro_last": ""})
}

func TestCSVSpreadsheetSafe(t *testing.T) {
	e := icmpEvent()
	for in, want := range map[string]string{
		"=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@x": "'@x", "\tx": "'\tx", "-": "-", "x=1": "x=1", "": "",
		"\r\n=1": "'=1", `=HYPERLINK("a","b")`: `'=HYPERLINK("a","b")`,
	} {
		e.Trail = in
		if got := readCSV(t, AppendSafeCSV(nil, e, identity())); got["trail"] != want || got["src_port"] != "-" || got["info"] != "bad reputation" {
			t.Errorf("%q becomes %q", in, got["trail"])
		}
	}
}

func FuzzCSV(f *testing.F) {
	for _, s := range seeds() {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		want := strings.NewReplacer("\r", "", "\n", "", "\x00", "").Replace(s)
		got := readCSV(t, AppendCSV([]byte{}, hostile(s), hostileIdentity(s)))
		for _, column := range []string{"trail", "info", "sensor", "user_agent", "dns_query", "observable"} {
			if got[column] != want {
				t.Fatalf("%s: %q reads back as %q", column, want, got[column])
			}
		}
		readCSV(t, AppendSafeCSV(nil, hostile(s), hostileIdentity(s)))
		for _, safe := range []bool{false, true} {
			record := AppendAllCSV(AppendAllCSVHeader(nil), hostile(s), hostileIdentity(s), safe)
			if all, err := csv.NewReader(strings.NewReader(string(record))).ReadAll(); err != nil || len(all) != 2 || !safe && all[1][slices.Index(all[0], "http_body")] != want {
				t.Fatalf("%v in %q", err, record)
			}
		}
	})
}

func BenchmarkCSV(b *testing.B) {
	e, id := dnsEvent(), identity()
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendCSV(buf[:0], e, id)
	}
}

// TestCSVAll: csv-all is csv with columns behind, whatever the event.
func TestCSVAll(t *testing.T) {
	more := strings.Split(csvMore[1:], ",")
	for name, e := range map[string]*event.Event{"dns": dnsEvent(), "http": httpEvent(), "full": fullEvent(), "health": healthEvent(),
		"nothing": {}, "hostile": hostile("a,\"b\r\n=c|")} {
		header, line := string(AppendAllCSVHeader(nil)), string(AppendAllCSV(nil, e, identity(), false))
		all, err := csv.NewReader(strings.NewReader(header + line)).ReadAll()
		if err != nil || len(all) != 2 {
			t.Fatalf("%s: %v in %q", name, err, line)
		}
		if plain := strings.TrimSuffix(string(AppendCSV(nil, e, identity())), "\n"); !strings.HasPrefix(line, plain+",") {
			t.Errorf("%s: %s does not begin with %s", name, line, plain)
		}
		got := make(map[string]string)
		for i, v := range all[1][len(all[1])-len(more):] {
			got[more[i]] = v
		}
		for column, want := range map[string]map[string]string{
			"full": {"community_id": "1:m/8fa5N18Low3BexDP2W0dZckHA=", "src_group": "office", "dst_group": "dmz", "dns_rcode": "NOERROR",
				"dns_answers": "edge.cdn.test|203.0.113.9|2001:db8::9|203.0.113.9", "content_type": "Text/HTML; charset=utf-8", "http_body": "id=1' or 1=1",
				"ja3": "e7d705a3286e19ea42f587b344ee6865", "ja4": "t13d1516h2_8daaf6152771_02713d6af862", "technique": "",
				"retro_hosts": "192.0.2.10,192.0.2.77"},
			"http":    {"community_id": "1:JJayO27lzJEfl0R+P5GC0GPuNyk=", "technique": "T1190", "dns_rcode": "", "retro_hosts": ""},
			"hostile": {"http_body": `a,"b=c|`, "src_group": `a,"b=c|`},
		}[name] {
			if got[column] != want {
				t.Errorf("%s: %s is %q, want %q", name, column, got[column], want)
			}
		}
	}
	e := fullEvent()
	e.HTTP.Body = "=1+1"
	if line := string(AppendAllCSV(nil, e, identity(), true)); !strings.Contains(line, ",'=1+1,") {
		t.Errorf("a formula is left as it is: %s", line)
	}
}
