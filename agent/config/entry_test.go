package config

import (
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"
)

// Common is what several outputs of a test have in common.
type Common struct {
	Timeout time.Duration `key:"linger" default:"10s" min:"1s"`
}

type sample struct {
	Common
	Address  string         `key:"address" required:"yes"`
	Format   string         `key:"format" default:"cef" oneof:"cef json"`
	Key      Secret         `key:"api_key"`
	Queue    Size           `key:"queue" default:"1MiB" max:"1GiB"`
	Bind     netip.Addr     `key:"bind"`
	Net      []netip.Prefix `key:"net"`
	Port     uint16         `yaml:"port,omitempty"`
	Ratio    *float64       `key:"ratio"`
	TLS      *tlsPart       `key:"tls"`
	Headers  map[string]string
	Labels   map[string]string `key:"labels"`
	Raw      yaml.Node         `key:"raw"`
	Retries  []time.Duration   `key:"retries"`
	URL      link              `key:"url"`
	ignored  int               //lint:ignore U1000 that it is passed by is what is tested
	NotAKey  int               `key:"-"`
	Fallback int               `key:"fallback"`
}

type tlsPart struct {
	CA     string `key:"ca" check:"path"`
	Verify bool   `key:"verify" default:"true"`
}

// link is a foreign type that reads itself.
type link struct{ url.URL }

func (l *link) UnmarshalText(text []byte) error { return l.UnmarshalBinary(text) }

func output(t *testing.T, rest string) Output {
	t.Helper()
	c := mustLoad(t, one("outputs:\n- name: x\n  type: syslog\n"+rest), func(o *Options) {
		o.Getenv = func(name string) (string, bool) { return "a\nhunter2://%zz", name == "S" }
	})
	return c.Outputs[0]
}

func TestDecode(t *testing.T) {
	o := output(t, `  address: udp://192.0.2.1:514
  api_key: "5"
  queue: 2KiB
  bind: 2001:db8::1
  net: [10.0.0.0/8]
  port: 514
  ratio: 0.5
  tls: {ca: /ca}
  labels: {a: 1}
  raw: [1, {a: b}]
  retries: [1s, 1d]
  url: https://h/x
`)
	s := sample{Fallback: 7}
	if err := o.Decode(&s); err != nil {
		t.Fatal(err)
	}
	if s.Address != "udp://192.0.2.1:514" || s.Format != "cef" || s.Key.Reveal() != "5" || s.Queue != 2048 || s.Bind.String() != "2001:db8::1" ||
		s.Net[0].Bits() != 8 || s.Port != 514 || *s.Ratio != 0.5 || s.TLS.CA != "/ca" || !s.TLS.Verify || s.Labels["a"] != "1" || s.Raw.Kind != yaml.SequenceNode ||
		s.Retries[1] != 24*time.Hour || s.URL.Host != "h" || s.Fallback != 7 || s.Timeout != 10*time.Second {
		t.Errorf("%+v", s)
	}
}

func TestDecodeProblems(t *testing.T) {
	for rest, want := range map[string]string{
		"":                                 "config.yaml:2:3: outputs.x.address: missing, this key has no default",
		"  adress: a\n":                    "config.yaml:2:3: outputs.x.address: missing, this key has no default\nconfig.yaml:4:3: outputs.x.adress: unknown key, did you mean outputs.x.address?",
		"  address: a\n  linger: 1ms\n":    `config.yaml:5:11: outputs.x.linger: "1ms" is out of range: want at least 1s`,
		"  address: a\n  format: ceff\n":   `config.yaml:5:11: outputs.x.format: "ceff" is not one of cef, json, did you mean cef?`,
		"  address: a\n  port: 65536\n":    `config.yaml:5:9: outputs.x.port: "65536" is not a whole number from 0 to 65535`,
		"  address: a\n  port: -1\n":       `config.yaml:5:9: outputs.x.port: "-1" is not a whole number from 0 to 65535`,
		"  address: a\n  bind: b\n":        `config.yaml:5:9: outputs.x.bind: "b" is not valid: ParseAddr("b"): unable to parse IP`,
		"  address: a\n  tls: {ca: c}\n":   `config.yaml:5:13: outputs.x.tls.ca: "c" is not an absolute path, a service has no directory of its own to start from`,
		"  address: a\n  tls: {cert: c}\n": "config.yaml:5:9: outputs.x.tls.cert: unknown key, known here: ca verify",
		"  address: a\n  retries: 5s\n":    `config.yaml:5:12: outputs.x.retries: want a list, got "5s", write [5s]`,
		"  address: a\n  retries: [5]\n":   `config.yaml:5:13: outputs.x.retries[0]: "5" is not a duration such as 30s, 12h or 7d, add a unit, such as 5s`,
		"  address: a\n  ignored: 1\n":     "config.yaml:5:3: outputs.x.ignored: unknown key, known here: linger address format api_key queue bind net port ratio tls labels raw retries url fallback",
		"  address: a\n  api_key: [a]\n":   "config.yaml:5:12: outputs.x.api_key: want text, got a list",
		"  address: a\n  url: ${env:S}\n":  `config.yaml:5:8: outputs.x.url: "${env:S}" is not valid`,
		"  address: a\n  bind: ${env:S}\n": `config.yaml:5:9: outputs.x.bind: "${env:S}" is not valid`,
		"  address: a\n  port: ${env:S}\n": `config.yaml:5:9: outputs.x.port: "${env:S}" is not a whole number from 0 to 65535`,
	} {
		o := output(t, rest)
		err := o.Decode(new(sample))
		if err == nil || err.Error() != want {
			t.Errorf("%q\nhave %v\nwant %s", rest, err, want)
		}
	}
}

// An entry that was made by hand decodes like one that was loaded.
func TestDecodeByHand(t *testing.T) {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte("address: a\nqueue: 3\n"), &doc); err != nil {
		t.Fatal(err)
	}
	o := Output{Name: "x", Node: doc.Content[0]}
	var s sample
	if err := o.Decode(&s); err != nil || s.Queue != 3 {
		t.Errorf("%+v, %v", s, err)
	}
	if err := (&Output{Name: "x"}).Decode(&s); err == nil || !strings.Contains(err.Error(), "outputs.x.address: missing") {
		t.Error(err)
	}
}

func TestSourcesAndRules(t *testing.T) {
	c := mustLoad(t, one("trails: {sources: [{name: a, enabled: false, url: 'https://h/'}, {name: b, enabled: auto}]}\nsuppress: {rules: [{name: r, code: scan.web}]}\n"), nil)
	var src struct {
		URL string `key:"url"`
	}
	if err := c.Trails.Sources[0].Decode(&src); err != nil || src.URL != "https://h/" || *c.Trails.Sources[0].Enabled || c.Trails.Sources[1].Enabled != nil {
		t.Errorf("%+v, %v", src, err)
	}
	var rule struct {
		Codes []string `key:"codes"`
	}
	if err := c.Suppress.Rules[0].Decode(&rule); err == nil || err.Error() != "config.yaml:2:30: suppress.rules.r.code: unknown key, did you mean suppress.rules.r.codes?" {
		t.Error(err)
	}
	if have := c.Suppress.Rules[0].String(); have != "suppress.rules.r at config.yaml:2:20" {
		t.Error(have)
	}
}
