package delivery

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// rsyslogd runs with a configuration until it is told to end.
type rsyslogd struct {
	cmd   *exec.Cmd
	ended chan struct{}
	said  bytes.Buffer
	begun time.Time
}

// missing names the package that a module of rsyslog is in, when it is not there.
func missing(module, pkg string) error {
	if _, err := findRsyslog(); err != nil {
		return errors.New("rsyslogd is missing: install the package rsyslog")
	}
	for _, pattern := range []string{"/usr/lib/*/rsyslog/", "/usr/lib/rsyslog/", "/usr/lib64/rsyslog/"} {
		if found, _ := filepath.Glob(pattern + module + ".so"); len(found) > 0 {
			return nil
		}
	}
	return fmt.Errorf("rsyslog has no %s: install the package %s", module, pkg)
}

func findRsyslog() (string, error) {
	if path, err := exec.LookPath("rsyslogd"); err == nil {
		return path, nil
	}
	return exec.LookPath("/usr/sbin/rsyslogd")
}

func startRsyslog(t *testing.T, dir, config string) *rsyslogd {
	t.Helper()
	program, err := findRsyslog()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "rsyslog.conf")
	if err := errors.Join(os.MkdirAll(filepath.Join(dir, "spool"), 0o755), os.WriteFile(path, []byte(config), 0o644)); err != nil {
		t.Fatal(err)
	}
	r := &rsyslogd{cmd: exec.Command(program, "-n", "-f", path, "-i", filepath.Join(dir, "rsyslogd.pid")), ended: make(chan struct{})}
	r.cmd.Stderr, r.cmd.Stdout = &r.said, &r.said
	r.begun = time.Now()
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { r.cmd.Wait(); close(r.ended) }()
	t.Cleanup(func() { r.cmd.Process.Kill(); <-r.ended })
	return r
}

// stop ends it and gives what it used.
func (r *rsyslogd) stop() cost {
	memory := resident(r.cmd.Process.Pid)
	r.cmd.Process.Signal(syscall.SIGTERM)
	<-r.ended
	c := used(r.cmd)
	c.resident = memory
	return c
}

// documents writes what the program has for each event as a line of its own, with
// the id in front of the document: rsyslog need not look for it.
func (b *bench) documents(t *testing.T, journal string) (path string) {
	t.Helper()
	plain := filepath.Join(b.dir, "documents.ndjson")
	path = filepath.Join(b.dir, "documents.txt")
	in, err := os.Create(plain)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	cmd := exec.CommandContext(t.Context(), b.program, "-c", b.configure(t, t.TempDir(), "type: stdout"), "journal", "export", "--journal", journal, "--format", "json")
	cmd.Stdout, cmd.Stderr = in, os.Stderr
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	in.Seek(0, 0)
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	w := bufio.NewWriterSize(out, 1<<20)
	n := 0
	for lines := bufio.NewScanner(in); lines.Scan(); n++ {
		var doc struct{ Event struct{ ID string } }
		if err := json.Unmarshal(lines.Bytes(), &doc); err != nil || len(doc.Event.ID) != 36 {
			t.Fatalf("%v: %.200s", err, lines.Text())
		}
		fmt.Fprintf(w, "%s %s\n", doc.Event.ID, lines.Bytes())
	}
	if err := w.Flush(); err != nil || n != b.events {
		t.Fatalf("%d documents of %d events: %v", n, b.events, err)
	}
	os.Remove(plain)
	return path
}

// The file is read by imfile; omelasticsearch sends what is behind the id in
// bulk requests of up to 4,000 documents, the id as _id, as Trailhound does.
const bulkConfig = `global(workDirectory="%[1]s/spool" localHostname="edge-1" maxMessageSize="64k")
module(load="imfile")
module(load="omelasticsearch")
template(name="id" type="string" string="%%msg:1:36%%")
template(name="document" type="string" string="%%msg:38:$%%")
input(type="imfile" file="%[2]s" tag="event" ruleset="deliver")
ruleset(name="deliver" queue.type="FixedArray" queue.size="50000" queue.dequeueBatchSize="4000") {
  action(type="omelasticsearch" server="%[3]s" serverport="%[4]s" searchIndex="logs-trailhound.event-default" searchType=""
         bulkmode="on" writeoperation="create" dynBulkId="on" bulkid="id" template="document" %[5]s
         errorfile="%[1]s/errors.json" action.resumeRetryCount="-1")
}
`

// Reading the file alone: a byte is written for each line, so that its end is seen.
const readConfig = `global(workDirectory="%[1]s/spool" localHostname="edge-1" maxMessageSize="64k")
module(load="imfile")
template(name="line" type="string" string="\n")
input(type="imfile" file="%[2]s" tag="event" ruleset="deliver")
ruleset(name="deliver" queue.type="FixedArray" queue.size="50000" queue.dequeueBatchSize="4000") {
  action(type="omfile" file="%[1]s/read.out" template="line")
}
`

// read has rsyslog read the documents and send none.
func (b *bench) read(t *testing.T, documents string) cost {
	t.Helper()
	dir := t.TempDir()
	r := startRsyslog(t, dir, fmt.Sprintf(readConfig, dir, documents))
	r.until(t, "everything is read", func() bool { return size(filepath.Join(dir, "read.out")) >= int64(b.events) })
	wall := time.Since(r.begun)
	c := r.stop()
	c.wall, c.events = wall, b.events
	return c
}

// until waits for something that rsyslog does.
func (r *rsyslogd) until(t *testing.T, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(patience)
	for !done() {
		select {
		case <-tick.C:
		case <-r.ended:
			t.Fatalf("rsyslog has ended before %s: %s", what, &r.said)
		case <-limit:
			t.Fatalf("it takes too long until %s", what)
		}
	}
}

// size of a file; 0 when it is not there.
func size(path string) int64 {
	if s, err := os.Stat(path); err == nil {
		return s.Size()
	}
	return 0
}

// bulk has rsyslog send the documents to the node.
func (b *bench) bulk(n *searchNode, documents string, more ...string) cost {
	n.Helper()
	dir := n.TempDir()
	at, err := url.Parse(n.URL)
	if err != nil {
		n.Fatal(err)
	}
	r := startRsyslog(n.T, dir, fmt.Sprintf(bulkConfig, dir, documents, at.Hostname(), at.Port(), strings.Join(more, " ")))
	r.until(n.T, "the node has everything", func() bool { return n.indexed() >= b.events })
	wall := time.Since(r.begun)
	c := r.stop()
	c.wall, c.events = wall, b.events
	if text, err := os.ReadFile(filepath.Join(dir, "errors.json")); err == nil && len(text) > 0 {
		n.Fatalf("rsyslog was refused documents: %.1000s", text)
	}
	return c
}
