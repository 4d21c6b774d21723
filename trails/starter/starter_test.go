package starter

import (
	"bytes"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"testing"

	"trailhound/trails"
	"trailhound/trails/source"
)

type collected struct {
	infos []string
	keys  [trails.Kinds]map[string]string // to info
}

func (c *collected) Provenance(p trails.Provenance) uint32 {
	c.infos = append(c.infos, p.Info)
	return uint32(len(c.infos) - 1)
}

func (c *collected) Add(kind trails.Kind, key []byte, p uint32) {
	if c.keys[kind] == nil {
		c.keys[kind] = map[string]string{}
	}
	c.keys[kind][string(key)] = c.infos[p]
}

func read(t *testing.T) *collected {
	t.Helper()
	c := &collected{}
	r, err := source.ReadCSV(bytes.NewReader(Trails()), "trails.csv", c, source.Options{CheckPattern: func(p string) error {
		_, err := regexp.Compile(p)
		return err
	}})
	if err != nil || r.Malformed != 0 {
		t.Fatalf("%v %v", err, r.Problems)
	}
	t.Logf("%d trails, %d bytes, %d infos, by kind %v", r.Trails, len(Trails()), len(c.infos), r.ByKind)
	return c
}

func TestTrails(t *testing.T) {
	c := read(t)
	if n := len(Trails()); n > 300<<10 {
		t.Errorf("%d bytes, more than 300 KiB", n)
	}
	white := Whitelist()
	for kind := range trails.Kind(trails.Kinds) {
		for key := range c.keys[kind] {
			if white.Trail(kind, []byte(key)) {
				t.Errorf("%s is on the whitelist", trails.Text(kind, []byte(key)))
			}
			host := []byte(nil)
			switch kind {
			case trails.Domain:
				host = []byte(key)
			case trails.URL:
				host, _ = trails.SplitURL([]byte(key))
			}
			if white.Domain(host) {
				t.Errorf("%s lies below the whitelist", trails.Text(kind, []byte(key)))
			}
		}
	}
	for _, kind := range []trails.Kind{trails.Domain, trails.Address, trails.AddressPort, trails.Network, trails.URL, trails.Pattern} {
		if len(c.keys[kind]) == 0 {
			t.Errorf("no %v", kind)
		}
	}
	if n := len(c.keys[trails.Pattern]); n != 27 {
		t.Errorf("%d patterns, want 27", n)
	}
}

// Every form of trail that the static set knows is there, and what the
// detection of sinkholes and parked names needs.
func TestForms(t *testing.T) {
	c := read(t)
	forms := map[string]int{}
	for key, info := range c.keys[trails.Address] {
		if len(key) == 16 {
			forms["IPv6"]++
		}
		for _, word := range []string{"sinkhole", "parking", "mass scanner"} {
			if strings.Contains(info, word) {
				forms[word]++
			}
		}
	}
	for key := range c.keys[trails.AddressPort] {
		if len(key) == 18 {
			forms["IPv6:port"]++
		}
	}
	for key := range c.keys[trails.Domain] {
		if !strings.Contains(key, ".") {
			forms["single label"]++
		}
	}
	for key := range c.keys[trails.URL] {
		host, path := trails.SplitURL([]byte(key))
		at, port := host, bytes.IndexByte(host, ':')
		if port >= 0 {
			at = host[:port]
			forms["URL with port"]++
		}
		_, err := netip.ParseAddr(string(at))
		switch {
		case len(host) == 0 && bytes.IndexByte(path, '?') >= 0:
			forms["path with query"]++
		case len(host) == 0:
			forms["path"]++
		case err == nil && len(path) == 1:
			forms["address/"]++
		case err == nil:
			forms["address/path"]++
		case len(path) == 1:
			forms["host/"]++
		default:
			forms["host/path"]++
		}
	}
	t.Log(forms)
	for form, least := range map[string]int{"IPv6": 20, "IPv6:port": 4, "single label": 10, "path": 100, "path with query": 50, "address/": 50, "address/path": 30, "host/": 5,
		"host/path": 50, "URL with port": 20, "sinkhole": 1300, "parking": 200, "mass scanner": 100} {
		if forms[form] < least {
			t.Errorf("%s: %d, want at least %d", form, forms[form], least)
		}
	}
}

func TestPopularNamesMatchNothing(t *testing.T) {
	c := read(t)
	var patterns []*regexp.Regexp
	for p := range c.keys[trails.Pattern] {
		patterns = append(patterns, regexp.MustCompile(p))
	}
	list, err := os.ReadFile("testdata/popular.txt")
	if err != nil {
		t.Fatal(err)
	}
	names := 0
	for line := range strings.Lines(string(list)) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		names++
		name, protected := strings.CutSuffix(line, " *")
		if Whitelist().Domain([]byte(name)) != protected {
			t.Errorf("%s: the whitelist protects it: %v", name, !protected)
		}
		if protected && !Whitelist().Domain([]byte("a.b."+name+":443")) {
			t.Errorf("names below %s are not protected", name)
		}
		for s, more := name, true; more; _, s, more = strings.Cut(s, ".") {
			if info, ok := c.keys[trails.Domain][s]; ok {
				t.Errorf("%s is hit by %s, %s", name, s, info)
			}
			if info, ok := c.keys[trails.URL][s+"/"]; ok {
				t.Errorf("%s is hit by %s/, %s", name, s, info)
			}
		}
		for _, p := range patterns {
			if p.MatchString(name) {
				t.Errorf("%s is hit by %s", name, p)
			}
		}
	}
	if names < 80 {
		t.Errorf("only %d popular names", names)
	}
}

func TestWhitelist(t *testing.T) {
	l := Whitelist()
	if l != Whitelist() {
		t.Error("parsed twice")
	}
	if n := l.Len(); n < 3400 || n > 3600 {
		t.Errorf("%d entries", n)
	}
	for _, a := range []string{"8.8.8.8", "17.1.2.3", "2606:4700:4700::1111", "92.222.150.60"} {
		if !l.Addr(netip.MustParseAddr(a)) {
			t.Errorf("%s is not listed", a)
		}
	}
	for name, want := range map[string]bool{"x.amazonaws.com": true, "HOST.corp": true, "a.goog": true, "meads.hopto.org": true, "hopto.org": false, "wix.com": false} {
		if l.Domain([]byte(name)) != want {
			t.Errorf("%s: want %v", name, want)
		}
	}
}

func TestUserAgents(t *testing.T) {
	n := 0
	for line := range bytes.Lines(UserAgents()) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
			n++
		}
	}
	if n < 1300 {
		t.Errorf("%d expressions", n)
	}
	UserAgents()[0] = 'x'
	if UserAgents()[0] == 'x' {
		t.Error("a caller can change the embedded text")
	}
}
