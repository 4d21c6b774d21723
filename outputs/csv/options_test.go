package csv

import (
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

func decode(t *testing.T, text string) (Options, error) {
	t.Helper()
	var node yaml.Node
	if err := yaml.Unmarshal([]byte(text), &node); err != nil {
		t.Fatal(err)
	}
	return Decode(&node)
}

func TestDecode(t *testing.T) {
	got, err := decode(t, "{name: local, type: csv, path: /var/log/e.csv}")
	want := Defaults()
	want.Path = "/var/log/e.csv"
	if err != nil || got != want {
		t.Errorf("%+v %v", got, err)
	}
	got, err = decode(t, "path: /e.csv\nmax_size: 1.5MiB\n")
	if err == nil {
		t.Errorf("%+v", got)
	}
	got, err = decode(t, "path: /e.csv\nmax_size: 64MiB\nmax_files: 3\ndaily: false\ncompress: false\nmode: 0600\nspreadsheet_safe: true\nformat: maltrail\nhealth: false\n")
	want = Options{Path: "/e.csv", MaxSize: 64 << 20, MaxFiles: 3, Mode: 0o600, SpreadsheetSafe: true, Format: "maltrail"}
	if err != nil || got != want {
		t.Errorf("%+v %v", got, err)
	}
	for text, in := range map[string]string{
		"path: /e.csv\nmaxsize: 1":              "2:1: maxsize: unknown key",
		"path: /e.csv\npath: /f.csv":            "2:1: key \"path\" is given twice",
		"path: /e.csv\nmode: rw":                "2:7: mode: not a file mode",
		"path: /e.csv\nmode: 01777":             "not a file mode",
		"path: /e.csv\nmode: 0440":              "forbids writing",
		"path: /e.csv\ndaily: perhaps":          "2:8: daily:",
		"path: /e.csv\nmax_files: 0":            "at least 1",
		"path: /e.csv\nmax_size: 0":             "not a size",
		"path: /e.csv\nmax_size: 9999999999GiB": "not a size",
		"path: /e.csv\nformat: xml":             "format is none of table, csv",
		"path: /e.csv\nformat: table":           "terminals only",
		"path: e.csv":                           "not absolute",
		"daily: true":                           "path is missing",
		"[a, b]":                                "not a mapping",
		"path: [a]":                             "1:7: path:",
	} {
		if _, err := decode(t, text); err == nil || !strings.Contains(err.Error(), in) {
			t.Errorf("%q: %v, want %q", text, err, in)
		}
	}
	if _, err := decode(t, "path: e.csv\nmaxsize: 1\nformatt: csv\n"); err == nil || strings.Count(err.Error(), "\n") != 2 ||
		!strings.Contains(err.Error(), "2:1: maxsize") || !strings.Contains(err.Error(), "3:1: formatt") || !strings.Contains(err.Error(), "not absolute") {
		t.Errorf("not all at once: %v", err)
	}
	if _, err := Decode(nil); err == nil {
		t.Error("nil is no mapping")
	}
}

// A value may be the content of a file of secrets.
func TestErrorsHoldNoValues(t *testing.T) {
	for _, key := range []string{"path", "max_size", "max_files", "daily", "compress", "mode", "spreadsheet_safe", "format"} {
		_, err := decode(t, key+": \"root:hunter2\\nmore\"")
		if err == nil || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", key, err)
		}
	}
}

func TestParseSize(t *testing.T) {
	for text, want := range map[string]int64{"1": 1, "512B": 512, "10KiB": 10240, "2 MB": 2e6, "3GiB": 3 << 30, "1KB": 1000} {
		if got, err := parseSize(text); got != want || err != nil {
			t.Errorf("%s: %d %v", text, got, err)
		}
	}
}
