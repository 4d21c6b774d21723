package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	crand "crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// patience is when a test gives up; it never decides what is right.
const patience = 90 * time.Second

// everything is how many events a run has in which every one is looked at.
const everything = 100_000

// enough is that, and a tenth of it where the tests that need no installed
// receiver run beside all others.
func enough() int {
	if os.Getenv("TRAILHOUND_RECEIVERS") == "" {
		return everything / 10
	}
	return everything
}

// receiversFolder is where tests/receivers put what no package installs. Without
// one, tests that need real receivers are skipped.
func receiversFolder(t testing.TB) string {
	t.Helper()
	home := os.Getenv("TRAILHOUND_RECEIVERS")
	if home == "" {
		t.Skip("TRAILHOUND_RECEIVERS is not set: it names the folder with the receivers that tests/receivers made")
	}
	return home
}

// until asks until something is so: a file, a counter, another process has
// nothing to wait on.
func until(t testing.TB, what string, is func() bool) {
	t.Helper()
	if !within(patience, is) {
		t.Fatalf("it does not happen that %s", what)
	}
}

func within(limit time.Duration, is func() bool) bool {
	over, tick := time.NewTimer(limit), time.NewTicker(2*time.Millisecond)
	defer over.Stop()
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-over.C:
			return false
		}
	}
	return true
}

// freePort gives a port of the loopback that nobody has, neither for TCP nor for
// UDP.
func freePort(t testing.TB) int {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		pc, err := net.ListenPacket("udp", l.Addr().String())
		if l.Close(); err != nil {
			continue
		}
		pc.Close()
		return l.Addr().(*net.TCPAddr).Port
	}
	t.Fatal("no port is free")
	return 0
}

// loopback is the address of a port.
func loopback(port int) string { return "127.0.0.1:" + strconv.Itoa(port) }

// writeCertificate makes cert.pem for 127.0.0.1, which is its own authority, and
// key.pem.
func writeCertificate(t testing.TB, dir string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), crand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(crand.Reader, cert, cert, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// A daemon is an installed program that listens on a port of TCP. It is killed
// when the test ends.
type daemon struct {
	t       testing.TB
	dir     string // its log is there
	port    int    // it is up when this can be connected to
	command []string
	process *exec.Cmd
	killed  bool // it once was ended with SIGKILL
}

func newDaemon(t testing.TB, dir string, port int, command ...string) *daemon {
	d := &daemon{t: t, dir: dir, port: port, command: command}
	t.Cleanup(func() { d.stop(syscall.SIGKILL) })
	return d
}

// start runs it and waits until it listens.
func (d *daemon) start() {
	d.t.Helper()
	log, err := os.OpenFile(filepath.Join(d.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		d.t.Fatal(err)
	}
	defer log.Close()
	d.process = exec.Command(d.command[0], d.command[1:]...)
	d.process.Stdout, d.process.Stderr = log, log
	d.process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := d.process.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.until("it listens", func() bool {
		c, err := net.Dial("tcp", loopback(d.port))
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

// stop ends it with a signal and waits for its end.
func (d *daemon) stop(sig syscall.Signal) {
	if d.process != nil {
		d.process.Process.Signal(sig)
		d.process.Wait()
		d.process = nil
		d.killed = d.killed || sig == syscall.SIGKILL
	}
}

// until is until with the daemon's log.
func (d *daemon) until(what string, is func() bool) {
	d.t.Helper()
	if !within(patience, is) {
		log, _ := os.ReadFile(filepath.Join(d.dir, "log"))
		d.t.Fatalf("it does not happen that %s: %.2000s", what, log)
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
