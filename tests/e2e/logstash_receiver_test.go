package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"trailhound/agent/event"
)

// jsonReceiver is a syslog-ng that takes JSON lines, in the place of Logstash's
// tcp and udp inputs, which no registry of packages has.
type jsonReceiver struct {
	*daemon
	ports map[string]int // of tcp, tls and udp
	lines lineCounter
	cut   bool // connections were ended in the middle of a line
}

func startJSONReceiver(t testing.TB) *jsonReceiver {
	t.Helper()
	root := syslogNG(t)
	dir := t.TempDir()
	r := &jsonReceiver{ports: configure(t, dir, "../receivers/syslog-ng/json.conf", "tcp", "tls", "udp"), lines: lineCounter{path: filepath.Join(dir, "json.out")}}
	r.daemon = newDaemon(t, dir, r.ports["tls"], syslogNGCommand(root, dir, "json.conf")...)
	r.start()
	return r
}

func (r *jsonReceiver) address(port string) string { return loopback(r.ports[port]) }

func (r *jsonReceiver) certificate() string { return filepath.Join(r.dir, "cert.pem") }

// written is how many lines it has written.
func (r *jsonReceiver) written() int { return r.lines.count() }

// last is the sequence number of the ECS document that was written last.
func (r *jsonReceiver) last() uint64 { return lastNumber(r.lines.path, `"sequence":`) }

func (r *jsonReceiver) settles() { r.lines.settles() }

// eachDocument hands out what arrived and was JSON to syslog-ng's parser. What
// was not is an error, unless connections were cut: syslog-ng takes the end of a
// connection for the end of a line.
func (r *jsonReceiver) eachDocument(take func(doc map[string]any) bool) {
	r.t.Helper()
	if path := filepath.Join(r.dir, "refused.out"); exists(path) {
		eachLine(r.t, path, func(line []byte) bool {
			if torn := bytes.HasPrefix(line, []byte("{")) && !json.Valid(line); !torn || !r.cut {
				r.t.Fatalf("this was no JSON to syslog-ng: %.2000s", line)
			}
			return true
		})
	}
	eachLine(r.t, r.lines.path, func(line []byte) bool {
		doc, err := decodeNumbers(string(line))
		if err != nil {
			r.t.Fatalf("%v in %s", err, line)
		}
		return take(doc)
	})
}

// received looks at every document, compares it with what was sent, and gives
// how often each event came.
func (r *jsonReceiver) received(epoch uint64, compat bool) times {
	r.t.Helper()
	seen := make(times)
	r.eachDocument(func(doc map[string]any) bool {
		var n int
		var err error
		if trail, ok := doc["trail"].(string); compat && ok {
			n, err = strconv.Atoi(trail[strings.LastIndexByte(trail, ' ')+1:])
			n++
		} else {
			n, err = strconv.Atoi(fmt.Sprint(dig(doc, "event.sequence")))
		}
		if err != nil || n < 1 {
			r.t.Fatalf("%v in %.2000q", err, doc)
		}
		e := variedEvent(n - 1)
		e.Epoch = epoch
		sameFields(r.t, doc, &e, compat)
		if id := dig(doc, "event.id"); !compat && id != event.IDString(e.ID) {
			r.t.Errorf("event %d has the id %v", n, id)
		}
		seen[uint64(n)]++
		return !r.t.Failed()
	})
	return seen
}
