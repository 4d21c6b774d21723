package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// checkRun runs a command with a configuration file and gives all it said.
func checkRun(t *testing.T, file string, args ...string) (code int, said string) {
	t.Helper()
	var out strings.Builder
	code = execute(context.Background(), &streams{strings.NewReader(""), &out, &out}, append(args, "-c", file))
	return code, out.String()
}

// TestConfigCheckFinds: what a start would stumble over is an error of the
// configuration, with the place where it stands.
func TestConfigCheckFinds(t *testing.T) {
	dir := t.TempDir()
	file, fifo, list := filepath.Join(dir, "c.yaml"), filepath.Join(dir, "fifo"), filepath.Join(dir, "list")
	if err := syscall.Mkfifo(fifo, 0o644); err != nil {
		t.Fatal(err)
	}
	writeTest(t, list, "good.example\n")
	absent := filepath.Join(dir, "absent")
	for _, err := range []error{os.Mkdir(filepath.Join(dir, "real"), 0o755), os.Symlink("real", filepath.Join(dir, "link")),
		os.Link(list, filepath.Join(dir, "real", "hard")), os.Symlink("real/later", filepath.Join(dir, "dangling")),
		os.Symlink("circle2", filepath.Join(dir, "circle")), os.Symlink("circle", filepath.Join(dir, "circle2"))} {
		if err != nil {
			t.Fatal(err)
		}
	}
	var ports []string
	for i := range 4200 {
		ports = append(ports, fmt.Sprint("port ", 2*i+1))
	}
	filter := func(text string) string { return "capture:\n  filter: " + text + "\n" }
	csv := func(name, path string) string {
		return fmt.Sprintf("- name: %s\n  type: csv\n  path: %s\n", name, path)
	}
	for _, c := range []struct {
		name, text string
		want       []string // nothing: it is valid
	}{
		{"filter", filter("tcp port 80"), nil},
		{"half a filter", filter("tcp port"), []string{"c.yaml:2:11: capture.filter: ", "tcp port"}},
		{"filter with a word too many", filter("tcp port 80 and and"), []string{"c.yaml:2:11: capture.filter: "}},
		{"filter with a name", filter("host www.example.com"), []string{"c.yaml:2:11: capture.filter: ", "names are not resolved"}},
		{"filter too long", filter(strings.Join(ports, " or ")), []string{"c.yaml:2:11: capture.filter: ", "4096 instructions"}},
		{"whitelist", "trails: {whitelist: [" + list + "]}\n", nil},
		{"whitelists missing", "trails:\n  whitelist:\n  - " + list + "\n  - " + absent + "\n  - " + absent + "2\n",
			[]string{"c.yaml:4:5: trails.whitelist[1]: ", "no such file", "c.yaml:5:5: trails.whitelist[2]: "}},
		{"whitelist a FIFO", "trails: {whitelist: [" + fifo + "]}\n", []string{"c.yaml:1:22: trails.whitelist[0]: ", "not a regular file"}},
		{"whitelist a directory", "trails: {whitelist: [" + dir + "]}\n", []string{"c.yaml:1:22: trails.whitelist[0]: ", "not a regular file"}},
		{"two files", "outputs:\n" + csv("a", "/var/a.csv") + csv("b", "/var/b.csv"), nil},
		{"one file twice", "outputs:\n" + csv("a", "/var/log/a.csv") + csv("b", "/var//log/x/../a.csv"),
			[]string{"c.yaml:7:9: outputs.b: path: output a writes to the same file"}},
		{"one file through a link", "outputs:\n" + csv("a", dir+"/real/new/a.csv") + csv("b", dir+"/link/new/a.csv"),
			[]string{"c.yaml:7:9: outputs.b: path: output a writes to the same file"}},
		{"one file by two names", "outputs:\n" + csv("a", dir+"/list") + csv("b", dir+"/real/hard"),
			[]string{"c.yaml:7:9: outputs.b: path: output a writes to the same file"}},
		{"one file through a link to it", "outputs:\n" + csv("a", dir+"/real/later") + csv("b", dir+"/dangling"),
			[]string{"c.yaml:7:9: outputs.b: path: output a writes to the same file"}},
		{"a link in a circle", "outputs:\n" + csv("a", dir+"/circle") + csv("b", dir+"/circle2"), nil},
		{"a device", "outputs:\n" + csv("a", "/dev/null"), []string{"c.yaml:4:9: outputs.a: path: not a regular file but a device"}},
		{"a directory", "outputs:\n" + csv("a", dir), []string{"c.yaml:4:9: outputs.a: path: not a regular file but a directory: add the name"}},
		{"a pipe", "outputs:\n" + csv("a", fifo), []string{"c.yaml:4:9: outputs.a: path: not a regular file but a pipe"}},
		{"a device for another sensor", "outputs:\n" + csv("a", "/dev/null") + "  filter: {labels: {site: other}}\n", nil},
		{"one file for this sensor", "outputs:\n" + csv("a", "/var/a.csv") + csv("b", "/var/a.csv") + "  filter: {labels: {site: other}}\n", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			writeTest(t, file, c.text)
			code, said := checkRun(t, file, "config", "check")
			if want := map[bool]int{true: exitDone, false: exitConfig}[c.want == nil]; code != want {
				t.Errorf("exit code %d, want %d: %s", code, want, said)
			}
			for _, want := range c.want {
				if !strings.Contains(said, want) {
					t.Errorf("%q is not in %s", want, said)
				}
			}
			if c.want != nil && strings.Contains(said, "is valid") {
				t.Error(said)
			}
		})
	}
}

// TestConfigCheckTellsAll: all that is wrong, of whatever kind, in one run.
func TestConfigCheckTellsAll(t *testing.T) {
	dir := t.TempDir()
	file := writeTest(t, filepath.Join(dir, "c.yaml"), `captur: {}
capture: {filter: tcp port}
detection: {disable: [no.such]}
outputs:
- {name: bus, type: kafka, brokers: [a]}
- {name: hec, type: splunk}
- {name: a, type: syslog, adress: "udp://a:1", filter: {types: [NOPE, NEITHER]}}
- {name: b, type: logstash, batch: many, filter: {codes: ["a["]}}
- {name: c, type: csv, path: x.csv, pth: y}
- {name: d, type: elasticsearch, addresses: ["http://a:9200"], nonsense: 1, dataset: "A/B"}
- {name: e, type: stdout, format: xml, filter: {severity: worst}}
trails: {whitelist: [`+dir+`/absent]}
`)
	code, said := checkRun(t, file, "config", "check")
	for _, want := range []string{
		"c.yaml:1:1: captur: unknown key", "c.yaml:2:19: capture.filter: ", "c.yaml:3:23: detection.disable[0]: ",
		`c.yaml:5:21: outputs.bus.type: "kafka" is not an output type, there are csv, stdout, syslog, logstash, elasticsearch, maltrail`,
		`c.yaml:6:21: outputs.hec.type: "splunk" is not an output type`,
		"c.yaml:7:27: outputs.a.adress: unknown key, did you mean outputs.a.address?", `c.yaml:7:3: outputs.a: filter.types: "NOPE" is`, `filter.types: "NEITHER" is`,
		"c.yaml:8:36: outputs.b.batch: ", "outputs.b.addresses: missing", "c.yaml:8:3: outputs.b: filter.codes",
		"c.yaml:9:3: outputs.c: csv output: path is not absolute", "c.yaml:9:37: outputs.c: pth: unknown key",
		"outputs.d.nonsense: unknown key", "outputs.d: dataset", `outputs.e.format: "xml" is not`, `outputs.e.filter.severity: "worst" is not`,
		"c.yaml:12:22: trails.whitelist[0]: ",
	} {
		if strings.Count(said, want) != 1 {
			t.Errorf("%q is not there once", want)
		}
	}
	if code != exitConfig || t.Failed() {
		t.Errorf("code %d\n%s", code, said)
	}
}

// TestConfigCheckPassedOver: what lies in conf.d and is not read is said.
func TestConfigCheckPassedOver(t *testing.T) {
	dir := t.TempDir()
	file := writeTest(t, filepath.Join(dir, "c.yaml"), "")
	for _, name := range []string{"a.yaml", "b.yml", ".c.yaml"} {
		writeTest(t, filepath.Join(dir, "conf.d", name), "log: {level: warn}\n")
	}
	code, said := checkRun(t, file, "config", "check")
	if code != exitDone || strings.Count(said, " is not read: ") != 2 || !strings.Contains(said, "conf.d/b.yml is not read") ||
		!strings.Contains(said, "conf.d/.c.yaml is not read") {
		t.Errorf("code %d: %s", code, said)
	}
}

// TestConfigFIFO: a configuration that nobody writes is not waited for.
func TestConfigFIFO(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "c.yaml")
	if err := syscall.Mkfifo(fifo, 0o644); err != nil {
		t.Fatal(err)
	}
	if code, said := checkRun(t, fifo, "config", "check"); code != exitConfig || !strings.Contains(said, "nobody writes to this pipe") {
		t.Errorf("code %d: %s", code, said)
	}
}

// TestWhitelistFIFO: the same on the command line, and for doctor.
func TestWhitelistFIFO(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o644); err != nil {
		t.Fatal(err)
	}
	file := writeTest(t, filepath.Join(dir, "c.yaml"), "state: "+dir+"\ntrails: {whitelist: ["+fifo+"]}\n")
	if code, said := checkRun(t, file, "replay", "--whitelist", fifo, os.DevNull); code != exitFailed || !strings.Contains(said, "not a regular file") {
		t.Errorf("replay: code %d: %s", code, said)
	}
	if code, said := checkRun(t, file, "replay", os.DevNull); code != exitConfig || !strings.Contains(said, "c.yaml:2:22: trails.whitelist[0]: ") {
		t.Errorf("replay: code %d: %s", code, said)
	}
	a := &app{streams: &streams{err: &strings.Builder{}}, configFile: file}
	c, err := a.load()
	if err != nil {
		t.Fatal(err)
	}
	a.checkWhitelist(c, nil).is(t, "doctor", statusFail, "not a regular file", "trails.whitelist")
}
