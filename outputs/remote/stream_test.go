package remote

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func stream(t *testing.T, addresses ...string) *Stream {
	t.Helper()
	r, err := New(Options{Addresses: addresses, Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	s := NewStream(r)
	t.Cleanup(func() { s.Close() })
	return s
}

func records(texts ...string) (data []byte, ends []int) {
	for _, text := range texts {
		data = append(append(data, text...), '\n')
		ends = append(ends, len(data))
	}
	return data, ends
}

func (s *Stream) put(t *testing.T, texts ...string) {
	t.Helper()
	data, ends := records(texts...)
	if n, err := s.Send(t.Context(), data, ends); err != nil || n != len(ends) {
		t.Fatalf("%d of %d, %v", n, len(ends), err)
	}
}

// TestSentAgain: the receiver ends the connection; the last records come again,
// without a further one being sent.
func TestSentAgain(t *testing.T) {
	l := listen(t, "127.0.0.1:0", nil)
	s := stream(t, l.Addr().String())
	s.put(t, "one", "two")
	if l.line(t) != "one" || l.line(t) != "two" {
		t.Fatal("not the records")
	}
	l.conn(t).Close()
	if l.line(t) != "one" || l.line(t) != "two" {
		t.Fatal("not the records")
	}
	s.put(t, "three")
	if got := l.line(t); got != "three" {
		t.Errorf("got %q", got)
	}
	if st := s.Stats(); st.Resent != 2 || st.ResentBytes != 8 || st.Losses != 1 || st.Connects != 2 {
		t.Errorf("%+v", st)
	}
}

// TestOldIsNotSentAgain: a connection that ends when nothing was sent for long,
// as those of receivers with a time-out do, repeats nothing.
func TestOldIsNotSentAgain(t *testing.T) {
	l := listen(t, "127.0.0.1:0", nil)
	s := stream(t, l.Addr().String())
	s.put(t, "old")
	l.line(t)
	c := s.conn
	for c.Unacknowledged() > 0 {
		runtime.Gosched()
	}
	s.acquire(t.Context())
	s.window.list[0].at = time.Now().Add(-ResendAge - time.Minute)
	s.release()
	l.conn(t).Close()
	<-c.Done()
	s.put(t, "new")
	if got := l.line(t); got != "new" {
		t.Errorf("got %q", got)
	}
	if st := s.Stats(); st.Resent != 0 {
		t.Errorf("%+v", st)
	}
}

// TestNoLoss sends to a receiver that ends connections at random moments, and
// reads slowly: nothing may be missing, and records stay in order.
func TestNoLoss(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	const total = 20_000
	var mu sync.Mutex
	got := make(map[string]int)
	all := make(chan struct{})
	random := rand.New(rand.NewPCG(1, 2))
	go func() {
		for n := 0; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			left := 1 << 30
			if n < 4 {
				left = random.IntN(200_000)
			}
			// What this reads it has got; what is behind in the buffer it never had.
			text, err := io.ReadAll(io.LimitReader(c, int64(left)))
			if left < 1<<30 {
				c.Close()
			}
			mu.Lock()
			lines := strings.Split(string(text), "\n")
			for _, line := range lines[:len(lines)-1] { // the last is torn
				got[line]++
			}
			if err == nil && left == 1<<30 {
				mu.Unlock()
				close(all)
				c.Close()
				return
			}
			mu.Unlock()
		}
	}()
	defer l.Close()
	r, err := New(Options{Addresses: []string{l.Addr().String()}, Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	s := NewStream(r)
	for at := 0; at < total; {
		var texts []string
		for i := at; i < min(at+50, total); i++ {
			texts = append(texts, fmt.Sprintf("record %d %s", i, strings.Repeat("x", 60)))
		}
		data, ends := records(texts...)
		n, err := s.Send(t.Context(), data, ends)
		if err != nil && n == len(ends) {
			t.Fatal("an error, and all were taken")
		}
		if err != nil {
			time.Sleep(20 * time.Millisecond) // the pause that a caller makes
		}
		at += n
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	<-all
	mu.Lock()
	defer mu.Unlock()
	missing := 0
	for i := range total {
		if got[fmt.Sprintf("record %d %s", i, strings.Repeat("x", 60))] == 0 {
			missing++
		}
	}
	if missing > 0 {
		t.Errorf("%d records of %d are missing: %+v", missing, total, s.Stats())
	}
	t.Logf("%+v", s.Stats())
}

// TestSwallower: what takes each connection and ends it gets no records beyond
// the first ones, and all of them come when somebody is there.
func TestSwallower(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	s := stream(t, address)
	var want []string
	failed := 0
	for i := 0; failed < 2; i++ {
		text := fmt.Sprint("record ", i)
		data, ends := records(text)
		if n, err := s.Send(t.Context(), data, ends); n == 1 {
			want = append(want, text)
		} else if err == nil {
			t.Fatal("not taken, and no error")
		} else {
			failed++
		}
	}
	l.Close()
	back := listen(t, address, nil)
	data, ends := records("last")
	for n := 0; n == 0; time.Sleep(20 * time.Millisecond) { // the pause that a caller makes
		n, _ = s.Send(t.Context(), data, ends)
	}
	var got []string
	for line := ""; line != "last"; got = append(got, line) {
		line = back.line(t)
	}
	if want = append(want, "last"); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCloseSendsAgain(t *testing.T) {
	l := listen(t, "127.0.0.1:0", nil)
	s := stream(t, l.Addr().String())
	s.put(t, "one")
	l.line(t)
	c := s.conn
	s.stop() // the follower must not be the one
	s.wait.Wait()
	l.conn(t).Close()
	<-c.Done()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := l.line(t); got != "one" {
		t.Errorf("got %q", got)
	}
	// Where nobody is any more, the error says so.
	r, _ := New(Options{Addresses: []string{l.Addr().String()}, Log: quiet()})
	s = NewStream(r)
	s.put(t, "two")
	l.line(t)
	s.stop()
	s.wait.Wait()
	l.Listener.Close()
	l.conn(t)
	l.conn(t).Close()
	<-s.conn.Done()
	if err := s.Close(); err == nil || !strings.Contains(err.Error(), "may not have arrived") {
		t.Errorf("got %v", err)
	}
}

func TestSendWithEndedContext(t *testing.T) {
	l := listen(t, "127.0.0.1:0", nil)
	s := stream(t, l.Addr().String())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	data, ends := records("x")
	if n, err := s.Send(ctx, data, ends); n != 0 || err == nil {
		t.Errorf("%d %v", n, err)
	}
	if n, err := s.Send(t.Context(), nil, nil); n != 0 || err != nil {
		t.Errorf("%d %v", n, err)
	}
}

func TestWindow(t *testing.T) {
	w := window{age: time.Minute, most: 3 * pieceBytes}
	now := time.Now()
	block := func(records int) (data []byte, ends []int) {
		for range records {
			data = append(data, make([]byte, 1000)...)
			ends = append(ends, len(data))
		}
		return data, ends
	}
	count := func() (n int) {
		total := 0
		for _, p := range w.list {
			n += p.records
			total += len(p.data)
			if len(p.data) != p.records*1000 {
				t.Fatalf("%d records in %d bytes", p.records, len(p.data))
			}
		}
		if total != w.bytes {
			t.Fatalf("%d bytes, counted %d", total, w.bytes)
		}
		return n
	}
	data, ends := block(100)
	w.add(data, ends, now, 0)
	if count() != 100 {
		t.Errorf("%d records", count())
	}
	// By size: never less than asked for, never a piece more.
	for i := range 10 {
		w.add(data, ends, now.Add(time.Duration(i)*time.Millisecond), 0)
		if i > 1 && w.bytes < w.most || w.bytes >= w.most+pieceBytes {
			t.Fatalf("%d bytes", w.bytes)
		}
	}
	// What is not acknowledged stays, up to twice the size.
	for range 10 {
		w.add(data, ends, now, 1<<30)
	}
	if count(); w.bytes < 2*w.most || w.bytes > 2*w.most+pieceBytes {
		t.Errorf("%d bytes", w.bytes)
	}
	// By age.
	later := now.Add(2 * time.Minute)
	data, ends = block(1)
	w.add(data, ends, later, 0)
	if count() != 1 {
		t.Errorf("%d records", count())
	}
	// Lost: old and acknowledged goes, the rest is due.
	w.add(data, ends, later.Add(50*time.Second), 0)
	w.lost(Loss{At: later.Add(61 * time.Second)})
	if count() != 1 || !w.list[0].due {
		t.Errorf("%d pieces", len(w.list))
	}
	// Due stays due, whatever the time.
	w.lost(Loss{At: later.Add(time.Hour)})
	if count() != 1 || !w.list[0].due {
		t.Errorf("%d pieces", len(w.list))
	}
	w.add(data, ends, later.Add(2*time.Hour), 0)
	w.lost(Loss{At: later.Add(2 * time.Hour), Clean: true})
	if count() != 1 || !w.list[0].due {
		t.Errorf("%d pieces", len(w.list))
	}
}

func BenchmarkStream(b *testing.B) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err == nil {
			io.Copy(io.Discard, c)
		}
	}()
	r, err := New(Options{Addresses: []string{l.Addr().String()}, Log: quiet()})
	if err != nil {
		b.Fatal(err)
	}
	s := NewStream(r)
	defer s.Close()
	var data []byte
	var ends []int
	for range 1000 {
		data = append(data, make([]byte, 700)...)
		ends = append(ends, len(data))
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if n, err := s.Send(b.Context(), data, ends); n != len(ends) {
			b.Fatal(err)
		}
	}
}
