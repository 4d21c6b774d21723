package format

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTable(t *testing.T) {
	opt := TableOptions{Width: 180}
	header := string(AppendTableHeader(nil, opt))
	info := strings.Index(header, "INFO")
	for _, e := range []string{"short.test", strings.Repeat("ü", 300), "a\x1b[2Jb\r\n\u202ec"} {
		ev := dnsEvent()
		ev.Trail = e
		line := string(AppendTable(nil, ev, identity(), opt))
		if strings.Count(line, "\n") != 1 || strings.ContainsAny(line, "\x1b\r\u202e") {
			t.Errorf("%q", line)
		}
		runes := []rune(line)
		if string(runes[info:info+len("lumma (malware)")]) != "lumma (malware)" {
			t.Errorf("the info does not stand under its header:\n%s%s", header, line)
		}
		if utf8.RuneCountInString(line) > opt.Width+1 {
			t.Errorf("%d columns wide: %s", utf8.RuneCountInString(line), line)
		}
	}
	v6 := string(AppendTable(nil, certEvent(), identity(), TableOptions{}))
	if !strings.Contains(v6, "[2001:0db8:0001:0001:0001:0001:0001:0001]:50000") {
		t.Errorf("an address is cut: %s", v6)
	}
	if s := string(AppendTable(nil, summaryEvent(), identity(), opt)); !strings.Contains(s, "bad reputation x97") {
		t.Errorf("no count: %s", s)
	}
	long := dnsEvent()
	long.Trail = strings.Repeat("x", 300)
	if s := string(AppendTable(nil, long, identity(), TableOptions{})); !strings.Contains(s, long.Trail) {
		t.Errorf("cut without a width: %s", s)
	}
	colored := string(AppendTable(nil, dnsEvent(), identity(), TableOptions{Color: true}))
	plain := string(AppendTable(nil, dnsEvent(), identity(), TableOptions{}))
	if !strings.Contains(colored, "\x1b[1;31mhigh") || strings.NewReplacer("\x1b[2m", "", "\x1b[1;31m", "", "\x1b[0m", "").Replace(colored) != plain {
		t.Errorf("%q", colored)
	}
}

func TestTableGolden(t *testing.T) {
	const want = `TIME (UTC)          SEV    SOURCE                   DESTINATION           PROTO  TYPE  TRAIL                    INFO                             REFERENCE
2026-02-16 09:36:07 high   192.0.2.10:51514      -> 198.51.100.53:53      UDP    DNS   (cdn).bad-domain.test    lumma (malware)                  (static)
2026-02-16 09:36:11 low    192.0.2.12            -> 198.51.100.9          ICMP   IP    198.51.100.9             bad reputation                   feed.test
`
	opt := TableOptions{Width: 157}
	got := AppendTableHeader(nil, opt)
	got = AppendTable(got, dnsEvent(), identity(), opt)
	got = AppendTable(got, icmpEvent(), identity(), opt)
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestTableNarrow(t *testing.T) {
	const want = `TIME (UTC)     SEV    SOURCE             DESTINATION           TYPE  TRAIL                       INFO
02-16 09:36:07 high   192.0.2.10      -> 198.51.100.53:53      DNS   (cdn).bad-domain.test       lumma (malware)
02-16 09:36:11 low    192.0.2.12      -> 198.51.100.9          IP    198.51.100.9                bad reputation
`
	opt := TableOptions{Width: 120}
	got := AppendTableHeader(nil, opt)
	got = AppendTable(got, dnsEvent(), identity(), opt)
	got = AppendTable(got, icmpEvent(), identity(), opt)
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	long := summaryEvent()
	long.Trail, long.Info = strings.Repeat("x", 300), strings.Repeat("y", 300)
	for _, opt.Width = range []int{110, 120, 156} {
		line := strings.TrimSuffix(string(AppendTable(nil, long, identity(), opt)), "\n")
		if n := utf8.RuneCountInString(line); n > opt.Width || !strings.HasSuffix(line, " x97") {
			t.Errorf("width %d, %d columns: %s", opt.Width, n, line)
		}
	}
}
