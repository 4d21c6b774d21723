package delivery

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// TestStreams delivers the events of a journal over TCP: to a real rsyslog, and
// to sinks that throw them away, which is as fast as the output itself can be.
func TestStreams(t *testing.T) {
	b := newBench(t)
	b.generate(t)
	journal := b.journalOf(t)
	lines, bulk, acks := newStreamSink(t), newBulkSink(t), newLumberjackSink(t)
	to := func(s *sink, output string) func() cost {
		return func() cost {
			begin := time.Now()
			c := b.deliver(t, journal, fmt.Sprintf(output, s.address))
			c.bytes = s.check(t, b.events)
			c.wall = max(c.wall, time.Since(begin)-c.copied)
			return c
		}
	}
	type way struct {
		*row
		run func() cost
	}
	ways := []way{
		{&row{name: "syslog CEF, null sink"}, to(lines, `type: syslog, address: "tcp://%s"`)},
		{&row{name: "syslog ECS, null sink"}, to(lines, `type: syslog, address: "tcp://%s", format: json`)},
		{&row{name: "logstash JSON lines, null sink"}, to(lines, `type: logstash, protocol: tcp, addresses: ["%s"]`)},
		{&row{name: "logstash lumberjack, sink that unpacks"}, to(acks, `type: logstash, protocol: lumberjack, addresses: ["%s"]`)},
		{&row{name: "elasticsearch, null sink"}, to(bulk, `type: elasticsearch, addresses: ["%s"], gzip: 0`)},
		{&row{name: "elasticsearch, gzip 1, null sink"}, to(bulk, `type: elasticsearch, addresses: ["%s"], gzip: 1`)},
	}
	file := &row{name: "syslog CEF, rsyslog that writes a file"}
	if err := missing("imptcp", "rsyslog"); err != nil {
		file.why = err.Error()
	}
	for range b.rounds {
		if file.why == "" {
			file.add(t, b.intoRsyslog(t, journal))
		}
		for _, w := range ways {
			w.add(t, w.run())
		}
	}
	rows := []*row{file}
	for _, w := range ways {
		rows = append(rows, w.row)
	}
	b.print("Over TCP, from the journal", rows)
}

const receiveConfig = `global(workDirectory="%[1]s/spool" localHostname="collector")
module(load="imptcp")
template(name="message" type="string" string="%%rawmsg%%\n")
ruleset(name="all") { action(type="omfile" file="%[1]s/messages.out" template="message") }
input(type="imptcp" address="127.0.0.1" port="%[2]s" ruleset="all")
`

// intoRsyslog delivers to a real rsyslog and waits until its file has everything.
func (b *bench) intoRsyslog(t *testing.T, journal string) cost {
	t.Helper()
	dir := t.TempDir()
	port := freePort(t)
	r := startRsyslog(t, dir, fmt.Sprintf(receiveConfig, dir, port))
	r.until(t, "it listens", func() bool {
		c, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	begin := time.Now()
	c := b.deliver(t, journal, `type: syslog, address: "tcp://127.0.0.1:`+port+`"`)
	written := lineCounter{path: filepath.Join(dir, "messages.out")}
	r.until(t, "everything is in the file", func() bool { return written.count(t) >= b.events })
	c.wall = max(c.wall, time.Since(begin)-c.copied)
	c.bytes = size(written.path)
	r.stop()
	os.Remove(written.path)
	return c
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// lineCounter counts the lines of a file that grows.
type lineCounter struct {
	path  string
	at    int64
	lines int
}

func (l *lineCounter) count(t *testing.T) int {
	t.Helper()
	f, err := os.Open(l.path)
	if err != nil {
		return l.lines
	}
	defer f.Close()
	if _, err := f.Seek(l.at, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	for buf := make([]byte, 256<<10); ; {
		n, err := f.Read(buf)
		l.at += int64(n)
		l.lines += bytes.Count(buf[:n], []byte{'\n'})
		if err != nil {
			return l.lines
		}
	}
}
