package packaging_test

import (
	"slices"
	"strings"
	"testing"
)

// wanted is the link that enables the service.
const wanted = "/etc/systemd/system/multi-user.target.wants/trailhound.service"

// ownConfig is what an administrator writes.
const ownConfig = "sensor: {name: own}\n"

// listing names the files of a system, without those that package managers and
// the user database keep for themselves.
func (m *machine) listing() []string {
	m.t.Helper()
	out := m.run("find", "/", "-xdev", "(", "-path", "/var/lib/dpkg", "-o", "-path", "/var/lib/rpm", "-o", "-path", "/packages", "-o", "-path", "/dev", "-o", "-path", "/run", "-o", "-path", "/proc",
		"-o", "-path", "/var/cache/man", "-o", "-path", "/var/log/dpkg.log", "-o", "-path", "/etc/*-", "-o", "-path", "/var/log/journal", ")", "-prune", "-o", "-print")
	list := strings.Fields(out)
	slices.Sort(list)
	return list
}

// added says what is there after that was not there before.
func added(before, after []string) (more []string) {
	for _, file := range after {
		if _, found := slices.BinarySearch(before, file); !found {
			more = append(more, file)
		}
	}
	return more
}

// checkInstalled looks at what every package lays out.
func (m *machine) checkInstalled() {
	m.t.Helper()
	if out := m.run("trailhound", "version"); !strings.HasPrefix(out, "trailhound ") {
		m.t.Errorf("trailhound version says %q", out)
	}
	if out := m.run("setpriv", "--reuid=trailhound", "--regid=trailhound", "--clear-groups", "trailhound", "config", "check"); !strings.Contains(out, "configuration is valid") {
		m.t.Errorf("config check as the service's user says %q", out)
	}
	for path, want := range map[string]string{
		"/usr/bin/trailhound":         "755 root:root",
		"/etc/trailhound":             "755 root:root",
		"/etc/trailhound/conf.d":      "750 root:trailhound",
		"/etc/trailhound/config.yaml": "644 root:root",
		"/var/lib/trailhound":         "750 trailhound:trailhound",
		"/var/log/trailhound":         "750 trailhound:trailhound",
	} {
		if got := m.stat(path); got != want {
			m.t.Errorf("%s is %s, want %s", path, got, want)
		}
	}
	if got := strings.TrimSpace(m.run("getent", "passwd", "trailhound")); !strings.HasSuffix(got, ":Trailhound network sensor:/var/lib/trailhound:/usr/sbin/nologin") {
		m.t.Errorf("the user is %q", got)
	}
	if m.exists("/usr/bin/systemctl") && strings.TrimSpace(m.run("systemctl", "is-enabled", "trailhound")) != "enabled" {
		m.t.Errorf("the service is not enabled")
	}
	for _, page := range []string{"trailhound", "trailhound-config-check"} {
		if out := m.run("man", "--where", page); !strings.HasPrefix(out, "/usr/share/man/man1/"+page+".1.gz") {
			m.t.Errorf("man page %s: %q", page, out)
		}
	}
	m.run("bash", "-n", "/usr/share/bash-completion/completions/trailhound")
}

// checkUnit asks systemd what it thinks of the unit, as it is installed.
func (m *machine) checkUnit() {
	m.t.Helper()
	if out, code := m.try("systemd-analyze", "verify", "/usr/lib/systemd/system/trailhound.service"); code != 0 || strings.Contains(out, "trailhound") {
		m.t.Errorf("systemd-analyze verify: %s", out)
	}
	// --threshold is in tenths: 1.9.
	out, code := m.try("systemd-analyze", "security", "--offline=true", "--threshold=19", "--no-pager", "/usr/lib/systemd/system/trailhound.service")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	m.t.Log(lines[len(lines)-1])
	if code != 0 {
		m.t.Errorf("the unit is open to more than 1.9:\n%s", out)
	}
}

func TestDebWithoutRunningSystemd(t *testing.T) {
	goal(t)
	m := newMachine(t, false)
	b := built(t)
	before := m.listing()
	m.run("dpkg", "-i", b.old(t, ".deb"))
	m.checkInstalled()
	if !m.exists(wanted) {
		t.Errorf("the first installation does not enable the service")
	}
	old := m.read("/etc/trailhound/config.yaml")

	// An administrator's work, and what the service writes.
	m.write("/etc/trailhound/config.yaml", ownConfig)
	m.write("/etc/trailhound/conf.d/10-own.yaml", ownConfig)
	m.write("/var/lib/trailhound/journal/0001", "events")
	m.write("/var/log/trailhound/events.csv", "time\n")
	m.run("systemctl", "disable", "trailhound")

	m.run("dpkg", "--force-confdef", "--force-confold", "-i", b.file(t, ".deb"))
	for path, want := range map[string]string{
		"/etc/trailhound/config.yaml":        ownConfig,
		"/etc/trailhound/conf.d/10-own.yaml": ownConfig,
		"/var/lib/trailhound/journal/0001":   "events",
		"/var/log/trailhound/events.csv":     "time\n",
	} {
		if got := m.read(path); got != want {
			t.Errorf("after the upgrade %s holds %q, want %q", path, got, want)
		}
	}
	if got := m.read("/etc/trailhound/config.yaml.dpkg-dist"); got == old || !strings.HasPrefix(got, "# Trailhound configuration.") {
		t.Errorf("the new configuration is not beside the changed one")
	}
	if m.exists(wanted) {
		t.Errorf("the upgrade enables a service that the administrator disabled")
	}
	m.checkUnit()

	m.run("dpkg", "-r", "trailhound")
	if m.exists("/usr/bin/trailhound") || m.exists(wanted) {
		t.Errorf("removed, and the program or the link that enables it is there")
	}
	for _, path := range []string{"/etc/trailhound/config.yaml", "/etc/trailhound/conf.d/10-own.yaml", "/var/lib/trailhound/journal/0001", "/var/log/trailhound/events.csv"} {
		if !m.exists(path) {
			t.Errorf("removed, not purged, and %s is gone", path)
		}
	}
	m.run("dpkg", "-i", b.file(t, ".deb"))
	m.checkInstalled()
	m.run("dpkg", "-r", "trailhound")
	m.run("dpkg", "-P", "trailhound")
	if left := added(before, m.listing()); len(left) > 0 {
		t.Errorf("purged, and left are %v", left)
	}
}

// A container has no systemd at all.
func TestDebWithoutSystemd(t *testing.T) {
	goal(t)
	m := newMachine(t, false)
	m.run("sh", "-c", "rm /usr/bin/systemctl /usr/bin/systemd-* /usr/bin/deb-systemd-*")
	m.run("dpkg", "-i", built(t).file(t, ".deb"))
	m.checkInstalled()
	m.run("dpkg", "-i", built(t).file(t, ".deb"))
	m.run("dpkg", "-P", "trailhound")
	if m.exists("/etc/trailhound") || m.exists("/var/lib/trailhound") {
		t.Errorf("purged, and something is left")
	}
}
