package format

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"trailhound/agent/event"
)

func TestCEFNumbers(t *testing.T) {
	id := identity()
	id.ID = "0198c3f2-a1b0-4c10-8000-000000000001"
	e := dnsEvent()
	e.Epoch, e.Seq = 1<<63|5, 42
	_, ext, err := parseCEF(string(AppendCEF(nil, e, id)))
	if err != nil || ext["cn1"] != "1755634114992" || ext["cn1Label"] != "sensorId" || ext["cn2"] != "5" || ext["cn2Label"] != "epoch" ||
		ext["cn3"] != "42" || ext["cn3Label"] != "sequence" {
		t.Errorf("%v %v", ext, err)
	}
	for _, text := range []string{"", "0198c3f2-a1b", "not-hex-at-all", "0198C3F2-a1b0-4c10"} {
		if n, ok := sensorNumber(text); ok {
			t.Errorf("%q is %d", text, n)
		}
	}
}

func TestCEFExtra(t *testing.T) {
	extra := []CEFField{{"tenant", `a=b \ c|d` + "\n"}, {"empty", ""}, {"zone", "dmz"}}
	line, cut, ok := AppendCEFWith([]byte("x"), dnsEvent(), identity(), CEFOptions{Extra: extra})
	if !ok || cut || !strings.HasSuffix(string(line), ` tenant=a\=b \\ c|d\n zone=dmz msg=lumma (malware)`) {
		t.Errorf("%v %v %s", cut, ok, line)
	}
	if _, ext, err := parseCEF(string(line[1:])); err != nil || ext["tenant"] != extra[0].Value || ext["zone"] != "dmz" {
		t.Errorf("%v %v", ext, err)
	}
}

// TestCEFSize: at every size the record is whole, not larger, and the values
// are beginnings of the full ones; those that identify an event are complete.
func TestCEFSize(t *testing.T) {
	long := httpEvent()
	long.Trail, long.HTTP.Target = strings.Repeat(`a\=b日`, 300), "/"+strings.Repeat("=", 900)
	long.Info = strings.Repeat("info|", 90)
	six := certEvent()
	six.Observable, six.Trail = "x", strings.Repeat("é", 2000)
	for name, e := range map[string]*event.Event{"long": long, "six": six, "summary": summaryEvent(), "health": healthEvent(), "full": fullEvent()} {
		whole, _, _ := AppendCEFWith(nil, e, identity(), CEFOptions{})
		wantHeader, want, err := parseCEF(string(whole))
		if err != nil {
			t.Fatal(err)
		}
		smallest := 0
		for size := len(whole) + 10; size > 0; size -= 1 + size/200 {
			line, cut, ok := AppendCEFWith([]byte("<164>"), e, identity(), CEFOptions{Size: size})
			line = line[5:]
			if !ok {
				if len(line) != 0 || !cut {
					t.Fatalf("%s, %d bytes: %q", name, size, line)
				}
				continue
			}
			smallest = size
			if len(line) > size || cut != (size < len(whole)) || !cut && string(line) != string(whole) {
				t.Fatalf("%s, %d bytes: %d, cut %v", name, size, len(line), cut)
			}
			header, got, err := parseCEF(string(line))
			if err != nil {
				t.Fatalf("%s, %d bytes: %v", name, size, err)
			}
			for i := range header {
				if !strings.HasPrefix(wantHeader[i], header[i]) {
					t.Fatalf("%s, %d bytes: header %q", name, size, header)
				}
			}
			for key, v := range got {
				if !strings.HasPrefix(want[key], v) {
					t.Fatalf("%s, %d bytes: %s is %q", name, size, key, v)
				}
			}
			for _, key := range []string{"rt", "externalId", "src", "dst", "spt", "dpt", "cnt", "deviceExternalId"} {
				if got[key] != want[key] && (key != "deviceExternalId" || size > 700) {
					t.Fatalf("%s, %d bytes: %s is %q", name, size, key, got[key])
				}
			}
			// As much as fits: what is left over holds no further character.
			if cut && size > 1100 && name == "long" && size-len(line) > 24 {
				t.Errorf("%s, %d bytes: %d are left over", name, size, size-len(line))
			}
		}
		if smallest > 480 {
			t.Errorf("%s does not fit into less than %d bytes", name, smallest)
		}
	}
}

func TestMaltrailCEF(t *testing.T) {
	made := time.Date(2026, 2, 15, 23, 0, 0, 0, time.UTC)
	zone := time.FixedZone("CET", 3600)
	for _, c := range []struct {
		e    *event.Event
		want string
	}{
		// The line of the reference's specification.
		{icmpEvent(), `Feb 16 10:36:11 edge-host CEF:0|Maltrail|sensor|3.1.2|2026-02-16|bad reputation|0|src=192.0.2.12 spt=- dst=198.51.100.9 dpt=- trail=198.51.100.9 ref=feed.test`},
		{dnsEvent(), `Feb 16 10:36:07 edge-host CEF:0|Maltrail|sensor|3.1.2|2026-02-16|lumma (malware)|2|src=192.0.2.10 spt=51514 dst=198.51.100.53 dpt=53 trail=(cdn).bad-domain.test ref=(static)`},
		{httpEvent(), `Feb 16 10:36:10 edge-host CEF:0|Maltrail|sensor|3.1.2|2026-02-16|potential sql injection (suspicious)|1|src=192.0.2.11,203.0.113.7 spt=40222 ` +
			`dst=198.51.100.80 dpt=80 trail=shop.test(/item?id\=1%27 or "1"\=%271) ref=(heuristic)`},
		{summaryEvent(), `Feb 16 10:36:11 edge-host CEF:0|Maltrail|sensor|3.1.2|2026-02-16|bad reputation|0|src=192.0.2.12 spt=1111,2222,3333 ` +
			`dst=10.0.0.1,2001:db8::1,9.9.9.9 dpt=80,443 trail=198.51.100.9 ref=feed.test`},
		{healthEvent(), ""},
	} {
		got, cut, ok := AppendMaltrailCEF(nil, c.e, identity(), made, zone, 0)
		if string(got) != c.want || cut || !ok {
			t.Errorf("got\n%s\nwant\n%s", got, c.want)
		}
	}
	e := icmpEvent()
	e.Time, e.Trail, e.Info, e.Reference = time.Date(2026, 3, 5, 1, 2, 3, 0, time.UTC), "a|b\\c=d\r\ne", "a|b\\c=d\ne", "r=1"
	got, _, _ := AppendMaltrailCEF(nil, e, identity(), made, time.UTC, 0)
	const want = `Mar 05 01:02:03 edge-host CEF:0|Maltrail|sensor|3.1.2|2026-02-15|a\|b\\c=d e|0|src=192.0.2.12 spt=- dst=198.51.100.9 dpt=- trail=a|b\\c\=d  e ref=r\=1`
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	e.Trail = strings.Repeat("=日", 1000)
	for size := 170; size < 300; size++ {
		got, cut, ok := AppendMaltrailCEF(nil, e, identity(), made, time.UTC, size)
		if !ok || !cut || len(got) > size || size-len(got) > 4 || !utf8.Valid(got) || !strings.HasSuffix(string(got), " ref=r\\=1") {
			t.Fatalf("%d bytes: %v %v %s", size, cut, ok, got)
		}
	}
}

func FuzzCEFWith(f *testing.F) {
	for _, s := range seeds() {
		f.Add(s, 600)
	}
	f.Fuzz(func(t *testing.T, s string, size int) {
		size = size&4095 + 1
		line, cut, ok := AppendCEFWith(nil, hostile(s), hostileIdentity(s), CEFOptions{Extra: []CEFField{{"tenant", s}}, Size: size})
		if !ok {
			if size > 1500 {
				t.Fatalf("nothing fits into %d bytes", size)
			}
			return
		}
		if len(line) > size || strings.ContainsAny(string(line), "\r\n\x00") {
			t.Fatalf("%d bytes for %d: %q", len(line), size, line)
		}
		if _, _, err := parseCEF(string(line)); err != nil {
			t.Fatalf("%v, cut %v, in %q", err, cut, line)
		}
		e := hostile(s)
		e.Retro = event.Retro{}
		small, _, ok := AppendMaltrailCEF(nil, e, hostileIdentity(s), time.Unix(0, 0), time.UTC, size)
		if ok && (len(small) > size || strings.ContainsAny(string(small), "\r\n\x00") || !utf8.Valid(small)) {
			t.Fatalf("%q", small)
		}
	})
}

func BenchmarkCEFCut(b *testing.B) {
	e, id := httpEvent(), identity()
	e.Trail = strings.Repeat("x", 3000)
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf, _, _ = AppendCEFWith(buf[:0], e, id, CEFOptions{Size: 1300})
	}
}
