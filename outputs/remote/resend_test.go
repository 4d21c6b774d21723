package remote

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"trailhound/outputs"
)

// piped is a receiver at the other end of pipes, for tests of hours. What it
// takes is acknowledged at once, and its end is always in order.
type piped struct {
	mu    sync.Mutex
	got   map[string]int // lines
	conns int
	serve func(c net.Conn, line func(string)) // ends when the receiver ends c
}

func (p *piped) dial(context.Context, string, string) (net.Conn, error) {
	here, there := net.Pipe()
	p.mu.Lock()
	p.conns++
	p.mu.Unlock()
	go func() {
		defer there.Close()
		p.serve(there, func(line string) {
			p.mu.Lock()
			p.got[line]++
			p.mu.Unlock()
		})
	}()
	return here, nil
}

// sums says how often a line came at most, how many lines came, and over how many
// connections.
func (p *piped) sums() (most, lines, conns int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, n := range p.got {
		most, lines = max(most, n), lines+n
	}
	return most, lines, p.conns
}

func (p *piped) stream(t *testing.T) *Stream {
	p.got = map[string]int{}
	r, err := New(Options{Addresses: []string{"192.0.2.1:514"}, Dial: p.dial, Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	return NewStream(r)
}

// until reads lines until a deadline of c passes.
func until(c net.Conn, line func(string)) {
	for s := bufio.NewScanner(c); s.Scan(); {
		line(s.Text())
	}
}

// TestIdleEndRepeatsOnce: a receiver that ends what was idle for 10 s gets each
// record twice at most, and no connection when there is nothing to send.
func TestIdleEndRepeatsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &piped{serve: func(c net.Conn, line func(string)) {
			for b := bufio.NewReader(c); ; {
				c.SetReadDeadline(time.Now().Add(10 * time.Second))
				text, err := b.ReadString('\n')
				if err != nil {
					return
				}
				line(text)
			}
		}}
		s := p.stream(t)
		s.put(t, "one", "two")
		time.Sleep(time.Hour)
		if most, lines, conns := p.sums(); most != 2 || lines != 4 || conns != 2 {
			t.Errorf("%d lines over %d connections, one %d times", lines, conns, most)
		}
		// Each later one too: an idle end is no fault, and costs no pause.
		for i := range 20 {
			s.put(t, fmt.Sprint("later ", i))
			time.Sleep(time.Minute)
		}
		if most, lines, _ := p.sums(); most != 2 || lines != 44 {
			t.Errorf("%d lines, one %d times", lines, most)
		}
		if st := s.Stats(); st.Resent != 22 || st.Losses != 42 {
			t.Errorf("%+v", st)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestShortConnections: a receiver that reads and ends each connection after
// 1.5 s gets each record twice at most; pauses grow, and Send tells of them.
func TestShortConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &piped{serve: func(c net.Conn, line func(string)) {
			c.SetReadDeadline(time.Now().Add(1510 * time.Millisecond)) // never at the moment of a write
			until(c, line)
		}}
		s := p.stream(t)
		sent, failing := drip(t, s, 10*time.Minute)
		most, lines, conns := p.sums()
		st := s.Stats()
		if most > 3 || lines > 2*sent+conns || conns > 20 || st.Losses < 10 || failing < 50*time.Second {
			t.Errorf("%d sent, %d lines over %d connections, one %d times, failing for %s: %+v", sent, lines, conns, most, failing, st)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestAnsweringReceiver: what answers each record, as no receiver does, is given up, and
// sees each record a few times at most.
func TestAnsweringReceiver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &piped{serve: func(c net.Conn, line func(string)) {
			until(c, func(text string) {
				line(text)
				io.WriteString(c, strings.Repeat("HTTP/1.1 400 Bad Request\r\n", 500))
			})
		}}
		s := p.stream(t)
		sent, failing := drip(t, s, 10*time.Minute)
		most, lines, conns := p.sums()
		if most > 2+mostAgain || lines > (2+mostAgain)*sent || conns > 25 || failing < 50*time.Second {
			t.Errorf("%d sent, %d lines over %d connections, one %d times, failing for %s: %+v", sent, lines, conns, most, failing, s.Stats())
		}
		if got := outputs.ClassOf(s.conn.reason()); got != outputs.Protocol {
			t.Errorf("class %v: %v", got, s.conn.reason())
		}
		s.Close()
	})
}

// drip sends 20 records a second, each again until it is taken, and gives how
// many were and the longest time without one.
func drip(t *testing.T, s *Stream, span time.Duration) (sent int, failing time.Duration) {
	last := time.Now()
	for end := last.Add(span); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		data, ends := records(fmt.Sprint("record ", sent))
		n, err := s.Send(t.Context(), data, ends)
		now := time.Now()
		failing = max(failing, now.Sub(last))
		if n == 1 {
			sent, last = sent+1, now
		} else if class := outputs.ClassOf(err); class != outputs.Connect && class != outputs.Protocol && !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("class %v: %v", class, err)
		}
	}
	return sent, failing
}

// TestDoubt goes through what a loss says of records that were written at some
// time and sent again before.
func TestDoubt(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		name  string
		age   time.Duration // since the first time that it was written
		again int
		l     Loss
		due   bool
	}{
		{"ended in order, for the first time", time.Second, 0, Loss{Ended: true}, true},
		{"ended in order once more", time.Second, 1, Loss{Ended: true}, false},
		{"ended in order, and never acknowledged", time.Hour, 9, Loss{Ended: true, Unacknowledged: 1}, true},
		{"ended in order when it was old", 31 * time.Second, 0, Loss{Ended: true}, false},
		{"broken", time.Second, 0, Loss{}, true},
		{"broken once more", time.Second, 1, Loss{}, true},
		{"broken too often", time.Second, mostAgain, Loss{}, false},
		{"broken, and sent again just now", 31 * time.Second, 1, Loss{}, false},
		{"broken, and never acknowledged", time.Hour, mostAgain, Loss{Unacknowledged: 1}, true},
		{"we ended it", time.Second, 0, Loss{Clean: true}, false},
	} {
		w := window{age: ResendAge, most: ResendBytes}
		w.add([]byte("x\n"), []int{2}, now, 0)
		w.list[0].again = c.again
		c.l.At = now.Add(c.age)
		w.lost(c.l)
		if got := len(w.list) == 1 && w.list[0].due; got != c.due || !got && w.bytes != 0 {
			t.Errorf("%s: due %t, %d bytes", c.name, got, w.bytes)
		}
	}
}

// TestLossInTheMiddle: a connection that breaks while the window is sent again
// leaves what was not reached due, and of what was the unacknowledged.
func TestLossInTheMiddle(t *testing.T) {
	now := time.Now()
	w := window{age: ResendAge, most: ResendBytes}
	for i := range 4 {
		w.add([]byte("record\n"), []int{7}, now.Add(time.Duration(2*i)*time.Second), 0)
	}
	w.lost(Loss{At: now.Add(8 * time.Second)})
	for i := range 2 { // as resend does
		w.list[i].due, w.list[i].again = false, 1
	}
	w.lost(Loss{At: now.Add(time.Minute), Unacknowledged: 3}) // of the second
	if len(w.list) != 3 || w.bytes != 21 || w.list[0].again != 1 || w.list[1].again != 0 {
		t.Errorf("%d bytes, %+v", w.bytes, w.list)
	}
	for i := range w.list {
		if !w.list[i].due {
			t.Errorf("%d is not due", i)
		}
	}
}

// TestRecordsAgeOneByOne: records that trickle in are not kept by later ones.
func TestRecordsAgeOneByOne(t *testing.T) {
	w := window{age: ResendAge, most: ResendBytes}
	now := time.Now()
	for range 200 {
		now = now.Add(900 * time.Millisecond)
		w.add([]byte("x\n"), []int{2}, now, 0)
	}
	w.lost(Loss{At: now})
	if w.list[0].first.Before(now.Add(-ResendAge - time.Second)) {
		t.Errorf("a record is %s old", now.Sub(w.list[0].first))
	}
}
