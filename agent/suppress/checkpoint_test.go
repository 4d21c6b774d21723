package suppress

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"trailhound/agent/event"
)

// fill sets every field of a value to something that is not zero.
func fill(v reflect.Value, n *uint64) {
	*n++
	switch p := v.Addr().Interface().(type) {
	case *time.Time:
		*p = start.Add(time.Duration(*n) * time.Microsecond)
		return
	case *netip.Addr:
		*p = netip.AddrFrom4([4]byte{10, 0, 0, byte(*n)})
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 3, 3))
		for i := range 3 {
			fill(v.Index(i), n)
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case reflect.String:
		v.SetString(strings.Repeat("x", int(*n)))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float64:
		v.SetFloat(float64(*n) / 3)
	default:
		v.SetUint(*n % 4)
		if v.Uint() == 0 {
			v.SetUint(1)
		}
	}
}

// A field that is added to an event must not be forgotten here.
func TestCodecHasEveryField(t *testing.T) {
	var e, got event.Event
	var n uint64
	fill(reflect.ValueOf(&e).Elem(), &n)
	w := codec{}
	w.event(&e)
	r := codec{reading: true, in: w.out, left: 1 << 20}
	if r.event(&got); r.bad || len(r.in) > 0 {
		t.Fatalf("bad %v, %d bytes left", r.bad, len(r.in))
	}
	if !reflect.DeepEqual(e, got) {
		t.Errorf("\n%+v\nbecomes\n%+v", e, got)
	}
	for i := range w.out { // cut anywhere
		r = codec{reading: true, in: w.out[:i], left: 1 << 20}
		if r.event(new(event.Event)); !r.bad {
			t.Errorf("%d bytes of %d are an event", i, len(w.out))
		}
	}
	r = codec{reading: true, in: w.out, left: 300}
	if r.event(&got); !r.bad {
		t.Error("the memory is not bounded")
	}
	e, got = event.Event{}, event.Event{}
	w, r = codec{}, codec{reading: true}
	w.event(&e)
	r.in = w.out
	if r.event(&got); r.bad || !reflect.DeepEqual(e, got) {
		t.Errorf("nothing becomes %+v", got)
	}
}

// restored gives a gate that took over the checkpoint of another.
func restored(t *testing.T, g *Gate) *Gate {
	t.Helper()
	fresh := New(g.opt)
	if err := fresh.Restore(bytes.NewReader(g.AppendCheckpoint(nil))); err != nil {
		t.Fatal(err)
	}
	return fresh
}

// TestCheckpointGoesOn: after a checkpoint, the gate that restores it does
// exactly what the other would have done.
func TestCheckpointGoesOn(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 5))
		g := New(Options{Window: 20 * time.Second, Inbound: time.Duration(seed%2) * time.Hour, Rules: mustCompile(t, named("here", Local, fieldSourcePort, "1-9"))})
		events := stream(r, 300)
		for i := range events {
			e := &events[i]
			e.Time = e.Time.Truncate(time.Microsecond) // as of all events
			e.Trail, e.VLANs = []string{"a", "b", "c"}[r.IntN(3)], []uint16{7}
			e.Direction, e.Severity = []event.Direction{event.Inbound, event.Outbound}[r.IntN(2)], event.Low
		}
		cut := r.IntN(300)
		drop := func(event.Event) {}
		for _, e := range events[:cut] {
			g.Take(e, drop)
		}
		h := restored(t, g)
		if a, b := g.Counts(), h.Counts(); a.Keys != b.Keys || a.Held != b.Held || b.Detected != 0 {
			t.Fatalf("seed %d: %+v\nbecomes %+v", seed, a, b)
		}
		var one, two []event.Event
		for _, e := range events[cut:] {
			g.Take(e, func(e event.Event) { one = append(one, e) })
			h.Take(e, func(e event.Event) { two = append(two, e) })
		}
		g.Flush(func(e event.Event) { one = append(one, e) })
		h.Flush(func(e event.Event) { two = append(two, e) })
		if !reflect.DeepEqual(one, two) {
			t.Fatalf("seed %d: %d events, %d after the checkpoint", seed, len(one), len(two))
		}
		var left uint64
		for _, e := range two {
			left += e.Aggregate.Count
		}
		if c := h.Counts(); left != c.Detected-c.Suppressed+c.Restored || c.Held != 0 {
			t.Errorf("seed %d: %d left of %+v", seed, left, c)
		}
	}
}

// TestCheckpointChangesNothing: a gate of which a checkpoint is taken every now and
// then tells what one does that is left alone, outcomes included.
func TestCheckpointChangesNothing(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 12))
		opt := Options{Window: 20 * time.Second, Outcomes: true}
		g, h := New(opt), New(opt)
		var one, two []event.Event
		left := func(e event.Event) { one = append(one, e) }
		right := func(e event.Event) { two = append(two, e) }
		g.Answer(anything, left)
		h.Answer(anything, right)
		events := stream(r, 300)
		for i, e := range events {
			g.Take(e, left)
			h.Take(e, right)
			if r.IntN(4) == 0 {
				a := answered(events[max(0, i-r.IntN(5))], 0, pick(r, event.Answered, event.Refused))
				a.Time = e.Time
				g.Answer(a, left)
				h.Answer(a, right)
			}
			h.AppendCheckpoint(nil)
		}
		g.Flush(left)
		h.Flush(right)
		if a, b := g.Counts(), h.Counts(); !reflect.DeepEqual(one, two) || a != b || a.Outcomes[event.Attempted] == 0 {
			t.Fatalf("seed %d: %d events, %d of the gate with checkpoints\n%+v\n%+v", seed, len(one), len(two), a, b)
		}
	}
}

// What was told after the checkpoint is told again with the same id.
func TestSummaryAfterACrashHasTheSameID(t *testing.T) {
	g := New(Options{Window: time.Minute})
	var before, after []event.Event
	for _, e := range at(0, 1, 2) {
		g.Take(e, func(event.Event) {})
	}
	h := restored(t, g)
	g.Take(detection(4, 3, "10.0.0.1"), func(event.Event) {})
	g.Advance(start.Add(time.Minute), func(e event.Event) { before = append(before, e) })
	h.Advance(start.Add(time.Minute), func(e event.Event) { after = append(after, e) })
	if len(before) != 1 || len(after) != 1 || before[0].ID != after[0].ID || before[0].Aggregate.Count != 3 || after[0].Aggregate.Count != 2 {
		t.Errorf("%+v\n%+v", before, after)
	}
}

func TestCheckpointRefuses(t *testing.T) {
	g := New(Options{Window: time.Minute})
	for i := range 20 {
		e := detection(i, float64(i)/10, []string{"10.0.0.1", "10.0.0.2", "2001:db8::1"}[i%3])
		g.Take(e, func(event.Event) {})
	}
	whole := g.AppendCheckpoint([]byte("before"))
	if string(whole[:6]) != "before" {
		t.Fatal("it does not append")
	}
	whole = whole[6:]
	fresh := New(Options{Window: time.Minute})
	refused := func(what string, data []byte) {
		t.Helper()
		if err := fresh.Restore(bytes.NewReader(data)); !errors.Is(err, ErrCheckpoint) {
			t.Errorf("%s: %v", what, err)
		}
		if c := fresh.Counts(); c != (Counts{}) || !fresh.now.IsZero() || len(fresh.due) > 0 {
			t.Fatalf("%s: the gate has changed", what)
		}
	}
	for i := range whole {
		refused("cut", whole[:i])
		for bit := range 8 {
			bad := bytes.Clone(whole)
			bad[i] ^= 1 << bit
			refused("flipped", bad)
		}
	}
	refused("longer", append(bytes.Clone(whole), 0))
	if err := fresh.Restore(bytes.NewReader(whole)); err != nil || fresh.Counts().Keys != 3 || fresh.Counts().Restored != 17 {
		t.Errorf("%+v, %v", fresh.Counts(), err)
	}
	if err := fresh.Restore(bytes.NewReader(whole)); err == nil {
		t.Error("a gate in use takes a checkpoint")
	}
	empty := New(Options{}).AppendCheckpoint(nil)
	if err := New(Options{}).Restore(bytes.NewReader(empty)); err != nil {
		t.Error(err)
	}
}

func FuzzRestore(f *testing.F) {
	g := New(Options{Window: time.Minute, Inbound: time.Hour})
	f.Add(g.AppendCheckpoint(nil)[checkpointHeader:])
	for i := range 20 {
		e := inbound(i, float64(i)/10, []string{"10.0.0.1", "2001:db8::1"}[i%2], []string{"a", "b"}[i/2%2])
		if i%5 == 0 {
			e.Direction = event.Outbound
		}
		g.Take(e, func(event.Event) {})
	}
	f.Add(g.AppendCheckpoint(nil)[checkpointHeader:])
	g = New(Options{Window: time.Minute, Outcomes: true})
	g.Take(detection(1, 0, "10.0.0.1"), func(event.Event) {})
	g.Answer(answered(detection(1, 0, "10.0.0.1"), 1, event.Answered), func(event.Event) {})
	f.Add(g.AppendCheckpoint(nil)[checkpointHeader:])
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) > 1<<20 {
			return
		}
		data := append([]byte(checkpointMagic), make([]byte, 8)...)
		binary.BigEndian.PutUint32(data[8:], uint32(len(body)))
		binary.BigEndian.PutUint32(data[12:], castagnoli(body))
		g := New(Options{Window: time.Minute, Inbound: time.Hour, Outcomes: true})
		if g.Restore(bytes.NewReader(append(data, body...))) != nil {
			return
		}
		c := g.Counts()
		if c.Keys > MaxKeys || g.held > MaxBytes || g.followed > MaxFollowed {
			t.Fatalf("%+v", c)
		}
		again := g.AppendCheckpoint(nil)
		if err := New(Options{}).Restore(bytes.NewReader(again)); err != nil {
			t.Fatal(err)
		}
		var left uint64
		g.Take(inbound(1, 2, "10.0.0.1", "c"), func(e event.Event) { left += max(e.Aggregate.Count, 1) })
		g.Flush(func(e event.Event) { left += e.Aggregate.Count })
		if left != c.Restored+1 || g.held != 0 || g.followed != 0 || len(g.keys) > 0 {
			t.Fatalf("%d left of %+v, %d held", left, c, g.held)
		}
	})
}

// BenchmarkCheckpoint is of a gate that is full.
func BenchmarkCheckpoint(b *testing.B) {
	g := New(Options{Window: time.Hour})
	for i := range 2 * MaxKeys {
		e := sighting()
		k := i % MaxKeys
		e.Src, e.Time = netip.AddrFrom4([4]byte{10, byte(k >> 16), byte(k >> 8), byte(k)}), start.Add(time.Duration(i)*time.Microsecond)
		e.ID[8], e.ID[9], e.ID[10] = byte(k), byte(k>>8), byte(k>>16)
		g.Take(e, func(event.Event) {})
	}
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = g.AppendCheckpoint(buf[:0])
	}
	b.ReportMetric(float64(len(buf)), "B")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/MaxKeys, "ns/key")
}
