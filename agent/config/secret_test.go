package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

const hidden = "hunter2"

// secretFile holds the secret by every way in.
const secretFile = `
sensor: {name: "x-${env:S}", labels: {a: "${env:S}"}}
capture: {filter: "${file:s}", silence: {default: 5m}}
trails:
  whitelist: ["/w/${env:S}"]
  update: {from: "https://user:hunter2@trails.example/b"}
  sources: [{name: feed, url: "https://u:hunter2@feed.example/", api_key: hunter2, headers: {Authorization: Bearer hunter2}}]
suppress: {rules: [{name: r, trail: "${env:S}"}]}
outputs:
- {name: elk, type: elasticsearch, api_key: "${cred:elk}", addresses: ["https://${env:S}@es.example"], password: hunter2, tokens: [hunter2, hunter2], auth_token: {a: hunter2}}
- {name: local, type: csv, path: "/x/${file:s}/y"}
`

func loadSecrets(t *testing.T) *Config {
	t.Helper()
	creds := t.TempDir()
	if err := os.WriteFile(filepath.Join(creds, "elk"), []byte(hidden+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return mustLoad(t, map[string]string{"config.yaml": secretFile, "s": hidden + "\r\n"}, func(o *Options) {
		o.Credentials = creds
		o.Getenv = func(name string) (string, bool) { return hidden, name == "S" }
	})
}

func TestExpansions(t *testing.T) {
	c := loadSecrets(t)
	var elk struct {
		Key       Secret   `key:"api_key"`
		Addresses []string `key:"addresses"`
		Password  Secret   `key:"password"`
		Tokens    []Secret `key:"tokens"`
		Auth      struct {
			A Secret `key:"a"`
		} `key:"auth_token"`
	}
	if err := c.Outputs[0].Decode(&elk); err != nil {
		t.Fatal(err)
	}
	if c.Sensor.Name != "x-hunter2" || c.Capture.Filter != hidden || elk.Key.Reveal() != hidden || elk.Addresses[0] != "https://hunter2@es.example" {
		t.Errorf("%q %q %q %q", c.Sensor.Name, c.Capture.Filter, elk.Key.Reveal(), elk.Addresses)
	}
	// A package that reads the node by itself gets the same.
	var plain struct {
		Key      string `yaml:"api_key"`
		Password Secret `yaml:"password"`
	}
	if err := c.Outputs[0].Node.Decode(&plain); err != nil || plain.Key != hidden || plain.Password.Reveal() != hidden {
		t.Errorf("%v, %v", plain.Password, err)
	}
}

func TestLiteralDollar(t *testing.T) {
	c := mustLoad(t, one(`capture: {filter: "$${env:X} $5 $$ $$${x}"}`), nil)
	if want := "${env:X} $5 $$ $${x}"; c.Capture.Filter != want {
		t.Errorf("have %q, want %q", c.Capture.Filter, want)
	}
}

// An expanded value is text or a number as the key wants, never null.
func TestExpandedTypes(t *testing.T) {
	env := map[string]string{"N": "3", "B": "true", "EMPTY": "", "NULL": "null", "D": "7d", "NET": "10.0.0.0/8"}
	c := mustLoad(t, one("capture: {filter: '${env:NULL}', workers: '${env:N}'}\nsensor:\n  name: ${env:EMPTY}\n"+
		"journal:\n  max_age: ${env:D}\ndetection:\n  missing_host: ${env:B}\n  home_networks:\n    a: ['${env:NET}']\noutputs: [{name: x, type: csv, path: '${env:NULL}'}]\n"),
		func(o *Options) { o.Getenv = func(name string) (string, bool) { v, ok := env[name]; return v, ok } })
	if c.Capture.Filter != "null" || c.Capture.Workers != 3 || !c.Detection.MissingHost || durationText(c.Journal.MaxAge) != "168h" || c.Detection.HomeNetworks["a"][0].Bits() != 8 {
		t.Errorf("%+v %+v", c.Capture, c.Detection)
	}
	var x struct{ Path string }
	if err := c.Outputs[0].Node.Decode(&x); err != nil || x.Path != "null" {
		t.Errorf("%q, %v", x.Path, err)
	}
}

func TestSecretsNeverPrint(t *testing.T) {
	c := loadSecrets(t)
	var elk struct {
		Key  Secret `key:"api_key" json:"k" yaml:"api_key"`
		Ptr  *Secret
		in   Secret
		Rest yaml.Node `key:"-"`
	}
	c.Outputs[0].part.rest = keep(c.Outputs[0].part.rest, "api_key")
	if err := c.Outputs[0].Decode(&elk); err != nil {
		t.Fatal(err)
	}
	elk.in, elk.Ptr = elk.Key, &elk.Key
	c = loadSecrets(t)
	outputs := []struct {
		name string
		text func() string
	}{
		{"Show", func() string { var b bytes.Buffer; c.Show(&b, false); return b.String() }},
		{"Show with origins", func() string { var b bytes.Buffer; c.Show(&b, true); return b.String() }},
		{"String", func() string { return c.String() }},
		{"Secret.String", func() string { return elk.Key.String() }},
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for name, value := range map[string]any{
			"Config": c, "Config by value": *c, "Output": c.Outputs[0], "*Output": &c.Outputs[0], "outputs": c.Outputs, "Rule": c.Suppress.Rules[0],
			"Source": c.Trails.Sources[0], "Update": c.Trails.Update, "struct": elk, "Secret": elk.Key, "*Secret": &elk.Key,
		} {
			outputs = append(outputs, struct {
				name string
				text func() string
			}{name + " by " + verb, func() string { return fmt.Sprintf(verb, value) }})
		}
	}
	for name, value := range map[string]any{"Config": c, "Config by value": *c, "Outputs": c.Outputs, "Update": c.Trails.Update, "struct": elk, "Secret": elk.Key, "Trails.Sources": c.Trails.Sources} {
		outputs = append(outputs,
			struct {
				name string
				text func() string
			}{name + " as JSON", func() string { b, err := json.Marshal(value); return string(b) + fmt.Sprint(err) }},
			struct {
				name string
				text func() string
			}{name + " as YAML", func() string { b, err := yaml.Marshal(value); return string(b) + fmt.Sprint(err) }},
			struct {
				name string
				text func() string
			}{name + " in a log", func() string {
				var b bytes.Buffer
				slog.New(slog.NewTextHandler(&b, nil)).Info("x", "v", value)
				slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "v", value)
				return b.String()
			}},
		)
	}
	for _, o := range outputs {
		text := o.text()
		if strings.Contains(text, hidden) || strings.Contains(text, fmt.Sprintf("%x", hidden)) {
			t.Errorf("%s holds the secret:\n%s", o.name, text)
		}
		if text == "" {
			t.Errorf("%s is empty", o.name)
		}
	}
	if text := fmt.Sprint(c); !strings.Contains(text, `api_key: "***"`) || !strings.Contains(text, "name: \"***\"") {
		t.Errorf("the mask is missing:\n%s", text)
	}
}

func keep(n *node, name string) *node {
	out := &node{kind: mapping, at: n.at}
	out.put(key{text: name}, n.get(name))
	return out
}

// No error may quote what came through ${...}, whatever is wrong with it.
func TestErrorsHoldNoSecret(t *testing.T) {
	for _, k := range Keys() {
		if strings.Contains(k.Path, "[]") {
			continue
		}
		for _, value := range []string{`"${env:S}"`, `["${env:S}"]`, `{a: "${env:S}"}`, `[{name: "${env:S}"}]`, `{a: ["${env:S}"]}`} {
			parts := strings.Split(k.Path, ".")
			text := value
			for i := len(parts) - 1; i >= 0; i-- {
				text = "{" + parts[i] + ": " + text + "}"
			}
			for _, secret := range []string{hidden, "5hunter2", "-hunter2d", "hunter2:99999", "127.0.0.1:hunter2", "10.0.0.1/hunter2", "300", "256M", "inof"} {
				_, err := loadBytes([]byte(text), Options{
					Codes: testCodes, OutputTypes: []string{"csv"},
					Getenv: func(name string) (string, bool) { return secret, name == "S" },
				})
				if err != nil && (strings.Contains(err.Error(), secret) && secret != "256M" || strings.Contains(err.Error(), "did you mean 256MiB?")) {
					t.Errorf("%s = %q: %v", text, secret, err)
				}
			}
		}
	}
}

func TestRenew(t *testing.T) {
	c := loadSecrets(t)
	var local struct {
		Path Secret `key:"path"`
	}
	if err := c.Outputs[1].Decode(&local); err != nil {
		t.Fatal(err)
	}
	if s, err := local.Path.Renew(); err != nil || s.p != local.Path.p {
		t.Errorf("unchanged: %v", err)
	}
	if err := os.WriteFile("s", []byte("new"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := local.Path.Renew()
	if err != nil || s.Reveal() != "/x/new/y" || local.Path.Reveal() != "/x/hunter2/y" {
		t.Errorf("%q, %v", s.Reveal(), err)
	}
	if err := os.Remove("s"); err != nil {
		t.Fatal(err)
	}
	if again, err := s.Renew(); err == nil || again.Reveal() != "/x/new/y" || strings.Contains(err.Error(), "new") {
		t.Errorf("%q, %v", again.Reveal(), err)
	}
	if s, err := NewSecret("x").Renew(); err != nil || s.Reveal() != "x" {
		t.Error("a literal changes")
	}
}

func TestExpansionIsBounded(t *testing.T) {
	big := strings.Repeat("x", maxSecret)
	getenv := func(o *Options) { o.Getenv = func(string) (string, bool) { return big, true } }
	var b strings.Builder
	b.WriteString("outputs: [{name: x, type: csv, list: [")
	for range 100 {
		b.WriteString("'${env:X}', ")
	}
	b.WriteString("]}]\n")
	if _, err := load(t, one(b.String()), getenv); err == nil || !strings.Contains(err.Error(), "all ${...} together bring in more than 4194304 bytes") {
		t.Errorf("%.200v", err)
	}
	if _, err := load(t, one("outputs: [{name: x, type: csv, v: '"+strings.Repeat("${env:X}", 65)+"'}]"), getenv); err == nil || !strings.Contains(err.Error(), "expands to too much text") {
		t.Errorf("%.200v", err)
	}
	big += "x"
	if _, err := load(t, one("state: '${env:X}'"), getenv); err == nil || !strings.Contains(err.Error(), "holds more than 65536 bytes") {
		t.Errorf("%.200v", err)
	}
}
