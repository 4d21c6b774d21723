package e2e

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	lumber "github.com/elastic/go-lumber/server/v2"
)

// arrivals are the events that came to a receiver: the id by number. One that
// comes twice has to be the same event.
type arrivals struct {
	t     *testing.T
	mu    sync.Mutex
	ids   map[uint64]string
	twice int
}

func (a *arrivals) take(seq uint64, id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ids == nil {
		a.ids = make(map[uint64]string)
	}
	switch before := a.ids[seq]; {
	case id == "":
		a.t.Errorf("number %d has no id", seq)
	case before == "":
		a.ids[seq] = id
	case before == id:
		a.twice++
	default:
		a.t.Errorf("number %d is event %s and event %s", seq, before, id)
	}
}

// has says how many there are, and the first that is not of those up to last.
func (a *arrivals) has(last uint64) (n int, missing uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for seq := uint64(1); seq <= last; seq++ {
		if a.ids[seq] == "" {
			return len(a.ids), seq
		}
	}
	return len(a.ids), 0
}

// listen takes JSON lines; a line that is cut off counts as none.
func (a *arrivals) listen(t *testing.T) (address string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				for in := bufio.NewReader(c); ; {
					line, err := in.ReadBytes('\n')
					if err != nil {
						return
					}
					var doc struct {
						Event struct {
							ID       string
							Sequence uint64
						}
					}
					if err := json.Unmarshal(line, &doc); err != nil {
						a.t.Errorf("%v: %q", err, line)
					}
					a.take(doc.Event.Sequence, doc.Event.ID)
				}
			})
		}
	})
	t.Cleanup(func() { l.Close(); all.Wait() })
	return l.Addr().String()
}

// rowsFile reads a growing CSV file: what was added since the last time, up to
// the last whole line.
type rowsFile struct {
	path     string
	off      int64
	seq, id  int // columns
	arrivals *arrivals
}

func (r *rowsFile) read(t *testing.T) {
	t.Helper()
	f, err := os.Open(r.path)
	if errors.Is(err, os.ErrNotExist) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.NewSectionReader(f, r.off, 1<<40))
	if err != nil {
		t.Fatal(err)
	}
	text = text[:strings.LastIndexByte(string(text), '\n')+1]
	rows, err := csv.NewReader(strings.NewReader(string(text))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range rows {
		if r.off == 0 && i == 0 {
			r.seq, r.id = slices.Index(row, "seq"), slices.Index(row, "event_id")
			continue
		}
		n, err := strconv.ParseUint(row[r.seq], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		r.arrivals.take(n, row[r.id])
	}
	r.off += int64(len(text))
}

// acknowledge takes events over Lumberjack.
func (a *arrivals) acknowledge(t *testing.T) (address string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv, err := lumber.NewWithListener(l)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for batch := range srv.ReceiveChan() {
			for _, e := range batch.Events {
				doc, _ := e.(map[string]any)
				seq, _ := dig(doc, "event.sequence").(float64)
				id, _ := dig(doc, "event.id").(string)
				a.take(uint64(seq), id)
			}
			batch.ACK()
		}
	})
	t.Cleanup(func() { srv.Close(); all.Wait() })
	return l.Addr().String()
}

// messagesFile reads the growing file of a syslogReceiver: what was added since
// the last time, up to the last whole line.
type messagesFile struct {
	path     string
	off      int64
	arrivals *arrivals
}

func (m *messagesFile) read(t *testing.T) {
	t.Helper()
	f, err := os.Open(m.path)
	if errors.Is(err, os.ErrNotExist) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for in := bufio.NewReader(io.NewSectionReader(f, m.off, 1<<40)); ; {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		m.off += int64(len(line))
		var message syslogMessage
		if err := json.Unmarshal(line, &message); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		_, keys, err := readCEF(message.Msg)
		seq, bad := strconv.ParseUint(keys["cn3"], 10, 64)
		if err != nil || bad != nil {
			t.Fatalf("%v in %q", err, message)
		}
		m.arrivals.take(seq, keys["externalId"])
	}
}
