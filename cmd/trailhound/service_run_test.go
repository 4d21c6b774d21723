package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"trailhound/agent/status"
	"trailhound/trails"
	"trailhound/trails/table"
)

// patience is when a test gives up; it never decides what is right.
const patience = time.Minute

// logLine is a line of the service's log.
type logLine struct {
	Level, Msg, Code, State, Cause, Error, From, Keys string
}

// sensor is a running service.
type sensor struct {
	t     *testing.T
	cmd   *exec.Cmd
	lines chan logLine
	past  []logLine // those that were read
}

// run starts the service in the first namespace. The user is the one that it
// becomes.
func (c *clinic) run(t *testing.T, config, as string) *sensor {
	t.Helper()
	s := &sensor{t: t, lines: make(chan logLine, 1024)}
	s.cmd = exec.Command(c.binary, "run", "-c", config, "--user", as)
	s.cmd.Dir, s.cmd.Env = "/", []string{"PATH=" + os.Getenv("PATH")}
	text, err := s.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.in(c.here, s.cmd.Start); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.cmd.Process.Kill(); s.cmd.Wait() })
	go func() {
		defer close(s.lines)
		for scan := bufio.NewScanner(text); scan.Scan(); {
			l := logLine{Msg: scan.Text()} // what is no JSON is the program's last word
			json.Unmarshal(scan.Bytes(), &l)
			s.lines <- l
		}
	}()
	return s
}

// until reads the log up to the line that is waited for.
func (s *sensor) until(what string, is func(logLine) bool) logLine {
	s.t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for {
		select {
		case l, ok := <-s.lines:
			if !ok {
				s.t.Fatalf("%s: it has ended\n%+v", what, s.past)
			}
			s.past = append(s.past, l)
			if is(l) {
				return l
			}
		case <-limit.C:
			s.t.Fatalf("%s: never\n%+v", what, s.past)
		}
	}
}

// eventually asks until something is so.
func eventually(t *testing.T, what func() string, is func() bool) {
	t.Helper()
	limit, tick := time.NewTimer(patience), time.NewTicker(10*time.Millisecond)
	defer limit.Stop()
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatalf("never: %s", what())
		}
	}
}

func says(msg string) func(logLine) bool {
	return func(l logLine) bool { return l.Msg == msg }
}

// count counts the lines that speak of something, among those that were read.
func (s *sensor) count(what string) (n int) {
	for _, l := range s.past {
		if strings.Contains(l.Msg+" "+l.Error, what) {
			n++
		}
	}
	return n
}

// end waits for the end after a signal and reads the rest of the log.
func (s *sensor) end(with syscall.Signal) error {
	s.cmd.Process.Signal(with)
	for l := range s.lines {
		s.past = append(s.past, l)
	}
	return s.cmd.Wait()
}

// tableOf writes a table of n trails.
func tableOf(t *testing.T, path string, n int) {
	t.Helper()
	b := table.NewBuilder(table.Options{Seed: 1, Now: time.Now()})
	prov := b.Provenance(trails.Provenance{Info: "test", Reference: trails.ReferenceStatic})
	for i := range n {
		b.Add(trails.Domain, fmt.Appendf(nil, "%d.example", i), prov)
	}
	if err := b.WriteFile(path); err != nil {
		t.Fatal(err)
	}
}

// nobody gives the user that the service becomes, and a directory of its own.
func (c *clinic) nobody(t *testing.T) (uid, gid int, dir string) {
	u, err := user.Lookup("nobody")
	if err != nil {
		t.Skip("needs user nobody")
	}
	uid, _ = strconv.Atoi(u.Uid)
	gid, _ = strconv.Atoi(u.Gid)
	if dir, err = os.MkdirTemp(c.dir, "run-"); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Chown(dir, uid, gid), os.Chmod(dir, 0o750)); err != nil {
		t.Fatal(err)
	}
	return uid, gid, dir
}

// configure writes a configuration file.
func configure(t *testing.T, path, format string, args ...any) {
	t.Helper()
	text := "capture: {ring_total: 8MiB, interfaces: [v0], workers: 1, silence: off}\nhealth: {canary: 0s}\nlog: {format: json}\n" + fmt.Sprintf(format, args...)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestServiceSocket: started as root, the service answers those of its group
// on its socket, and nobody else; it takes the place of one that has died, not
// of one that lives, and leaves nothing behind.
func TestServiceSocket(t *testing.T) {
	c := newClinic(t)
	uid, gid, dir := c.nobody(t)
	config, socket := filepath.Join(c.dir, "socket.yaml"), filepath.Join(dir, "status.sock")
	configure(t, config, "state: %s\noutputs: []\nstatus: {listen: \"unix:%s\"}\n", dir, socket)

	ask := func(uid, gid int) string {
		cmd := exec.Command(c.binary, "status", "-c", config)
		cmd.Dir, cmd.SysProcAttr = "/", &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
		out, err := cmd.CombinedOutput()
		if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		return string(out)
	}
	first := c.run(t, config, "nobody")
	first.until("capturing", says("capturing"))
	info, err := os.Stat(socket)
	if err != nil {
		t.Fatal(err)
	}
	owner := info.Sys().(*syscall.Stat_t)
	if int(owner.Uid) != uid || int(owner.Gid) != gid || info.Mode() != os.ModeSocket|0o660 {
		t.Errorf("the socket is of %d:%d, mode %v", owner.Uid, owner.Gid, info.Mode())
	}
	if page := ask(12345, gid); !strings.Contains(page, "starter set") {
		t.Errorf("one of the group is told: %s", page)
	}
	// The directory lets others through now, so that the socket itself decides.
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if page := ask(12345, 12345); !strings.Contains(page, "the socket is for the sensor's user and group only") {
		t.Errorf("a stranger is told: %s", page)
	}
	second := c.run(t, config, "nobody")
	second.until("the refusal", func(l logLine) bool { return strings.Contains(l.Msg, "another process answers there") })
	if err := second.end(syscall.SIGTERM); err == nil {
		t.Error("a second one runs")
	}
	if page := ask(12345, gid); !strings.Contains(page, "starter set") {
		t.Errorf("after the second was refused: %s", page)
	}

	first.end(syscall.SIGKILL)
	if _, err := os.Stat(socket); err != nil {
		t.Fatal(err)
	}
	third := c.run(t, config, "nobody")
	third.until("capturing", says("capturing"))
	if page := ask(12345, gid); !strings.Contains(page, "starter set") {
		t.Errorf("in place of one that has died: %s", page)
	}
	if err := third.end(syscall.SIGTERM); err != nil {
		t.Errorf("the end: %v %+v", err, third.past)
	}
	if _, err := os.Stat(socket); !os.IsNotExist(err) {
		t.Errorf("the socket is left: %v", err)
	}
}

// TestServiceTrails: a reload takes the path of the table and the least share,
// a table that is no good changes nothing, and each fault is one line of the
// log.
func TestServiceTrails(t *testing.T) {
	c := newClinic(t)
	_, _, dir := c.nobody(t)
	config, socket := filepath.Join(c.dir, "trails.yaml"), filepath.Join(dir, "status.sock")
	write := func(table string, ratio float64) {
		t.Helper()
		configure(t, config, "state: %s\noutputs: []\nstatus: {listen: \"unix:%s\"}\ntrails: {table: %q, min_ratio: %g}\n", dir, socket, table, ratio)
	}
	path := func(name string) string { return filepath.Join(dir, name) }
	tableOf(t, path("a.thd"), 100)
	tableOf(t, path("b.thd"), 90)
	tableOf(t, path("small.thd"), 9)
	if err := os.WriteFile(path("broken.thd"), []byte("no table"), 0o644); err != nil {
		t.Fatal(err)
	}
	write(path("a.thd"), 0.5)
	s := c.run(t, config, "nobody")
	s.until("capturing", says("capturing"))

	client, err := status.NewClient("unix:" + socket)
	if err != nil {
		t.Fatal(err)
	}
	uses := func(source string, n uint64, raised ...string) {
		t.Helper()
		var have string
		want := fmt.Sprintf("%d of %s, raised %q", n, source, raised)
		// An answer may be a second old.
		eventually(t, func() string { return want + ", is " + have }, func() bool {
			now, _, err := client.Status(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var codes []string
			for _, h := range now.Health {
				codes = append(codes, fmt.Sprintf("%s %s %s", h.Code, h.Cause, h.State))
			}
			have = fmt.Sprintf("%d of %s, raised %q", now.Trails.Count, now.Trails.Source, codes)
			return have == want
		})
	}
	reload := func(table string, ratio float64) {
		t.Helper()
		write(table, ratio)
		s.cmd.Process.Signal(syscall.SIGHUP)
		s.until("loaded", says("configuration loaded"))
	}
	rejected := func(why string) {
		t.Helper()
		l := s.until(why, func(l logLine) bool { return strings.Contains(l.Msg, why) })
		if l.Level != "WARN" || l.Code != "health.trails.rejected" || l.Cause != trailsCause {
			t.Errorf("the line is %+v", l)
		}
	}
	uses(path("a.thd"), 100)

	reload(path("b.thd"), 0.5)
	s.until("b", func(l logLine) bool { return l.Msg == "trails in use" && l.From == path("b.thd") })
	uses(path("b.thd"), 90)

	reload(path("broken.thd"), 0.5)
	rejected("not a trail table")
	uses(path("b.thd"), 90, "health.trails.rejected trails raised")
	reload(path("none.thd"), 0.5)
	rejected("does not exist")
	reload(path("small.thd"), 0.5)
	rejected("less than 0.5 of the 90 in use")
	uses(path("b.thd"), 90, "health.trails.rejected trails raised")

	reload(path("small.thd"), 0.05)
	s.until("small", func(l logLine) bool { return l.Msg == "trails in use" && l.From == path("small.thd") })
	uses(path("small.thd"), 9)

	// Back to the default, which is in the state directory of this process.
	tableOf(t, path(tableFile), 50)
	reload("", 0.05)
	s.until("default", func(l logLine) bool { return l.Msg == "trails in use" && l.From == path(tableFile) })
	// Its directory is watched.
	tableOf(t, path(tableFile), 60)
	s.until("the next", says("trails in use"))
	uses(path(tableFile), 60)

	// A fault of the table in use.
	whole, _ := os.ReadFile(path(tableFile))
	eventually(t, func() string { return "no copy" }, func() bool {
		copied, _ := os.ReadFile(path("trails.good"))
		return bytes.Equal(copied, whole)
	})
	if err := os.Truncate(path(tableFile), 0); err != nil {
		t.Fatal(err)
	}
	s.until("the fault", func(l logLine) bool { return l.Code == "health.trails.fault" && l.State == "raised" })
	uses(path("trails.good"), 60, "health.trails.fault trails raised")
	if err := s.end(syscall.SIGTERM); err != nil {
		t.Errorf("the end: %v", err)
	}
	for what, want := range map[string]int{"not a trail table": 1, "does not exist": 1, "less than 0.5": 1, "need a restart": 0, "cannot be used": 0} {
		if n := s.count(what); n != want {
			t.Errorf("%q is said %d times, want %d:\n%+v", what, n, want, s.past)
		}
	}
	// Who notices first, the directory's watch or a packet, words it.
	if n := s.count("was written in place, which") + s.count("was cut off in place"); n != 1 {
		t.Errorf("the fault is said %d times:\n%+v", n, s.past)
	}
}
