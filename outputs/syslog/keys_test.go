package syslog

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"trailhound/agent/config"
	"trailhound/outputs/remote"
)

func TestKeys(t *testing.T) {
	for _, c := range []struct {
		want string
		keys Keys
	}{
		{"address: is missing", Keys{}},
		{"address: \"siem.example:514\"", Keys{Address: "siem.example:514"}},
		{"address: \"http://siem.example\"", Keys{Address: "http://siem.example"}},
		{"address: ", Keys{Address: "udp://siem.example:x"}},
		{"address: \"unix://dev/log\"", Keys{Address: "unix://dev/log"}},
		{"addresses: is given beside", Keys{Address: "tcp://a", Addresses: []string{"tcp://b"}}},
		{"addresses: the receivers", Keys{Addresses: []string{"tcp://a", "tls://b"}}},
		{"addresses: only tcp", Keys{Addresses: []string{"udp://a", "udp://b"}}},
		{"tls: ", Keys{Address: "tcp://a", TLS: remote.TLSKeys{CA: "/x"}}},
		{"tls.ca: ", Keys{Address: "tls://a", TLS: remote.TLSKeys{CA: "/nowhere"}}},
		{"proxy: ", Keys{Address: "udp://a", Proxy: "http://user:hunter2@p:1"}},
		{"proxy: ", Keys{Address: "tcp://a", Proxy: "ftp://user:hunter2@p:1"}},
		{"format: ", Keys{Address: "tcp://a", Format: "leef"}},
		{"profile: ", Keys{Address: "tcp://a", Profile: "splunk"}},
		{"profile: maltrail is", Keys{Address: "tcp://a", Profile: "maltrail"}},
		{"profile: maltrail is", Keys{Address: "udp://a", Profile: "maltrail", Format: "json"}},
		{"rfc: ", Keys{Address: "udp://a", RFC: "3195"}},
		{"rfc: ", Keys{Address: "local", RFC: "5424"}},
		{"rfc: ", Keys{Address: "udp://a", Profile: "maltrail", RFC: "3164"}},
		{"framing: ", Keys{Address: "tcp://a", Framing: "null"}},
		{"framing: for tcp", Keys{Address: "udp://a", Framing: "newline"}},
		{"facility: ", Keys{Address: "udp://a", Facility: "local8"}},
		{"app_name: ", Keys{Address: "udp://a", AppName: "cef"}},
		{"app_name: ", Keys{Address: "udp://a", AppName: "a b"}},
		{"app_name: ", Keys{Address: "udp://a", AppName: strings.Repeat("a", 33)}},
		{"hostname: ", Keys{Address: "tcp://a", Hostname: "a b"}},
		{"hostname: needs rfc", Keys{Address: "udp://a", Hostname: "edge"}},
		{"time_zone: ", Keys{Address: "udp://a", TimeZone: "Mars/Olympus"}},
		{"extra: \"a b\"", Keys{Address: "udp://a", Extra: map[string]string{"a b": "x"}}},
		{"extra: \"cs1\"", Keys{Address: "udp://a", Extra: map[string]string{"cs1": "x"}}},
		{"extra: \"cn2Label\"", Keys{Address: "udp://a", Extra: map[string]string{"cn2Label": "x"}}},
		{"extra: the value", Keys{Address: "udp://a", Extra: map[string]string{"tenant": strings.Repeat("x", 1024)}}},
		{"extra: takes", Keys{Address: "udp://a", Extra: map[string]string{"tenant": strings.Repeat("x", 800)}}},
		{"extra: for cef", Keys{Address: "udp://a", Format: "json", Extra: map[string]string{"tenant": "x"}}},
		{"max_message: ", Keys{Address: "udp://a", MaxMessage: 511}},
		{"max_message: ", Keys{Address: "udp://a", MaxMessage: 65508}},
		{"max_message: ", Keys{Address: "tcp://a", MaxMessage: 1<<20 + 1}},
		{"max_message: ", Keys{Address: "tcp://a", Format: "json", MaxMessage: 1400}},
	} {
		_, err := New(c.keys, Env{})
		if err == nil || !strings.HasPrefix(err.Error(), c.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", c.want, err)
		}
	}
	for _, c := range []struct {
		keys Keys
		want settings
	}{
		{Keys{Address: "udp://a"}, settings{addresses: []string{"a:514"}, rfc: "go-syslog", size: 1400}},
		{Keys{Address: "udp://a", RFC: "5424", Format: "json"}, settings{addresses: []string{"a:514"}, rfc: "5424", size: 8000}},
		{Keys{Address: "tcp://[::1]:601"}, settings{addresses: []string{"[::1]:601"}, rfc: "3164", size: 8000}},
		{Keys{Addresses: []string{"tls://a", "TLS://b:1"}}, settings{addresses: []string{"a:6514", "b:1"}, rfc: "5424", counting: true, size: 8000}},
		{Keys{Address: "unix:///dev/log"}, settings{rfc: "go-syslog", size: 8000}},
		{Keys{Address: "unix:///run/x"}, settings{addresses: []string{"/run/x"}, rfc: "3164", size: 8000, bareHeader: true}},
		{Keys{Address: "udp://a", Profile: "maltrail"}, settings{addresses: []string{"a:514"}, rfc: "none", size: 1400}},
	} {
		s, err := c.keys.settings()
		got := settings{addresses: s.addresses, rfc: s.rfc, counting: s.counting, size: s.size, bareHeader: s.bareHeader}
		if err != nil || !reflect.DeepEqual(got, c.want) || s.facility != 20 || s.app != "trailhound" {
			t.Errorf("%+v: %+v, %v", c.keys, s, err)
		}
	}
}

func TestHostWord(t *testing.T) {
	for name, want := range map[string]string{"edge": "edge", "a b\n": "ab", "žluť": "lu", "": ""} {
		if got := hostWord(name); got != want {
			t.Errorf("%q: %q", name, got)
		}
	}
}

// TestSample: the sample is read as the program reads it, shows the defaults and
// has every key; so has the README.
func TestSample(t *testing.T) {
	load := func(text string) (k Keys) {
		file := filepath.Join(t.TempDir(), "config.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := config.Load(config.Options{File: file, Explicit: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Outputs[0].Decode(&k); err != nil {
			t.Fatal(err)
		}
		if _, err := New(k, Env{}); err != nil {
			t.Fatal(err)
		}
		return k
	}
	text := "outputs:\n"
	for i, line := range strings.Split(strings.TrimSpace(Sample()), "\n") {
		indent := "    "
		if i == 1 {
			indent = "  - "
		}
		text += indent + line + "\n"
	}
	shown := load(text)
	bare := load("outputs:\n- {name: x, type: syslog, address: 'tls://siem.example:6514'}\n")
	if fmt.Sprintf("%+v", shown) != fmt.Sprintf("%+v", bare) {
		t.Errorf("the sample does not show the defaults:\n%+v\n%+v", shown, bare)
	}
	load("outputs:\n- {name: x, type: syslog, addresses: ['tcp://a', 'tcp://b:1'], extra: {tenant: acme}, proxy: 'socks5://p:1080', rfc: '5424'}\n")
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for typ := reflect.TypeFor[Keys](); typ != nil; {
		var inner reflect.Type
		for i := range typ.NumField() {
			f := typ.Field(i)
			if key := f.Tag.Get("key"); !strings.Contains(Sample(), key+":") || !strings.Contains(string(readme), key) {
				t.Errorf("key %s is missing in the sample or in the README", key)
			}
			if f.Type == reflect.TypeFor[remote.TLSKeys]() {
				inner = f.Type
			}
		}
		typ = inner
	}
}
