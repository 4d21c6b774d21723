package config

import (
	"bytes"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

func TestShowOrigins(t *testing.T) {
	c := mustLoad(t, map[string]string{
		"config.yaml":   "sensor:\n  name: ${env:N}\n  labels: {site: '12'}\nlog:\n  level: info\noutputs:\n- name: local\n  type: csv\n  path: /x\n  list: [1, '2', yes]\n  deep: {a: [{b: c}], e: []}\n",
		"conf.d/1.yaml": "capture:\n  silence:\n    eth3: 12h\n  interfaces: [eth0, eth3, {name: eth1, outgoing: false}]\noutputs: [{name: local, path: /y}]\n",
	}, set("detection.thresholds.scan.port=20"))
	var b bytes.Buffer
	if err := c.Show(&b, true); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"  name: \"***\" # config.yaml:2, ${env:N}\n",
		"    site: \"12\" # config.yaml:3\n",
		"  level: info\n", // given, but the default
		"  interfaces:\n    - eth0 # conf.d/1.yaml:4\n    - eth3 # conf.d/1.yaml:4\n    - name: eth1 # conf.d/1.yaml:4\n      outgoing: false # conf.d/1.yaml:4\n",
		"  silence:\n    default: 5m\n    eth3: 12h # conf.d/1.yaml:3\n",
		"    scan.port: 20 # --set\n",
		"  - name: local\n    type: csv\n    health: true\n    filter:\n      severity: low\n      types: []\n      codes: []\n      networks: []\n      labels: {}\n    batch: 0\n    timeout: 30s\n    retry:\n      first: 1s\n      most: 1m\n    max_rate: 2000\n    path: /y # conf.d/1.yaml:5\n    list: [1, \"2\", yes] # config.yaml:10\n    deep:\n      a:\n        - b: c # config.yaml:11\n      e: [] # config.yaml:11\n",
		"  workers: auto\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("missing:\n%s", want)
		}
	}
	if t.Failed() {
		t.Log(b.String())
	}
}

// Whatever text a value holds, YAML reads it back from what is shown.
func TestShownTextReadsBack(t *testing.T) {
	for _, text := range []string{
		"", "x", "yes", "No", "on", "null", "~", "true", "5", "0x1f", "1e3", ".5", "12:30:45", "-", "- a", "a: b", "a #b", "#a", "*a", "&a", "!a", "%a", "@a", "`a",
		"a:", ":a", "[a", "{a}", "'", `"`, `\`, "a\nb", " a", "a ", "\u0085", "\u2028", "\u00a0", "ä", "日本", "\U0001F600", "?", "a?", "<<", "=", "2001-01-01", "udp://[::1]:514", "***",
	} {
		for _, asText := range []bool{true, false} {
			if !asText && (otherYAML.MatchString(text) || text == "") {
				continue // such a value is a number or word of YAML by its own will
			}
			var have struct{ K string }
			line := "k: " + plainOrQuoted(text, asText) + " # comment\n"
			if err := yaml.Unmarshal([]byte(line), &have); err != nil || have.K != text {
				t.Errorf("%q is written %q and read %q, %v", text, line, have.K, err)
			}
			var keys map[string]int
			line = plainOrQuoted(text, true) + ": 1\n"
			if err := yaml.Unmarshal([]byte(line), &keys); err != nil || keys[text] != 1 {
				t.Errorf("%q is written %q and read %v, %v", text, line, keys, err)
			}
		}
	}
}

func TestSecretWords(t *testing.T) {
	for name, want := range map[string]bool{
		"password": true, "api_key": true, "apikey": true, "Authorization": true, "auth_token": true, "client_secret": true, "tls_passphrase": true,
		"password_file": false, "key": false, "path": false, "address": false, "key_file": false,
	} {
		if soundsSecret(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
	for in, want := range map[string]string{
		"https://u:p@h/x":        "https://***@h/x",
		"a https://u:p@h, b://h": "a https://***@h, b://h",
		"https://u@h/x":          "https://u@h/x",
		"udp://[::1]:514":        "udp://[::1]:514",
	} {
		if have := withoutPassword(in); have != want {
			t.Errorf("%s: %s", in, have)
		}
	}
}
