package packaging_test

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// rpmRoot runs the host's rpm upon the machine: rpm --root.
func (m *machine) rpmRoot(args ...string) (string, int) {
	m.t.Helper()
	for i, arg := range args {
		if strings.HasPrefix(arg, "/packages/") {
			args[i] = filepath.Join(m.inside, arg) // rpm reads packages outside of the root
		}
	}
	return run(m.t, append([]string{"nsenter", "--mount", "--target", strconv.Itoa(m.init), "rpm", "--root", m.inside, "--dbpath", "/var/lib/rpm", "--define", "_pkgverify_level none"}, args...)...)
}

func (m *machine) mustRPM(args ...string) string {
	m.t.Helper()
	out, code := m.rpmRoot(args...)
	if code != 0 || strings.Contains(out, "scriptlet failed") || strings.Contains(out, "warning: user") || strings.Contains(out, "warning: group") {
		m.t.Fatalf("rpm %s: exit code %d\n%s", strings.Join(args, " "), code, out)
	}
	return out
}

// shared are directories of shells and of the system that no package of ours owns.
var shared = []string{"/usr/share/fish", "/usr/share/fish/vendor_completions.d", "/usr/share/licenses", "/usr/share/zsh", "/usr/share/zsh/site-functions"}

func TestRPMRoot(t *testing.T) {
	goal(t)
	m := newMachine(t, false)
	b := built(t)
	before := m.listing()
	// The system's own packages are unknown to rpm, so dependencies are looked at
	// apart.
	if got := m.mustRPM("-qp", "--requires", b.file(t, ".rpm")); strings.TrimSpace(got) != "/bin/sh" {
		t.Errorf("the package requires %q", got)
	}
	install := []string{"--nodeps", "--force-debian"}
	m.mustRPM(append(install, "-i", b.old(t, ".rpm"))...)
	m.checkInstalled()
	// Modes, owners, digests of all files are those of the package.
	if out, code := m.rpmRoot("-V", "--nodeps", "trailhound"); code != 0 {
		t.Errorf("rpm -V: %s", out)
	}

	m.write("/etc/trailhound/config.yaml", ownConfig)
	m.write("/etc/trailhound/conf.d/10-own.yaml", ownConfig)
	m.write("/var/lib/trailhound/journal/0001", "events")
	m.run("systemctl", "disable", "trailhound")
	m.mustRPM(append(install, "-U", b.file(t, ".rpm"))...)
	for path, want := range map[string]string{
		"/etc/trailhound/config.yaml":        ownConfig,
		"/etc/trailhound/conf.d/10-own.yaml": ownConfig,
		"/var/lib/trailhound/journal/0001":   "events",
	} {
		if got := m.read(path); got != want {
			t.Errorf("after the upgrade %s holds %q, want %q", path, got, want)
		}
	}
	if !strings.HasPrefix(m.read("/etc/trailhound/config.yaml.rpmnew"), "# Trailhound configuration.") {
		t.Errorf("the new configuration is not beside the changed one")
	}
	if m.exists(wanted) {
		t.Errorf("the upgrade enables a service that the administrator disabled")
	}
	m.run("systemctl", "enable", "trailhound")
	m.checkUnit()

	m.mustRPM("--nodeps", "-e", "trailhound")
	if m.exists("/usr/bin/trailhound") || m.exists(wanted) || m.exists("/etc/trailhound/config.yaml") {
		t.Errorf("erased, and the program, its configuration or the link that enables it is there")
	}
	if got := m.read("/etc/trailhound/config.yaml.rpmsave"); got != ownConfig {
		t.Errorf("config.yaml.rpmsave holds %q", got)
	}
	// What README says to remove by hand is all that is left.
	m.run("rm", "-rf", "/etc/trailhound", "/var/lib/trailhound", "/var/log/trailhound")
	left := slices.DeleteFunc(added(before, m.listing()), func(dir string) bool { return slices.Contains(shared, dir) })
	if len(left) > 0 {
		t.Errorf("erased, and left are %v", left)
	}
}

// A container has no systemd at all.
func TestRPMWithoutSystemd(t *testing.T) {
	goal(t)
	m := newMachine(t, false)
	m.run("sh", "-c", "rm /usr/bin/systemctl /usr/bin/systemd-*")
	m.mustRPM("--nodeps", "--force-debian", "-i", built(t).file(t, ".rpm"))
	m.checkInstalled()
	m.mustRPM("--nodeps", "-e", "trailhound")
	if m.exists("/usr/bin/trailhound") {
		t.Errorf("erased, and the program is there")
	}
}
