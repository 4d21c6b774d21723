package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trailhound/agent/config"
	"trailhound/agent/status"
)

// A configuration that a sensor has refused to load keeps nobody from asking
// it.
func TestStatusOfRefusedConfiguration(t *testing.T) {
	address := statusServer(t, statusSample)
	t.Setenv("STATUS_ADDRESS", address)
	for name, text := range map[string]string{
		"unknown key":     "status: {listen: " + address + "}\ncaptrue: {workers: 2}\n",
		"value":           "capture: {workers: many}\nstatus:\n  listen: " + address + "\n",
		"no YAML":         "status:\n  # here\n\n  listen: \"" + address + "\"\ncapture: [\n",
		"no YAML, before": "capture: {workers: [}\nstatus:\n  listen: " + address + "\nlog: }\n",
		"variable":        "status: {listen: \"${env:STATUS_ADDRESS}\"}\nlog: {level: loud}\n",
		"other variable":  "status: {listen: " + address + "}\nsensor: {name: \"${env:NO_SUCH_VARIABLE}\"}\n",
	} {
		file := writeTest(t, filepath.Join(t.TempDir(), "config.yaml"), text)
		code, out, errs := command(t, "status", "-c", file)
		if code != exitDone || !strings.HasPrefix(out, "sensor     edge-7") {
			t.Errorf("%s: code %d, output %q, errors %q", name, code, out, errs)
		}
		lines := strings.Split(strings.TrimRight(errs, "\n"), "\n")
		if last := fmt.Sprintf("trailhound: warning: the configuration is wrong; asking at %q, its status.listen (--address asks elsewhere)", address); lines[len(lines)-1] != last {
			t.Errorf("%s: the last line is %q", name, lines[len(lines)-1])
		}
		if !strings.HasPrefix(errs, "trailhound: warning: "+file+":") {
			t.Errorf("%s: it is not said what is wrong: %q", name, errs)
		}
	}

	dir := t.TempDir()
	file := writeTest(t, filepath.Join(dir, "config.yaml"), "status: {listen: 127.0.0.1:1}\nno: {key: 1}\n")
	if err := os.Mkdir(filepath.Join(dir, "conf.d"), 0o755); err != nil {
		t.Fatal(err)
	}
	writeTest(t, filepath.Join(dir, "conf.d", "10.yaml"), "status: {listen: \""+address+"\"}\n")
	if code, out, errs := command(t, "status", "-c", file); code != exitDone {
		t.Errorf("by a drop-in: code %d, output %q, errors %q", code, out, errs)
	}
	if code, out, errs := command(t, "status", "-c", file, "--set", "status.listen=127.0.0.1:2", "--set", "log.level=debug"); code != exitFailed || !strings.Contains(errs, `asking at "127.0.0.1:2"`) {
		t.Errorf("by --set: code %d, output %q, errors %q", code, out, errs)
	}
	if code, _, errs := command(t, "status", "-c", file, "--set", "status.lisen=127.0.0.1:2"); code != exitConfig || !strings.HasPrefix(errs, "trailhound: --set: status.lisen: unknown key") {
		t.Errorf("a wrong --set: code %d, errors %q", code, errs)
	}
	if code, _, errs := command(t, "status", "-c", file, "--address", address); code != exitDone || errs != "" {
		t.Errorf("by --address: code %d, errors %q", code, errs)
	}
}

// What the page says of a refused configuration is not said beside it as well.
func TestStatusSaysAnErrorOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.yaml")
	address := statusServer(t, func() status.Snapshot {
		s := statusSample()
		s.Config.LastReload = status.Reload{At: statusNoon, Error: file + ":1:1: captrue: unknown key, did you mean capture?\n" + file + ":9:1: mended: since"}
		return s
	})
	writeTest(t, file, "captrue: {workers: 2}\nstatus: {listen: "+address+"}\nlog: {level: loud}\n")
	_, out, errs := command(t, "status", "-c", file)
	if strings.Contains(errs, "captrue") || strings.Count(out, "captrue: unknown key") != 1 || strings.Count(errs, "log.level") != 1 || strings.Contains(out, "log.level") ||
		!strings.Contains(errs, "the configuration is wrong; asking at") {
		t.Errorf("page:\n%s\nbeside it:\n%s", out, errs)
	}
	// A program reads the document: there is no page.
	if _, _, errs := command(t, "status", "--json", "-c", file); strings.Count(errs, "captrue") != 1 {
		t.Errorf("--json: %s", errs)
	}
}

// What cannot be made out is the default.
func TestSalvageListen(t *testing.T) {
	address := config.Default().Status.Listen
	for _, c := range []struct{ text, listen, from string }{
		{"status: {listen: nowhere}\n", address, "the default"},
		{"status: {listen: [a, b]}\n", address, "the default"},
		{"status: {listen: \"${env:NO_SUCH_VARIABLE}\"}\n", address, "the default"},
		{"status: {listen:\n", address, "the default"},
		{"capture: {\nstatuses: {listen: 127.0.0.1:9}\n", address, "the default"},
		{"status: {listen: \"\"}\nno: key\n", "", "its status.listen"},
		{"status: {listen: '/run/it''s'}\nno: key\n", "/run/it's", "its status.listen"},
		{"status: {listen: \"[::1]:9\"}\nno: key\n", "[::1]:9", "its status.listen"},
		{"\x00\xff\nstatus:\n  listen: 127.0.0.1:9\n", "127.0.0.1:9", "its status.listen"},
	} {
		a := &app{configFile: writeTest(t, filepath.Join(t.TempDir(), "config.yaml"), c.text)}
		if listen, from := a.salvageListen(); listen != c.listen || from != c.from {
			t.Errorf("%q: %q, %s", c.text, listen, from)
		}
	}
	a := &app{configFile: filepath.Join(t.TempDir(), "none.yaml")}
	if listen, from := a.salvageListen(); listen != address || from != "the default" {
		t.Errorf("no file: %q, %s", listen, from)
	}
}

// command runs a command line.
func command(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e strings.Builder
	code = execute(t.Context(), &streams{strings.NewReader(""), &o, &e}, args)
	return code, o.String(), e.String()
}
