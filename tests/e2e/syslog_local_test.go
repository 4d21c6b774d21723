package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"

	"trailhound/outputs"
	"trailhound/outputs/syslog"
)

// localSocket names the socket that TestSyslogLocalChild puts in the place of
// this host's own.
const localSocket = "TRAILHOUND_E2E_LOCAL"

// localEvents is how many events it sends.
const localEvents = 5000

// TestSyslogLocal: events go to this host's syslog through go-syslog. A process
// in a mount namespace of its own takes a test's rsyslog for it.
func TestSyslogLocal(t *testing.T) {
	r := startRsyslog(t)
	cmd := exec.Command(os.Args[0], "-test.run=^TestSyslogLocalChild$", "-test.v")
	cmd.Env = append(os.Environ(), localSocket+"="+r.socket())
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Skipf("a mount namespace is needed: %v", err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, said.Bytes())
	}
	_, rest, _ := bytes.Cut(said.Bytes(), []byte("epoch "))
	digits, _, _ := bytes.Cut(rest, []byte("\n"))
	epoch, err := strconv.ParseUint(string(digits), 10, 64)
	if err != nil {
		t.Fatalf("%v\n%s", err, said.Bytes())
	}
	r.until("all messages arrive", func() bool { return r.written() >= localEvents })
	r.pid = cmd.Process.Pid
	if twice := r.received(epoch, 8000).check(t, localEvents); twice > 0 {
		t.Errorf("%d came twice", twice)
	}
}

// TestSyslogLocalChild is no test but the process that TestSyslogLocal starts.
func TestSyslogLocalChild(t *testing.T) {
	socket := os.Getenv(localSocket)
	if socket == "" {
		t.Skip("the process that TestSyslogLocal starts")
	}
	var err error
	if exists("/dev/log") {
		err = syscall.Mount(socket, "/dev/log", "", syscall.MS_BIND, "")
	} else if err = syscall.Mount("none", "/run", "tmpfs", 0, ""); err == nil { // /var/run leads there
		err = os.Symlink(socket, "/run/log")
	}
	if err != nil {
		t.Fatal(err)
	}
	o := newSyslog(t, syslog.Keys{Address: "local"})
	if err := o.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	l := newDeliveryLine(t, o, outputs.Settings{})
	l.feed(localEvents)
	l.end()
	fmt.Printf("epoch %d\n", l.epoch())
}
