package packaging_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The sensor captures on one end of a veth pair, and frames are sent into the
// other; both are in the network namespace of the test system.
const sensorConfig = "capture: {interfaces: [cap0]}\n"

// property gives a property of the service, as systemd knows it.
func (m *machine) property(name string) string {
	m.t.Helper()
	return strings.TrimSpace(m.run("systemctl", "show", "--property", name, "--value", "trailhound"))
}

// newSensor prepares a booted system: an interface, and a configuration that is
// there before the package, as a configuration tool lays it out.
func newSensor(t *testing.T) *machine {
	t.Helper()
	goal(t)
	m := newMachine(t, true)
	m.run("ip", "link", "add", "cap0", "mtu", "9000", "type", "veth", "peer", "name", "gen0", "mtu", "9000")
	m.run("ip", "link", "set", "cap0", "up")
	m.run("ip", "link", "set", "gen0", "up")
	m.write("/etc/trailhound/conf.d/10-capture.yaml", sensorConfig)
	return m
}

// active asserts that the service runs as one process, and gives its number.
func (m *machine) active(when string) string {
	m.t.Helper()
	if state := m.property("ActiveState"); state != "active" {
		log, _ := m.try("journalctl", "-b", "--no-pager", "-u", "trailhound")
		m.t.Fatalf("%s the service is %s\n%s", when, state, log)
	}
	return m.property("MainPID")
}

// replay sends a capture of many trails into the sensor's interface.
func (m *machine) replay() {
	m.t.Helper()
	capture := filepath.Join(built(m.t).dir, "tests", "corpus", "demo.pcap")
	out, code := run(m.t, "nsenter", "--net", "--target", fmt.Sprint(m.init), "tcpreplay", "--quiet", "--topspeed", "--intf1=gen0", capture)
	if code != 0 {
		m.t.Fatalf("tcpreplay: %s", out)
	}
}

// detects sends frames and waits for an event of theirs.
func (m *machine) detects(path string) {
	m.t.Helper()
	const trail = "facebookcorewwwi"
	before := m.events(path, trail)
	m.replay()
	m.eventually("an event in "+path+" of the frames sent", func() bool { return m.events(path, trail) > before })
}

// events counts the lines of a file that hold a text.
func (m *machine) events(path, text string) int {
	data, _ := os.ReadFile(filepath.Join(m.root, path))
	return strings.Count(string(data), text)
}

// The whole life of the deb under a real systemd: its filter of system calls,
// its capabilities, its view of the file system are those of the unit.
func TestServiceDeb(t *testing.T) {
	m := newSensor(t)
	b := built(t)
	const log = "/var/log/trailhound/events.csv"
	m.run("dpkg", "-i", b.old(t, ".deb"))
	m.checkInstalled()
	pid := m.active("installed upon a configuration,")
	m.checkConfined(pid)
	m.checkUnit()

	m.detects(log)
	if got := m.stat(log); got != "640 trailhound:trailhound" {
		t.Errorf("%s is %s", log, got)
	}

	for _, step := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"upgrade", m.upgrade},
		{"reload", m.reload},
		{"credential", m.credential},
		{"output path", m.outputPath},
		{"wrong configuration", m.wrongConfiguration},
		{"watchdog", m.watchdog},
		{"stop", m.stop},
	} {
		// A step begins with what the one before left.
		if !t.Run(step.name, step.run) {
			m.t = t
			return
		}
	}

	m.t = t
	m.run("systemctl", "start", "trailhound")
	m.run("dpkg", "-r", "trailhound")
	if got := m.property("ActiveState"); got != "inactive" {
		t.Errorf("removed, and the service is %s", got)
	}
	m.run("dpkg", "-P", "trailhound")
	for _, path := range []string{"/etc/trailhound", "/var/lib/trailhound", "/var/log/trailhound", "/run/trailhound", wanted} {
		if m.exists(path) {
			t.Errorf("purged, and %s is there", path)
		}
	}
}

// upgrade keeps what the service wrote, and goes on with the new program.
func (m *machine) upgrade(t *testing.T) {
	m.t = t
	const log, id = "/var/log/trailhound/events.csv", "/var/lib/trailhound/sensor-id"
	pid, events, identity := m.active("before the upgrade"), m.read(log), m.read(id)
	m.run("dpkg", "--force-confdef", "--force-confold", "-i", built(t).file(t, ".deb"))
	if now := m.active("upgraded,"); now == pid {
		t.Errorf("the old program still runs")
	}
	if got := m.read(log); !strings.HasPrefix(got, events) {
		t.Errorf("events before the upgrade:\n%safter:\n%s", events, got)
	}
	if got := m.read(id); got != identity {
		t.Errorf("the sensor was %s and is %s", identity, got)
	}
	m.detects(log)
}

// checkConfined reads what the kernel says of each thread of the service.
func (m *machine) checkConfined(pid string) {
	m.t.Helper()
	tasks, err := filepath.Glob(filepath.Join(m.root, "proc", pid, "task", "*", "status"))
	if err != nil || len(tasks) < 2 {
		m.t.Fatalf("threads of the service: %v %v", tasks, err)
	}
	uid := strings.TrimSpace(m.run("id", "-u", "trailhound"))
	wrong := map[string]int{}
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		if err != nil {
			continue // the thread has ended
		}
		status := map[string]string{}
		for line := range strings.Lines(string(text)) {
			key, value, _ := strings.Cut(line, ":")
			status[key] = strings.Join(strings.Fields(value), " ")
		}
		for key, want := range map[string]string{
			"CapEff": "0000000000000000", "CapPrm": "0000000000000000", "CapInh": "0000000000000000", "CapAmb": "0000000000000000",
			"NoNewPrivs": "1", "Seccomp": "2", "Uid": strings.Join([]string{uid, uid, uid, uid}, " "),
		} {
			if status[key] != want {
				wrong[fmt.Sprintf("%s is %q, want %q", key, status[key], want)]++
			}
		}
		// CAP_NET_RAW is bit 13. A thread may have less.
		if bound := status["CapBnd"]; bound != "0000000000002000" && bound != "0000000000000000" {
			wrong["CapBnd is "+bound]++
		}
	}
	for what, threads := range wrong {
		m.t.Errorf("%d of %d threads: %s", threads, len(tasks), what)
	}
}

// reload takes a right configuration and refuses a wrong one.
func (m *machine) reload(t *testing.T) {
	m.t = t
	pid := m.active("before the reload")
	m.write("/etc/trailhound/conf.d/20-reload.yaml", "sensor: {name: renamed}\n")
	m.run("systemctl", "reload", "trailhound")
	m.eventually("the reload takes the new name", func() bool {
		return strings.Contains(m.run("journalctl", "--no-pager", "-u", "trailhound"), `"changed":"sensor.name"`)
	})
	m.write("/etc/trailhound/conf.d/20-reload.yaml", "sensor: {nmae: wrong}\n")
	if out, code := m.try("systemctl", "reload", "trailhound"); code == 0 {
		t.Errorf("a wrong configuration is not refused: %s", out)
	}
	if now := m.active("after a refused reload"); now != pid {
		t.Errorf("the process was %s and is %s", pid, now)
	}
	m.run("rm", "/etc/trailhound/conf.d/20-reload.yaml")
	m.run("systemctl", "reload", "trailhound")
}

// credential uses the example drop-in, in a reload too, which is a process that
// systemd tells nothing of credentials.
func (m *machine) credential(t *testing.T) {
	m.t = t
	m.write("/etc/credstore/trailhound.elk", "opensesame")
	m.run("chmod", "0600", "/etc/credstore/trailhound.elk")
	m.run("mkdir", "-p", "/etc/systemd/system/trailhound.service.d")
	m.run("cp", "/usr/share/doc/trailhound/examples/credential.conf", "/etc/systemd/system/trailhound.service.d/")
	m.write("/etc/trailhound/conf.d/30-secret.yaml", "sensor: {labels: {secret: \"${cred:elk}\"}}\n")
	m.run("systemctl", "daemon-reload")
	m.run("systemctl", "restart", "trailhound")
	m.active("with a credential")
	m.run("systemctl", "reload", "trailhound")
	m.run("rm", "-r", "/etc/systemd/system/trailhound.service.d", "/etc/trailhound/conf.d/30-secret.yaml")
	m.run("systemctl", "daemon-reload")
	m.run("systemctl", "restart", "trailhound")
}

// outputPath writes where the unit does not allow it, and then allows it with
// the example drop-in.
func (m *machine) outputPath(t *testing.T) {
	m.t = t
	m.run("install", "-d", "-o", "trailhound", "/srv/events")
	m.write("/etc/trailhound/conf.d/40-output.yaml", "outputs: [{name: local, path: /srv/events/e.csv}]\n")
	m.run("systemctl", "restart", "trailhound")
	m.replay()
	m.eventually("the unit keeps the service from writing to /srv", func() bool {
		return strings.Contains(m.run("journalctl", "--no-pager", "-u", "trailhound"), "/srv/events/e.csv: read-only file system")
	})
	if m.exists("/srv/events/e.csv") {
		t.Errorf("the unit lets the service write to /srv")
	}
	m.run("systemctl", "kill", "--signal=KILL", "trailhound") // else it tries to deliver before it ends
	m.run("mkdir", "-p", "/etc/systemd/system/trailhound.service.d")
	m.run("cp", "/usr/share/doc/trailhound/examples/output-path.conf", "/etc/systemd/system/trailhound.service.d/")
	m.run("systemctl", "daemon-reload")
	m.run("systemctl", "restart", "trailhound")
	m.detects("/srv/events/e.csv")
	m.run("rm", "-r", "/etc/systemd/system/trailhound.service.d", "/etc/trailhound/conf.d/40-output.yaml")
	m.run("systemctl", "daemon-reload")
	m.run("systemctl", "restart", "trailhound")
	m.run("rm", "-r", "/srv/events") // after the restart: the process that ends still writes
}

// wrongConfiguration ends the service with 78, and nobody tries again.
func (m *machine) wrongConfiguration(t *testing.T) {
	m.t = t
	m.write("/etc/trailhound/conf.d/50-wrong.yaml", "capture: {worker: 1}\n")
	if _, code := m.try("systemctl", "restart", "trailhound"); code == 0 {
		t.Errorf("the service starts with a wrong configuration")
	}
	if state, status, restarts := m.property("ActiveState"), m.property("ExecMainStatus"), m.property("NRestarts"); state != "failed" || status != "78" || restarts != "0" {
		t.Errorf("after a wrong configuration: %s, exit code %s, %s restarts; want failed, 78, 0", state, status, restarts)
	}
	m.run("rm", "/etc/trailhound/conf.d/50-wrong.yaml")
	m.run("systemctl", "start", "trailhound")
}

// watchdog stops the process, which systemd notices and mends.
func (m *machine) watchdog(t *testing.T) {
	m.t = t
	m.write("/etc/systemd/system/trailhound.service.d/watchdog.conf", "[Service]\nWatchdogSec=2s\nTimeoutAbortSec=1s\nRestartSec=0\n")
	m.run("systemctl", "daemon-reload")
	m.run("systemctl", "restart", "trailhound")
	pid := m.active("with a short watchdog")
	m.run("kill", "-STOP", pid)
	m.eventually("the watchdog restarts the service", func() bool { return m.property("NRestarts") == "1" && m.property("ActiveState") == "active" })
	if now := m.active("after the watchdog"); now == pid {
		t.Errorf("the stopped process is still there")
	}
	m.run("rm", "-r", "/etc/systemd/system/trailhound.service.d")
	m.run("systemctl", "daemon-reload")
}

// stop ends the service with SIGTERM: it leaves by itself, with 0.
func (m *machine) stop(t *testing.T) {
	m.t = t
	m.run("systemctl", "stop", "trailhound")
	if state, result, status := m.property("ActiveState"), m.property("Result"), m.property("ExecMainStatus"); state != "inactive" || result != "success" || status != "0" {
		log, _ := m.try("journalctl", "-b", "--no-pager", "-u", "trailhound", "-n", "30")
		t.Errorf("stopped: %s, %s, exit code %s; want inactive, success, 0\n%s", state, result, status, log)
	}
}

// The rpm's scripts under a real systemd.
func TestServiceRPM(t *testing.T) {
	m := newSensor(t)
	b := built(t)
	rpm := func(args ...string) { m.run(append([]string{"rpm", "--nodeps", "--force-debian"}, args...)...) }
	rpm("-i", b.old(t, ".rpm"))
	m.checkInstalled()
	pid := m.active("installed upon a configuration,")
	m.checkConfined(pid)
	rpm("-U", b.file(t, ".rpm"))
	if now := m.active("upgraded,"); now == pid {
		t.Errorf("the old program still runs")
	}
	m.run("systemctl", "stop", "trailhound")
	rpm("-U", "--replacepkgs", b.file(t, ".rpm"))
	if got := m.property("ActiveState"); got != "inactive" {
		t.Errorf("the upgrade starts a stopped service: it is %s", got)
	}
	m.run("systemctl", "start", "trailhound")
	m.run("rpm", "--nodeps", "-e", "trailhound")
	if got := m.property("ActiveState"); got != "inactive" || m.exists(wanted) {
		t.Errorf("erased, and the service is %s", got)
	}
}

// Without a configuration of its own the service waits for the administrator.
func TestServiceWaits(t *testing.T) {
	goal(t)
	m := newMachine(t, true)
	m.run("dpkg", "-i", built(t).file(t, ".deb"))
	m.checkInstalled()
	if got := m.property("ActiveState"); got != "inactive" {
		t.Errorf("installed without a configuration, and the service is %s", got)
	}
	m.run("systemctl", "start", "trailhound")
	m.active("started by the administrator without a configuration of his own,")
	m.run("dpkg", "-P", "trailhound")
}
