package config

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var testCodes = []string{"scan.port", "scan.udp", "scan.web", "dns.long", "trail.dns"}

// load writes files ("config.yaml", "conf.d/10-a.yaml") to a fresh directory and
// loads them; paths in errors and origins lose the directory.
func load(t *testing.T, files map[string]string, change func(*Options)) (*Config, error) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	opt := Options{File: "config.yaml", Codes: testCodes, OutputTypes: []string{"csv", "syslog", "elasticsearch"}}
	if change != nil {
		change(&opt)
	}
	return Load(opt)
}

func mustLoad(t *testing.T, files map[string]string, change func(*Options)) *Config {
	t.Helper()
	c, err := load(t, files, change)
	if err != nil {
		t.Fatalf("valid configuration refused:\n%v", err)
	}
	return c
}

// one is the way to give config.yaml alone.
func one(text string) map[string]string { return map[string]string{"config.yaml": text} }

func TestProblems(t *testing.T) {
	long := strings.Repeat("k", 129)
	for _, c := range []struct{ in, want string }{
		// Unknown keys.
		{"capture:\n  workrs: 3\n", "config.yaml:2:3: capture.workrs: unknown key, did you mean capture.workers?"},
		{"captrue: {}\n", "config.yaml:1:1: captrue: unknown key, did you mean capture?"},
		{"workers: 2\n", "config.yaml:1:1: workers: unknown key, did you mean capture.workers?"},
		{"Log: {level: info}\n", "config.yaml:1:1: Log: unknown key, did you mean log?"},
		{"retro:\n  zzzzzzzz: 1\n", "config.yaml:2:3: retro.zzzzzzzz: unknown key, known here: memory persist"},
		{"retro:\n  zzzzzzzz:\n", "config.yaml:2:3: retro.zzzzzzzz: unknown key, known here: memory persist"},
		{"USE_HEURISTICS: true\n", "config.yaml:1:1: USE_HEURISTICS: unknown key, Maltrail's USE_HEURISTICS is detection.heuristics here"},
		{"capture: {interfaces: [{name: eth0, alais: x}]}", "config.yaml:1:37: capture.interfaces[0].alais: unknown key, did you mean capture.interfaces[0].alias?"},

		// Wrong kinds and values.
		{"capture: 5\n", `config.yaml:1:10: capture: want a map of keys, got "5"`},
		{"capture: []\n", "config.yaml:1:10: capture: want a map of keys, got a list"},
		{"capture: {workers: many}\n", `config.yaml:1:20: capture.workers: "many" is not auto or a number from 1 to 64`},
		{"capture: {workers: 65}\n", `config.yaml:1:20: capture.workers: "65" is not auto or a number from 1 to 64`},
		{"capture: {workers: [2]}\n", "config.yaml:1:20: capture.workers: want auto or a number from 1 to 64, got a list"},
		{"capture: {ring_total: 256M}\n", `config.yaml:1:23: capture.ring_total: "256M" is not a size such as 256MiB, 1GB or plain bytes, did you mean 256MiB?`},
		{"capture: {ring_total: 9999999TiB}\n", `config.yaml:1:23: capture.ring_total: "9999999TiB" is not a size such as 256MiB, 1GB or plain bytes, this is more than any machine has`},
		{"capture: {snaplen: 67}\n", `config.yaml:1:20: capture.snaplen: "67" is out of range: want at least 68`},
		{"capture: {snaplen: 257KiB}\n", `config.yaml:1:20: capture.snaplen: "257KiB" is out of range: want at most 256KiB`},
		{"capture: {interfaces: eth0}\n", `config.yaml:1:23: capture.interfaces: want a list, got "eth0", write [eth0]`},
		{"capture: {interfaces: []}\n", "config.yaml:1:23: capture.interfaces: want at least one interface, [any] captures on all"},
		{"capture: {interfaces: [eth0, eth0]}\n", `config.yaml:1:30: capture.interfaces[1]: "eth0" is listed twice`},
		{"capture: {interfaces: [eth0, any]}\n", "config.yaml:1:30: capture.interfaces[1]: any is every interface already, list it alone"},
		{"capture: {interfaces: [a/b]}\n", `config.yaml:1:24: capture.interfaces[0]: "a/b" is not an interface name: it holds a space, slash, colon or control character`},
		{"capture: {interfaces: [abcdefghijklmnop]}\n", `config.yaml:1:24: capture.interfaces[0]: "abcdefghijklmnop" is not an interface name: the kernel allows 15 bytes`},
		{"capture: {interfaces: ['eth[']}\n", `config.yaml:1:24: capture.interfaces[0]: "eth[" is not a glob`},
		{"capture: {interfaces: [{alias: x}]}\n", "config.yaml:1:24: capture.interfaces[0].name: missing, this key has no default"},
		{"capture: {interfaces: [~]}\n", "config.yaml:1:24: capture.interfaces[0].name: missing, this key has no default"},
		{"capture: {interfaces: [{name: eth0, outgoing: perhaps}]}\n", `config.yaml:1:47: capture.interfaces[0].outgoing: "perhaps" is not true or false`},
		{"capture: {silence: 5}\n", `config.yaml:1:20: capture.silence: "5" is not off or a duration such as 5m, add a unit, such as 5s`},
		{"capture: {silence: [5m]}\n", "config.yaml:1:20: capture.silence: want a duration, off, or a map of them by interface, got a list"},
		{"capture: {interfaces: [eth0], silence: {eth1: off}}\n", "config.yaml:1:47: capture.silence.eth1: capture.interfaces does not list this interface, did you mean eth0?"},
		{"capture: {spare_sockets: 1.5}\n", `config.yaml:1:26: capture.spare_sockets: "1.5" is not a whole number`},
		{"trails: {min_ratio: 1.1}\n", `config.yaml:1:21: trails.min_ratio: "1.1" is out of range: want at most 1`},
		{"trails: {min_ratio: .nan}\n", `config.yaml:1:21: trails.min_ratio: ".nan" is not a number`},
		{"trails: {whitelist: [a.txt]}\n", `config.yaml:1:22: trails.whitelist[0]: "a.txt" is not an absolute path, a service has no directory of its own to start from`},
		{"trails: {whitelist: [~]}\n", "config.yaml:1:22: trails.whitelist[0]: want text, got nothing"},
		{"trails: {update: {every: 5s}}\n", `config.yaml:1:26: trails.update.every: "5s" is out of range: want at least 1m, or 0 for never`},
		{"trails: {update: {from: 'ftp://x/y'}}\n", "config.yaml:1:25: trails.update.from: want an http or https URL or an absolute path"},
		{"trails: {max_age: -1h}\n", `config.yaml:1:19: trails.max_age: "-1h" is not a duration such as 30s, 12h or 7d`},
		{"detection: {heuristics: yes}\n", `config.yaml:1:25: detection.heuristics: "yes" is not true or false, write true`},
		{"detection: {disable: [scan.prot]}\n", `config.yaml:1:23: detection.disable[0]: "scan.prot" is not a code, did you mean scan.port?`},
		{"detection: {disable: [port_scanning]}\n", `config.yaml:1:23: detection.disable[0]: "port_scanning" is not a code, did you mean scan.port?`},
		{"detection: {thresholds: {scan.web: 0}}\n", "config.yaml:1:36: detection.thresholds.scan.web: want a number above 0"},
		{"detection: {thresholds: {scan.wbe: 5}}\n", "config.yaml:1:36: detection.thresholds.scan.wbe: the key is not a code, did you mean scan.web?"},
		{"detection: {thresholds: {scan.web: many}}\n", `config.yaml:1:36: detection.thresholds.scan.web: "many" is not a number`},
		{"detection: {roles: {nat: [10.1.2.3/8]}}\n", `config.yaml:1:27: detection.roles.nat[0]: "10.1.2.3/8" is not a network such as 10.0.0.0/8 or an address, did you mean 10.0.0.0/8?`},
		{"detection: {roles: {nat: [300.1.2.3]}}\n", `config.yaml:1:27: detection.roles.nat[0]: "300.1.2.3" is not a network such as 10.0.0.0/8 or an address`},
		{"detection: {home_networks: {a: ['::ffff:10.0.0.0/104']}}\n", `config.yaml:1:33: detection.home_networks.a[0]: "::ffff:10.0.0.0/104" is not a network such as 10.0.0.0/8 or an address, did you mean 10.0.0.0/8?`},
		{"detection: {home_networks: {a: ['::ffff:10.0.0.0/8']}}\n", `config.yaml:1:33: detection.home_networks.a[0]: "::ffff:10.0.0.0/8" is not a network such as 10.0.0.0/8 or an address, did you mean 10.0.0.0/8?`},
		{"detection: {home_networks: {a: ['::ffff:10.0.0.0/64']}}\n", `config.yaml:1:33: detection.home_networks.a[0]: "::ffff:10.0.0.0/64" is not a network such as 10.0.0.0/8 or an address, write the IPv4 form`},
		{"detection: {home_networks: [10.0.0.0/8]}\n", "config.yaml:1:28: detection.home_networks: want a map, got a list"},
		{"suppress: {aggregate: 2h}\n", `config.yaml:1:23: suppress.aggregate: "2h" is out of range: want at most 1h`},
		{"journal: {max_size: 5}\n", `config.yaml:1:21: journal.max_size: "5" is out of range: want at least 1MiB`},
		{"journal: {fsync: sometimes}\n", `config.yaml:1:18: journal.fsync: "sometimes" is not always, never or a duration from 1ms to 1h`},
		{"status: {listen: 127.0.0.1}\n", `config.yaml:1:18: status.listen: "127.0.0.1" is not an address with port, write 127.0.0.1:8339`},
		{"status: {listen: 'x:70000'}\n", `config.yaml:1:18: status.listen: "x:70000" is not an address with port, the port is a number from 0 to 65535; 0 takes a free one`},
		{"status: {listen: 'host.example:80'}\n", `config.yaml:1:18: status.listen: "host.example:80" is not an address with port, want an IP address, localhost, or nothing for all addresses`},
		{"log: {level: inof}\n", `config.yaml:1:14: log.level: "inof" is not one of debug, info, warn, error, did you mean info?`},
		{"state: ''\n", `config.yaml:1:8: state: "" must not be empty`},
		{"state: {}\n", "config.yaml:1:8: state: want text, got a map"},
		{"sensor: {labels: {'a b': x}}\n", "config.yaml:1:26: sensor.labels.a b: the key is not a label, want 1 to 64 letters, digits, - and _"},
		{"sensor: {name: 'a b'}\n", `config.yaml:1:16: sensor.name: "a b" is not a name, want 1 to 253 bytes without spaces and control characters`},

		// Named entries.
		{"outputs: {csv: {}}\n", "config.yaml:1:10: outputs: want a list, got a map"},
		{"outputs:\n- type: csv\n", "config.yaml:2:3: outputs[0]: an entry needs a name, add name: ..."},
		{"outputs: [csv]\n", `config.yaml:1:11: outputs[0]: want a map with a name, got "csv"`},
		{"outputs: [{name: a b, type: csv}]\n", `config.yaml:1:18: outputs[0].name: "a b" is not a name, want 1 to 64 letters, digits, - and _`},
		{"outputs: [{name: x}]\n", "config.yaml:1:11: outputs.x.type: missing, this key has no default"},
		{"outputs: [{name: x, type: cvs}]\n", `config.yaml:1:27: outputs.x.type: "cvs" is not an output type, did you mean csv?`},
		{"outputs: [{name: x, type: carrier-pigeon}]\n", `config.yaml:1:27: outputs.x.type: "carrier-pigeon" is not an output type, there are csv, syslog, elasticsearch`},
		{"outputs: [{name: x, type: csv},\n {name: x, type: csv}]\n", "config.yaml:2:2: outputs.x: the name is used twice, first at config.yaml:1:11"},
		{"outputs: [{name: x, remove: true}]\n", "config.yaml:1:11: outputs.x: nothing of this name to remove"},
		{"outputs: [{name: x, remove: maybe}]\n", `config.yaml:1:29: outputs.x.remove: "maybe" is not true or false` + "\nconfig.yaml:1:11: outputs.x.type: missing, this key has no default"},
		{"trails: {sources: [{name: x, enabled: maybe}]}\n", `config.yaml:1:39: trails.sources.x.enabled: "maybe" is not true or false`},

		// Expansions.
		{"state: ${env:NOWHERE}\n", "config.yaml:1:8: state: ${env:NOWHERE}: environment variable NOWHERE is not set"},
		{"state: ${env:X\n", "config.yaml:1:8: state: ${env:X has no closing }; write $${ for a literal ${"},
		{"state: ${HOME}\n", "config.yaml:1:8: state: ${HOME}: want ${env:NAME}, ${file:PATH} or ${cred:NAME}; write $${ for a literal ${"},
		{"state: ${env:}\n", "config.yaml:1:8: state: ${env:}: the name is missing"},
		{"state: ${file:gone}\n", "config.yaml:1:8: state: ${file:gone}: file cannot be read: no such file or directory"},
		{"state: ${file:/dev/zero}\n", "config.yaml:1:8: state: ${file:/dev/zero}: not a regular file"},
		{"state: ${cred:x}\n", "config.yaml:1:8: state: ${cred:x}: there is no credentials directory; in the systemd unit, LoadCredential=x:PATH makes one"},
		{"state: ${cred:../x}\n", "config.yaml:1:8: state: ${cred:../x}: a credential's name holds no slash"},
		{"outputs: [{name: x, type: csv, a: {b: ['${env:NOWHERE}']}}]\n", "config.yaml:1:40: outputs.x.a.b[0]: ${env:NOWHERE}: environment variable NOWHERE is not set"},

		// Syntax.
		{"state: /a\nstate: /b\n", "config.yaml:2:1: state: duplicate key, first on line 1"},
		{"outputs:\n- name: x\n  type: csv\n  type: csv\n", "config.yaml:4:3: outputs.0.type: duplicate key, first on line 3"},
		{"capture:\n\tworkers: 2\n", "config.yaml:2: not valid YAML: found character that cannot start any token, a tab cannot indent YAML: use spaces"},
		{"state: /a\nlog: *no\n", "config.yaml:2: not valid YAML: unknown anchor 'no' referenced"},
		{"- a\n", "config.yaml:1:1: want a map of keys, got a list"},
		{"just text\n", `config.yaml:1:1: want a map of keys, got "just text"`},
		{"MONITOR_INTERFACE any\nCAPTURE_BUFFER 10%\n", "config.yaml:1:1: want a map of keys, got \"MONITOR_INTERFACE any CAPTURE_BUFFER 10%\", this looks like a Maltrail configuration: docs/from-maltrail.md has the keys side by side"},
		{"state: /a\n---\nstate: /b\n", "config.yaml:2:1: a second YAML document, keep one document per file; drop-ins go to conf.d"},
		{"state: /a\x00b\n", "config.yaml:1:10: a NUL byte, the file must be UTF-8 text"},
		{"state: /a\n# \xff\n", "config.yaml:2:3: byte 0xFF is not UTF-8, the file must be UTF-8 text"},
		{"state: \x1b[0m\n", "config.yaml:1:8: control character U+001B, the file must be UTF-8 text"},
		{"\xff\xfes\x00t\x00", "config.yaml:1:1: byte 0xFF is not UTF-8, the file must be UTF-8 text"},
		{"state: \"\\0\"\n", `config.yaml:1:8: state: "\x00" is not a path`},
		{"state: !secret x\n", `config.yaml:1:8: state: the tag "!secret" means nothing here`},
		{"? [a]\n: b\n", "config.yaml:1:3: a key must be text of 1 to 128 bytes"},
		{long + ": b\n", "config.yaml:1:1: a key must be text of 1 to 128 bytes"},
		{"a: &a [*a]\n", "config.yaml:1:8: nested deeper than 16 levels, or an alias inside its own anchor"},
		{strings.Repeat("[", 20) + strings.Repeat("]", 20), "config.yaml:1:18: nested deeper than 16 levels, or an alias inside its own anchor"},
		{"state: /a\n#" + strings.Repeat("x", maxFile), "config.yaml: larger than 4194304 bytes"},
	} {
		t.Run("", func(t *testing.T) {
			cfg, err := load(t, one(c.in), nil)
			if err == nil {
				t.Fatalf("accepted:\n%.200s", c.in)
			}
			if cfg != nil {
				t.Error("a configuration beside an error")
			}
			// Positions of one line sort as the file reads, keep the table readable.
			have := strings.Split(err.Error(), "\n")
			want := strings.Split(c.want, "\n")
			if len(have) != len(want) {
				t.Fatalf("input:\n%.200s\nhave:\n%s\nwant:\n%s", c.in, err, c.want)
			}
			lines := map[string]bool{}
			for _, w := range want {
				lines[w] = true
			}
			for _, h := range have {
				if !lines[h] {
					t.Errorf("input:\n%.200s\nhave %s\nwant %s", c.in, h, c.want)
				}
			}
		})
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	_, err := load(t, map[string]string{
		"config.yaml":        "state: x\nlog: {level: loud}\ncapture: {workers: 0}\n",
		"conf.d/10-one.yaml": "nonsense: 1\n",
	}, nil)
	want := `config.yaml:1:8: state: "x" is not an absolute path, a service has no directory of its own to start from
config.yaml:2:14: log.level: "loud" is not one of debug, info, warn, error
config.yaml:3:20: capture.workers: "0" is not auto or a number from 1 to 64
conf.d/10-one.yaml:1:1: nonsense: unknown key, known here: sensor capture trails detection retro event suppress journal outputs health status log state`
	have := strings.Split(err.Error(), "\n")
	for _, line := range strings.Split(want, "\n") {
		if !strings.Contains(err.Error(), line) {
			t.Errorf("missing: %s", line)
		}
	}
	if len(have) != 4 {
		t.Errorf("%d problems:\n%v", len(have), err)
	}
	var first *Error
	if !errors.As(err, &first) || first.Line == 0 || first.Key == "" {
		t.Errorf("errors.As gives %+v", first)
	}
	var all *Errors
	if !errors.As(err, &all) || len(all.List) != 4 {
		t.Error("errors.As finds no Errors")
	}
}

func TestProblemsAreBounded(t *testing.T) {
	var b strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&b, "key%d: 1\n", i)
	}
	_, err := load(t, one(b.String()), nil)
	var all *Errors
	if !errors.As(err, &all) || len(all.List) != MaxErrors || all.More != 5000-MaxErrors {
		t.Fatalf("%v", err)
	}
	if !strings.HasSuffix(err.Error(), "\nand 4980 more") {
		t.Errorf("ends in %q", err.Error()[len(err.Error())-40:])
	}
}

func TestAliasBombIsRefused(t *testing.T) {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 9; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	_, err := load(t, one(b.String()), nil)
	var e *Error
	if !errors.As(err, &e) || e.Problem != "more than 100000 values, aliases counted each time" {
		t.Fatal(err)
	}
}

func TestAnchorsAndMergeKeys(t *testing.T) {
	c := mustLoad(t, one(`
outputs:
  - &base {name: a, type: syslog, address: "udp://192.0.2.1:514", tls: {verify: true}}
  - {<<: *base, name: b, address: "udp://192.0.2.2:514"}
`), nil)
	var have struct {
		Address string `key:"address"`
		TLS     struct {
			Verify bool `key:"verify"`
		} `key:"tls"`
	}
	if err := c.Outputs[1].Decode(&have); err != nil {
		t.Fatal(err)
	}
	if c.Outputs[1].Name != "b" || c.Outputs[1].Type != "syslog" || have.Address != "udp://192.0.2.2:514" || !have.TLS.Verify {
		t.Errorf("%s: %+v", c.Outputs[1], have)
	}
}

func TestEmptyIsDefault(t *testing.T) {
	for _, text := range []string{"", "\n", "# nothing\n", "---\n", "---\n...\n", "\uFEFF", "null\n", "{}\n", "capture:\n  # workers: 2\noutputs:\ntrails:\n  update:\n"} {
		c := mustLoad(t, one(text), nil)
		if changed := Changed(Default(), c); len(changed) > 0 {
			t.Errorf("%q changes %v", text, changed)
		}
	}
}

func TestMissingFile(t *testing.T) {
	if c, err := load(t, nil, nil); err != nil || len(Changed(Default(), c)) > 0 {
		t.Errorf("a missing file that nobody named: %v", err)
	}
	if c, err := Load(Options{}); err != nil || len(Changed(Default(), c)) > 0 {
		t.Errorf("no file: %v", err)
	}
	_, err := load(t, nil, func(o *Options) { o.Explicit = true })
	if err == nil || err.Error() != "config.yaml: cannot be read: no such file or directory" {
		t.Error(err)
	}
	_, err = load(t, map[string]string{"config.yaml/x": ""}, nil)
	if err == nil || err.Error() != "config.yaml: cannot be read: is a directory" {
		t.Error(err)
	}
}

func TestValues(t *testing.T) {
	c := mustLoad(t, one(`
sensor: {name: edge-1, labels: {site: 12, tenant: blue}}
capture:
  interfaces: [eth0, "ens*", {name: eth3, alias: dmz, group: tap, optional: true, outgoing: false}]
  workers: 64
  ring_total: 1GB
  snaplen: 65536
  silence: {eth3: 12h, eth4: off}
trails: {max_age: 0, whitelist: [/etc/w], update: {every: 1.5d}}
detection:
  home_networks: {hq: [192.0.2.0/24, 2001:db8::1]}
  roles: {resolver: [10.0.0.53]}
  thresholds: {scan.port: 20.5}
journal: {max_size: 2GiB, min_free: 0, max_age: 30d, fsync: always}
suppress: {aggregate: 0s}
status: {listen: ""}
outputs: []
`), nil)
	if c.Sensor.Name != "edge-1" || !maps.Equal(c.Sensor.Labels, map[string]string{"site": "12", "tenant": "blue"}) {
		t.Errorf("sensor %+v", c.Sensor)
	}
	i := c.Capture.Interfaces
	if len(i) != 3 || i[0] != (Interface{Name: "eth0"}) || !i[1].Glob() || i[2].Alias != "dmz" || !i[2].Optional || i[2].Outgoing == nil || *i[2].Outgoing {
		t.Errorf("interfaces %+v", i)
	}
	if c.Capture.Workers != 64 || c.Capture.RingTotal != 1e9 || c.Capture.Snaplen != 65536 || c.Capture.SpareSockets != 16 {
		t.Errorf("capture %+v", c.Capture)
	}
	for name, want := range map[string]time.Duration{"eth3": 12 * time.Hour, "eth4": 0, "eth9": 5 * time.Minute} {
		if have := c.Capture.Silence.For(name); have != want {
			t.Errorf("silence of %s is %s", name, have)
		}
	}
	if c.Trails.MaxAge != 0 || c.Trails.Update.Every != 36*time.Hour || c.Trails.Whitelist[0] != "/etc/w" {
		t.Errorf("trails %+v", c.Trails)
	}
	d := c.Detection
	if len(d.HomeNetworks) != 1 || d.HomeNetworks["hq"][1].String() != "2001:db8::1/128" || d.Roles.Resolver[0].String() != "10.0.0.53/32" || d.Thresholds["scan.port"] != 20.5 {
		t.Errorf("detection %+v", d)
	}
	j := c.Journal
	if j.MaxSize != (AutoSize{Size: 2 << 30}) || j.MinFree != (AutoSize{}) || j.MaxAge != 720*time.Hour || j.Fsync != FsyncAlways {
		t.Errorf("journal %+v", j)
	}
	if c.Suppress.Aggregate != 0 || c.Status.Listen != "" || len(c.Outputs) != 0 {
		t.Errorf("%s", c)
	}
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0": 0, "0s": 0, "1d": 24 * time.Hour, "1d12h": 36 * time.Hour, "1h30m": 90 * time.Minute, "250ms": 250 * time.Millisecond,
	} {
		if have, _, err := parseDuration(text); err != nil || have != want {
			t.Errorf("%q: %s, %v", text, have, err)
		}
		if have, _, _ := parseDuration(durationText(want)); have != want {
			t.Errorf("%s is written %s", want, durationText(want))
		}
	}
	for _, text := range []string{"", "d", "-1d", "+1h", "1d-1h", "1x", "1", "1.5", "100001d", "100000d100000d", "1e9d", "99999999999h", "NaNd"} {
		if have, _, err := parseDuration(text); err == nil {
			t.Errorf("%q is accepted as %s", text, have)
		}
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]Size{"0": 0, "17": 17, "17B": 17, "18KiB": 18 << 10, "1 GB": 1e9, "3mib": 3 << 20, "8388607TiB": 8388607 << 40} {
		var have, again Size
		if err := have.UnmarshalText([]byte(text)); err != nil || have != want {
			t.Errorf("%q: %d, %v", text, have, err)
		}
		if err := again.UnmarshalText([]byte(want.String())); err != nil || again != want {
			t.Errorf("%d is written %s", want, want)
		}
	}
	for _, text := range []string{"", "B", "-1", "1.5GiB", "1ZiB", "9223372036854775808", "8388608TiB", "1K", "0x10"} {
		var s Size
		if err := s.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is accepted as %d", text, s)
		}
	}
}

// Thresholds and windows are those of what the code counts.
func TestCounted(t *testing.T) {
	opt := Options{File: "config.yaml", Codes: []string{"scan.port", "dns.nxdomain", "dns.dga.entropy", "dns.long", "http.ua"}, Counted: map[string]Count{
		"scan.port": {Threshold: true, Whole: true, Window: time.Hour}, "dns.nxdomain": {Threshold: true, Whole: true, Most: 1000, Window: 24 * time.Hour},
		"dns.dga.entropy": {Threshold: true, Most: 5.2}, "dns.long": {Threshold: true, Whole: true, Most: 62}}}
	for text, want := range map[string]string{
		"thresholds: {scan.port: 20, dns.dga.entropy: 3.25}": "",
		"thresholds: {scan.port: 2.5}":                       "want a whole number of at most 4096",
		"thresholds: {dns.nxdomain: 1001}":                   "want a whole number of at most 1000",
		"thresholds: {dns.dga.entropy: 5.2, dns.long: 62}":   "",
		"thresholds: {dns.dga.entropy: 9}":                   "nothing is above it: want a number of at most 5.2",
		"thresholds: {dns.long: 64}":                         "want a whole number of at most 62",
		"windows: {scan.prt: 5s}":                            "did you mean scan.port?",
		"thresholds: {scan.prt: 5}":                          "did you mean scan.port?",
		"thresholds: {http.ua: 3}":                           "the code has no threshold",
		"windows: {scan.port: 90s, dns.nxdomain: 24h}":       "",
		"windows: {scan.port: 2h}":                           "want whole seconds from 1s to 1h",
		"windows: {scan.port: 1500ms}":                       "want whole seconds",
		"windows: {dns.dga.entropy: 5s}":                     "the code has no window",
	} {
		opt.File = filepath.Join(t.TempDir(), "config.yaml")
		if err := os.WriteFile(opt.File, []byte("detection:\n  "+text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		switch _, err := Load(opt); {
		case want == "" && err != nil:
			t.Errorf("%s: %v", text, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v", text, err)
		}
	}
}
