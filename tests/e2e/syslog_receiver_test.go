package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// syslogReceiver is a real rsyslog or syslog-ng that writes what it has taken
// apart to a file, as JSON.
type syslogReceiver struct {
	*daemon
	ports map[string]int // of tcp, tls, udp and lines
	lines lineCounter
	pid   int // who sends; 0: this process
}

func startRsyslog(t testing.TB) *syslogReceiver {
	t.Helper()
	receiversFolder(t)
	for _, file := range []string{"/usr/sbin/rsyslogd", "/usr/lib/*/rsyslog/lmnsd_ossl.so"} {
		if found, _ := filepath.Glob(file); len(found) == 0 {
			t.Fatalf("%s is missing: install the packages rsyslog and rsyslog-openssl", file)
		}
	}
	r := newSyslogReceiver(t, "../receivers/rsyslog/rsyslog.conf", "tls")
	r.command = []string{"../receivers/rsyslog/run.sh", r.dir}
	r.start()
	return r
}

func startSyslogNG(t testing.TB) *syslogReceiver {
	t.Helper()
	root := syslogNG(t)
	r := newSyslogReceiver(t, "../receivers/syslog-ng/syslog.conf", "lines")
	r.command = syslogNGCommand(root, r.dir, "syslog.conf")
	r.start()
	return r
}

// syslogNG gives the folder below which syslog-ng is installed.
func syslogNG(t testing.TB) (root string) {
	t.Helper()
	root = filepath.Join(receiversFolder(t), "syslog-ng")
	if _, err := os.Stat(filepath.Join(root, "usr/sbin/syslog-ng")); err == nil {
		return root
	}
	if _, err := os.Stat("/usr/sbin/syslog-ng"); err != nil {
		t.Fatalf("there is no syslog-ng: run tests/receivers/syslog-ng/unpack.sh %s", root)
	}
	return "/"
}

func syslogNGCommand(root, dir, conf string) []string {
	path := func(name string) string { return filepath.Join(dir, name) }
	return []string{"../receivers/syslog-ng/run.sh", root, "-F", "--no-caps", "-f", path(conf), "-R", path("persist"), "-p", path("pid"), "-c", path("ctl")}
}

// newSyslogReceiver makes one that is up when its last port is open.
func newSyslogReceiver(t testing.TB, conf, last string) *syslogReceiver {
	t.Helper()
	dir := t.TempDir()
	r := &syslogReceiver{ports: configure(t, dir, conf, "tcp", "tls", "udp", "lines")}
	r.daemon, r.lines.path = newDaemon(t, dir, r.ports[last]), filepath.Join(dir, "messages.out")
	return r
}

// configure writes a configuration to the folder, with its own ports put in, and
// a certificate.
func configure(t testing.TB, dir, conf string, names ...string) (ports map[string]int) {
	t.Helper()
	writeCertificate(t, dir)
	text, err := os.ReadFile(conf)
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.ReplaceAll(text, []byte("@DIR@"), []byte(dir))
	ports = make(map[string]int)
	for _, name := range names {
		ports[name] = freePort(t)
		text = bytes.ReplaceAll(text, []byte("@"+strings.ToUpper(name)+"@"), []byte(strconv.Itoa(ports[name])))
	}
	if err := os.WriteFile(filepath.Join(dir, filepath.Base(conf)), text, 0o644); err != nil {
		t.Fatal(err)
	}
	return ports
}

func (r *syslogReceiver) address(port string) string { return loopback(r.ports[port]) }

func (r *syslogReceiver) certificate() string { return filepath.Join(r.dir, "cert.pem") }

// socket is the socket of this host that it takes datagrams from; rsyslog has it.
func (r *syslogReceiver) socket() string { return filepath.Join(r.dir, "s") }

// syslogMessage is what a receiver has read.
type syslogMessage struct{ Pri, Version, Time, Host, App, Pid, MsgID, Msg string }

// written is how many messages it has written.
func (r *syslogReceiver) written() int { return r.lines.count() }

// A lineCounter counts the whole lines of a file that grows.
type lineCounter struct {
	path string
	off  int64
	n    int
}

func (c *lineCounter) count() int {
	f, err := os.Open(c.path)
	if err != nil {
		return c.n
	}
	defer f.Close()
	for b := make([]byte, 64<<10); ; {
		k, err := f.ReadAt(b, c.off)
		c.n += bytes.Count(b[:k], []byte("\n"))
		c.off += int64(k)
		if err != nil {
			return c.n
		}
	}
}

// eachMessage hands out what it has written, until take says no.
func (r *syslogReceiver) eachMessage(take func(m *syslogMessage) bool) {
	r.t.Helper()
	eachLine(r.t, filepath.Join(r.dir, "messages.out"), func(line []byte) bool {
		var m syslogMessage
		err := json.Unmarshal(line, &m)
		if at := bytes.LastIndex(line, []byte(`{"pri":`)); err != nil && r.killed && at > 0 {
			m = syslogMessage{} // in front is what was being written when it was killed
			err = json.Unmarshal(line[at:], &m)
		}
		if err != nil {
			r.t.Fatalf("%v in %s", err, line)
		}
		return take(&m)
	})
}

// eachLine hands out the whole lines of a file, until take says no.
func eachLine(t testing.TB, path string, take func(line []byte) bool) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for in := bufio.NewReaderSize(f, 1<<20); ; {
		line, err := in.ReadBytes('\n')
		if err == io.EOF || err == nil && !take(line[:len(line)-1]) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// messages is everything that it has written.
func (r *syslogReceiver) messages() (list []syslogMessage) {
	r.t.Helper()
	r.eachMessage(func(m *syslogMessage) bool {
		list = append(list, *m)
		return true
	})
	return list
}

// last is the sequence number of the CEF event that was written last.
func (r *syslogReceiver) last() uint64 { return lastNumber(r.lines.path, " cn3=") }

// lastNumber is the number behind the last of these marks in a file.
func lastNumber(path, mark string) (n uint64) {
	f, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer f.Close()
	end, _ := f.Seek(0, io.SeekEnd)
	b := make([]byte, 64<<10)
	k, _ := f.ReadAt(b, max(end-int64(len(b)), 0))
	at := bytes.LastIndex(b[:k], []byte(mark))
	if at < 0 {
		return 0 // nothing was written yet
	}
	for _, c := range b[at+len(mark) : k] {
		if c < '0' || c > '9' {
			break
		}
		n = 10*n + uint64(c-'0')
	}
	return n
}

// received looks at every message, compares each event with what was sent the
// first time that it comes, and gives how often each came. Messages longer than
// about the limit were cut.
func (r *syslogReceiver) received(epoch uint64, limit int) times {
	r.t.Helper()
	seen := make(times)
	r.eachMessage(func(m *syslogMessage) bool {
		_, keys, err := readCEF(m.Msg)
		seq, bad := strconv.ParseUint(keys["cn3"], 10, 64)
		if err != nil || bad != nil || seq == 0 {
			r.t.Fatalf("%v in %q", err, *m)
		}
		if seen[seq]++; seen[seq] == 1 {
			e := variedEvent(int(seq - 1))
			e.Epoch = epoch
			if r.pid != 0 && m.Pid == strconv.Itoa(r.pid) {
				m.Pid = strconv.Itoa(os.Getpid())
			}
			sameMessage(r.t, m, &e, len(m.Msg) > limit-200)
		}
		return !r.t.Failed()
	})
	return seen
}

// settles waits until nothing more arrives.
func (r *syslogReceiver) settles() { r.lines.settles() }

// settles waits until the file grows no more: how long a receiver holds back
// what it has is its own matter.
func (c *lineCounter) settles() {
	for before := -1; before != c.count(); time.Sleep(300 * time.Millisecond) {
		before = c.n
	}
}
