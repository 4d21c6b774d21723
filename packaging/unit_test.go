package packaging_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// unitFile reads a unit: the values of each key, in order.
func unitFile(t *testing.T, file string) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if key, value, ok := strings.Cut(line, "="); ok && line[0] != '#' {
			keys[key] = append(keys[key], value)
		}
	}
	return keys
}

// What the unit promises; that it works is shown by the tests that boot it.
func TestUnit(t *testing.T) {
	unit := unitFile(t, "systemd/trailhound.service")
	for key, want := range map[string]string{
		"Type":                     "notify",
		"NotifyAccess":             "main",
		"User":                     "trailhound",
		"AmbientCapabilities":      "CAP_NET_RAW",
		"CapabilityBoundingSet":    "CAP_NET_RAW",
		"NoNewPrivileges":          "yes",
		"RestartPreventExitStatus": "64 77 78",
		"StateDirectory":           "trailhound",
		"LogsDirectory":            "trailhound",
		"WatchdogSec":              "30s",
		"ProtectSystem":            "strict",
		"MemoryHigh":               "512M",
	} {
		if got := unit[key]; !slices.Equal(got, []string{want}) {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	// CAP_NET_RAW in a user namespace is none on the host's network.
	for _, key := range []string{"PrivateUsers", "PrivateNetwork", "DynamicUser"} {
		if got, ok := unit[key]; ok {
			t.Errorf("%s is set to %q", key, got)
		}
	}
	// The last word of the filter: it drops capabilities and sets priorities.
	if filter := unit["SystemCallFilter"]; len(filter) == 0 || filter[len(filter)-1] != "capset setpriority ioprio_set" {
		t.Errorf("SystemCallFilter is %q", filter)
	}
	reload := unit["ExecReload"]
	if len(reload) != 2 || !strings.HasSuffix(reload[0], "/usr/bin/trailhound config check") || !strings.Contains(reload[1], "kill -HUP") {
		t.Errorf("ExecReload is %q, want a check of the configuration and then the signal", reload)
	}
}

// The user is the same everywhere that it is made.
func TestOneUser(t *testing.T) {
	text, err := os.ReadFile("systemd/trailhound.sysusers")
	if err != nil {
		t.Fatal(err)
	}
	var line string
	for l := range strings.Lines(string(text)) {
		if l[0] == 'u' {
			line = l
		}
	}
	pre, err := os.ReadFile("rpm/pre")
	if err != nil {
		t.Fatal(err)
	}
	if line == "" || !bytes.Contains(pre, []byte("\n"+line+"END\n")) {
		t.Errorf("rpm/pre does not make the user of systemd/trailhound.sysusers, %q", line)
	}
	useradd := []byte("useradd --system --user-group --home-dir /var/lib/trailhound --no-create-home \\\n\t\t--shell /usr/sbin/nologin --comment 'Trailhound network sensor' trailhound")
	post, err := os.ReadFile("deb/postinst")
	if err != nil {
		t.Fatal(err)
	}
	for name, script := range map[string][]byte{"rpm/pre": pre, "deb/postinst": post} {
		if !bytes.Contains(script, useradd) {
			t.Errorf("%s has another fallback for systemd-sysusers", name)
		}
	}
}

// Every script is POSIX shell that parses; in Debian sh is dash.
func TestScriptsParse(t *testing.T) {
	scripts := []string{"build.sh", "version.sh", "testdata/machine.sh"}
	for _, pattern := range []string{"deb/p*", "rpm/p*"} {
		found, _ := filepath.Glob(pattern)
		scripts = append(scripts, found...)
	}
	for _, script := range scripts {
		if out, err := exec.Command("sh", "-n", script).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", script, err, out)
		}
	}
	if len(scripts) < 3+3+4 {
		t.Errorf("scripts: %v", scripts)
	}
}
