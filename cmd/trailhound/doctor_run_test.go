package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"trailhound/agent/config"
	"trailhound/tests/corpus"
	"trailhound/tests/namespace"
)

// clinic is a pair of namespaces joined by a veth, and the program to run in
// the first one.
type clinic struct {
	dir, binary string
	here, there *namespace.Space
}

func newClinic(t *testing.T) *clinic {
	if testing.Short() {
		t.Skip("builds the program; not with -short")
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root to become other users")
	}
	if err := namespace.Possible(); err != nil {
		t.Skip(err)
	}
	dir, err := os.MkdirTemp("", "thdv-") // not t.TempDir: other users must get in
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	c := &clinic{dir: dir, binary: filepath.Join(dir, programCommand)}
	build := exec.Command("go", "build", "-o", c.binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	c.here, c.there = namespace.New(t), namespace.New(t)
	c.here.IP("link add v0 type veth peer name v1 netns " + c.there.Name())
	c.here.IP("addr add 10.98.0.1/24 dev v0\nlink set lo up\nlink set v0 up")
	c.there.IP("addr add 10.98.0.2/24 dev v1\nlink set v1 up")
	return c
}

// in runs f on a thread in one of the namespaces.
func (c *clinic) in(ns *namespace.Space, f func() error) error { return ns.Inside(f) }

// converse has the other side open connections to this one, from before it
// returns until the test or part of it ends.
func (c *clinic) converse(t *testing.T) {
	var l net.Listener
	if err := c.in(c.here, func() (err error) { l, err = net.Listen("tcp4", "10.98.0.1:80"); return err }); err != nil {
		t.Fatal(err)
	}
	answered, asked := make(chan struct{}), make(chan error, 1)
	go func() {
		defer close(answered)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			b := make([]byte, 64)
			n, _ := conn.Read(b)
			conn.Write(b[:n])
			conn.Read(b) // the other side closes
			conn.Close()
		}
	}()
	stop, met := make(chan struct{}), make(chan struct{})
	meet := sync.OnceFunc(func() { close(met) })
	go func() {
		defer meet()
		asked <- c.in(c.there, func() error {
			for {
				select {
				case <-stop:
					return nil
				default:
				}
				conn, err := net.DialTCP("tcp4", nil, &net.TCPAddr{IP: net.IPv4(10, 98, 0, 1), Port: 80})
				if err != nil {
					return err
				}
				meet()
				conn.Write([]byte("hello"))
				conn.Read(make([]byte, 64))
				conn.SetLinger(0) // no port left in TIME_WAIT
				conn.Close()
			}
		})
	}()
	t.Cleanup(func() {
		close(stop)
		if err := <-asked; err != nil {
			t.Errorf("the other side: %v", err)
		}
		l.Close()
		<-answered
	})
	<-met // the first packets of a link that has just been made wait for its neighbours
}

// knock has the other side send a packet of others over and over, as a mirror port
// of one direction shows it.
func (c *clinic) knock(t *testing.T, p corpus.Packet) {
	frame := p.Ethernet().Data
	stop, done := make(chan struct{}), make(chan error, 1)
	go func() {
		done <- c.in(c.there, func() error {
			i, err := net.InterfaceByName("v1")
			if err != nil {
				return err
			}
			fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, 0)
			if err != nil {
				return err
			}
			defer unix.Close(fd)
			for {
				select {
				case <-stop:
					return nil
				default:
				}
				if err := unix.Sendto(fd, frame, 0, &unix.SockaddrLinklayer{Ifindex: i.Index}); err != nil && !errors.Is(err, unix.ENOBUFS) {
					return err
				}
				runtime.Gosched()
			}
		})
	}()
	t.Cleanup(func() {
		close(stop)
		if err := <-done; err != nil {
			t.Errorf("the other side: %v", err)
		}
	})
}

// glance is how long doctor looks where nothing is to be seen.
const glance = 300 * time.Millisecond

// sees runs doctor, and again for longer, until it finds v0 as it is to be: on a
// busy host the other side may not get a turn while doctor looks.
func (c *clinic) sees(t *testing.T, uid uint32, as func(v0 finding) bool, set ...string) (code int, by map[string]finding, errs string) {
	t.Helper()
	for watch := glance; watch < time.Minute; watch *= 4 {
		if code, by, errs = c.doctor(t, uid, watch, set...); as(by["interface v0"]) {
			break
		}
	}
	return code, by, errs
}

// both says that packets of both directions were seen.
func both(v0 finding) bool {
	return strings.Contains(v0.Detail, "packets/s") && !strings.Contains(v0.Detail, " 0 packets/s") && !strings.Contains(v0.Detail, " 0 sent")
}

func warned(v0 finding) bool {
	return v0.Status == statusWarn && !strings.Contains(v0.Detail, "nothing seen")
}

// doctor runs the program in the first namespace as a user with its directory,
// and gives the findings by check.
func (c *clinic) doctor(t *testing.T, uid uint32, watch time.Duration, set ...string) (code int, by map[string]finding, errs string) {
	t.Helper()
	state, err := os.MkdirTemp(c.dir, "state-")
	if err != nil {
		t.Fatal(err)
	}
	// Root asks for the user of the service if there is one on this host.
	if err := os.Chmod(state, 0o777); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(c.dir, "config.yaml")
	text := fmt.Sprintf("capture: {ring_total: 8MiB, snaplen: 128KiB, interfaces: [v0]}\nstate: %s\n"+
		"outputs: [{name: local, type: csv, path: %s/events.csv}]\n", state, state)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	args := []string{"doctor", "--json", "--watch", watch.String(), "-c", file}
	for _, s := range set {
		args = append(args, "--set", s)
	}
	cmd := exec.Command(c.binary, args...)
	var out, stderr strings.Builder
	cmd.Stdout, cmd.Stderr, cmd.Dir = &out, &stderr, "/"
	if uid != 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	}
	// The child is made by this thread, in its namespace.
	err = c.in(c.here, cmd.Run)
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	by = make(map[string]finding)
	if out.Len() > 0 {
		var list []finding
		if err := json.Unmarshal([]byte(out.String()), &list); err != nil {
			t.Fatalf("%v in %s", err, out.String())
		}
		for _, f := range list {
			by[f.Check] = f
		}
	}
	return cmd.ProcessState.ExitCode(), by, stderr.String()
}

// TestLookCountsWhatIsInTheRing: the kernel hands over a block when it is full or
// a while later. What came before the end counts though nobody has read it.
func TestLookCountsWhatIsInTheRing(t *testing.T) {
	if err := namespace.Possible(); err != nil {
		t.Skip(err)
	}
	s := namespace.New(t)
	s.IP("link add v0 type veth peer name v1\nlink set v0 up\nlink set v1 up")
	c, err := config.Load(config.Options{Set: []string{"capture.interfaces=[v0]", "capture.ring_total=8MiB", "capture.filter=udp port 5000"}})
	if err != nil {
		t.Fatal(err)
	}
	var l *look
	if err := s.Inside(func() (err error) { l, err = openLook(c); return err }); err != nil {
		t.Fatal(err)
	}
	const frames = 7
	fd := s.Socket("v0") // what this side sends is in the ring when it is sent
	for range frames {
		if _, err := unix.Write(fd, corpus.IP("10.1.0.1", "10.2.0.1", corpus.UDP(50000, 5000, "x")).Ethernet().Data); err != nil {
			t.Fatal(err)
		}
	}
	by, dropped := l.end()
	if len(by) != 1 || dropped != 0 {
		t.Fatalf("%+v, %d dropped", by, dropped)
	}
	for _, seen := range by {
		if seen.sent != frames || seen.foreign+seen.home != frames {
			t.Errorf("%+v", seen)
		}
	}
}

func TestDoctor(t *testing.T) {
	c := newClinic(t)
	t.Run("as root", func(t *testing.T) {
		c.converse(t)
		code, by, errs := c.sees(t, 0, both)
		if code != exitDone {
			t.Errorf("exit code %d: %+v\n%s", code, by, errs)
		}
		by["interface v0"].is(t, "interface", statusOK, "veth, up, MTU 1500: ", "")
		if f := by["interface v0"]; !strings.Contains(f.Detail, "(captured ") || !both(f) {
			t.Errorf("both directions: %s", f.Detail)
		}
		by["configuration"].is(t, "configuration", statusOK, "config.yaml", "")
		by["privileges"].is(t, "privileges", statusOK, "CAP_NET_RAW is effective", "")
		by["kernel"].is(t, "kernel", statusOK, "TPACKET_V3 ring, socket filter, fan-out by BPF, ignore outgoing", "")
		by["offloads"].is(t, "offloads", statusOK, "128KiB", "")
		by["trails"].is(t, "trails", statusWarn, "starter set", "trails build")
	})
	t.Run("one direction", func(t *testing.T) {
		c.knock(t, corpus.IP("10.1.0.1", "10.2.0.1", corpus.Syn(50000, 443)))
		_, by, _ := c.sees(t, 0, warned, "capture.filter=tcp and not host 10.98.0.1")
		by["interface v0"].is(t, "interface", statusWarn, "one direction only", "both directions")
		by["capture filter"].is(t, "filter", statusOK, "compiler built-in", "")
	})
	t.Run("home elsewhere", func(t *testing.T) {
		c.knock(t, corpus.IP("198.51.100.1", "203.0.113.1", corpus.UDP(50000, 5000, "x")))
		_, by, _ := c.sees(t, 0, warned, "capture.filter=udp port 5000")
		by["interface v0"].is(t, "elsewhere", statusWarn, "no side in detection.home_networks", "detection.home_networks")
		c.here.IP("addr add 203.0.113.1/32 dev lo") // this host's own address is at home
		_, by, _ = c.sees(t, 0, func(v0 finding) bool { return v0.Status == statusOK }, "capture.filter=udp port 5000")
		c.here.IP("addr del 203.0.113.1/32 dev lo")
		by["interface v0"].is(t, "own address", statusOK, "(captured ", "")
	})
	t.Run("silent", func(t *testing.T) {
		code, by, _ := c.doctor(t, 0, glance, "capture.filter=tcp port 9")
		by["interface v0"].is(t, "interface", statusWarn, "nothing seen", "mirror port")
		by["traffic"].is(t, "traffic", statusWarn, "no packet on any interface", "--watch")
		if code != exitDone {
			t.Errorf("exit code %d: warnings are no failure", code)
		}
	})
	t.Run("any", func(t *testing.T) {
		c.converse(t)
		code, by, _ := c.sees(t, 0, both, "capture.interfaces=[any]")
		by["interface v0"].is(t, "interface", statusOK, "(captured ", "")
		by["interface lo"].is(t, "loopback", statusOK, "loopback, up, MTU 65536: 0 packets/s", "")
		if code != exitDone {
			t.Errorf("exit code %d: %+v", code, by)
		}
	})
	t.Run("small snaplen", func(t *testing.T) {
		_, by, _ := c.doctor(t, 0, glance, "capture.snaplen=2KiB")
		by["offloads"].is(t, "offloads", statusWarn, "TSO", "ethtool -K v0")
	})
	t.Run("missing interface", func(t *testing.T) {
		code, by, _ := c.doctor(t, 0, glance, "capture.interfaces=[v9]")
		by["interface v9"].is(t, "interface", statusFail, "no such interface", "there are: lo, v0")
		if code != exitFailed {
			t.Errorf("exit code %d", code)
		}
	})
	t.Run("without privilege", func(t *testing.T) {
		c.converse(t)
		code, by, errs := c.sees(t, 65534, both)
		// An installed unit makes a warning of it: the service has what it needs.
		if p := by["privileges"]; code != map[string]int{statusFail: exitFailed, statusWarn: exitDone}[p.Status] {
			t.Errorf("exit code %d: %s", code, errs)
		}
		if p := by["privileges"]; p.Status == statusOK || !strings.Contains(p.Detail, "CAP_NET_RAW is missing") || p.Action == "" {
			t.Errorf("privileges: %+v", p)
		}
		by["interface v0"].is(t, "interface", statusOK, "(counters of ", "")
		by["kernel"].is(t, "kernel", statusOK, "could not be tried", "")
		by["state directory"].is(t, "state", statusOK, "checked as user", "")
		by["traffic"].is(t, "traffic", statusWarn, "counters", "see privileges")
	})
	t.Run("no right to write", func(t *testing.T) {
		closed := t.TempDir()
		if err := os.Chmod(closed, 0o700); err != nil {
			t.Fatal(err)
		}
		state := filepath.Join(closed, "none", "state")
		code, by, _ := c.doctor(t, 65534, glance, "state="+state)
		by["state directory"].is(t, "state", statusFail, state, "install -d")
		if code != exitFailed {
			t.Errorf("exit code %d", code)
		}
	})
	t.Run("wrong configuration", func(t *testing.T) {
		for _, set := range []string{"capture.snaplen=1", "capture.filter=prot 80"} {
			if code, by, errs := c.doctor(t, 0, glance, set); code != exitConfig || len(by) != 0 || !strings.Contains(errs, "capture.") {
				t.Errorf("%s: exit code %d: %s", set, code, errs)
			}
		}
	})
}
