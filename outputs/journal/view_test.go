package journal

import (
	"context"
	"errors"
	"slices"
	"testing"

	"trailhound/agent/event"
)

// A racedDisk is the file system as another process sees it: something happens
// before each of its operations.
type racedDisk struct {
	*testDisk
	before func()
}

func (d racedDisk) List(dir string) ([]string, error) {
	d.before()
	return d.testDisk.List(dir)
}

func (d racedDisk) Open(path string, write bool) (file, error) {
	if write {
		return nil, errors.New("a view writes")
	}
	d.before()
	f, err := d.testDisk.Open(path, write)
	return racedFile{f, d.before}, err
}

type racedFile struct {
	file
	before func()
}

func (f racedFile) ReadAt(b []byte, off int64) (int, error) {
	f.before()
	return f.file.ReadAt(b, off)
}

// A view of a journal that is at work finds nothing wrong: what was given up
// between two looks is evicted, not damaged or missing, and what was added is
// no cursor that is ahead. Something happens before the n-th operation of the
// view, or before each from then on.
func TestViewOfAJournalAtWork(t *testing.T) {
	type work func(j *Journal, next *int)
	for name, at := range map[string]work{
		"append": func(j *Journal, next *int) {
			j.Append(events(*next, 7))
			*next += 7
		},
		"append and give up": func(j *Journal, next *int) {
			j.Append(events(*next, 60)) // two segments
			*next += 60
			j.tick()
		},
		"give up": func(j *Journal, _ *int) { j.evictOldest(false, false) },
		"use again": func(j *Journal, _ *int) {
			if sp, err := j.evictOldest(true, false); err == nil {
				sp.f.Close()
			}
		},
		"deliver and give up": func(j *Journal, next *int) {
			for _, c := range j.cursors {
				batch, _, _ := c.Read(t.Context(), 40, 0)
				if len(batch) > 0 {
					c.Advance(batch[len(batch)-1].Seq, Sums{Delivered: uint64(len(batch))})
				}
			}
			j.Append(events(*next, 30))
			*next += 30
			j.tick()
		},
	} {
		for _, always := range []bool{false, true} {
			for n := 0; ; n++ {
				d := newTestDisk(1)
				opt := testOptions()
				opt.small.max = 32 << 10
				j := open(opt, d, 0)
				cursor(t, j, "out")
				next := 1
				for range 8 {
					j.Append(events(next, 20))
					next += 20
				}
				j.tick()
				ops := 0
				raced := racedDisk{d, func() {
					if ops == n || always && ops > n && ops < n+60 {
						at(j, &next)
					}
					ops++
				}}
				var v *View
				var err error
				if always {
					v, err = view("/j", raced)
				} else { // what one look finds by itself
					var l *loaded
					if l, err = load(raced, "/j", false); err == nil {
						l.close()
						v = &View{path: "/j", disk: raced, loaded: l}
						for name, c := range l.cursors {
							v.cursors = append(v.cursors, c.state(name, l))
						}
					}
				}
				if err != nil {
					t.Fatal(err)
				}
				s := v.State()
				delete(s.Incidents, TornTail)
				if len(s.Incidents) > 0 || s.Missing != 0 || s.Last >= uint64(next) || s.First > s.Last+1 {
					t.Fatalf("%s before operation %d (always: %v) of %d: %+v", name, n, always, ops, s)
				}
				for _, c := range v.Cursors() {
					if c.Damaged || c.Quarantined != 0 || c.LastSeq-c.StartSeq != c.Delivered+c.Evicted+c.Pending || c.LastSeq != s.Last || c.Pending > c.LastSeq {
						t.Fatalf("%s before operation %d (always: %v): %+v", name, n, always, c)
					}
				}
				last := uint64(0)
				err = v.Scan(context.Background(), 0, func(e *event.Event) bool {
					if e.Seq <= last || idOf(e) != e.Seq {
						t.Errorf("%s: number %d, event %d after %d", name, e.Seq, idOf(e), last)
					}
					last = e.Seq
					return true
				})
				if err != nil || last == 0 && !always {
					t.Fatalf("%s: scanned to %d, %v", name, last, err)
				}
				kill(j)
				if ops < n {
					break
				}
			}
		}
	}
}

// Damage that a reader of the other process meets at this moment: the segment is
// there under its other name.
func TestViewWhileDamageIsMet(t *testing.T) {
	for n := range 60 {
		d := newTestDisk(1)
		j := open(testOptions(), d, 0)
		c := cursor(t, j, "out")
		j.Append(events(1, 90))
		d.names[d.segments()[1]].data[segmentHead+50] ^= 1
		ops := 0
		l, err := load(racedDisk{d, func() {
			if ops == n {
				rest(t, c)
			}
			ops++
		}}, "/j", false)
		if err != nil {
			t.Fatal(err)
		}
		l.close()
		v := View{path: "/j", disk: d, loaded: l}
		if s := v.State(); s.Missing != 0 || s.Incidents[Missing] != 0 || s.First != 1 || s.Last != 90 {
			t.Fatalf("before operation %d: %+v", n, s)
		}
		kill(j)
	}
}

// A damaged cursor is shown, as what the next start makes of it.
func TestViewOfADamagedCursor(t *testing.T) {
	d := newTestDisk(1)
	opt := testOptions()
	opt.small.max = 24 << 10
	j := open(opt, d, 0)
	cursor(t, j, "out")
	rest(t, cursor(t, j, "whole"))
	for n := 1; n < 400; n += 10 {
		j.Append(events(n, 10))
		j.tick()
	}
	first := j.State().First
	kill(j)
	clear(d.names["/j/"+cursorFile("out")].data)
	v, err := view("/j", d)
	if err != nil {
		t.Fatal(err)
	}
	if s := v.State(); s.Incidents[CursorDamaged] != 1 || s.First != first || first == 1 {
		t.Errorf("%+v", s)
	}
	list := v.Cursors()
	want := CursorState{Name: "out", StartSeq: first - 1, Acknowledged: first - 1, ReadSeq: first - 1, LastSeq: 400, Pending: 401 - first,
		Told: Mark{Through: first - 1}, Damaged: true}
	if len(list) != 2 || list[0] != want || list[1].Damaged {
		t.Errorf("%+v, want %+v", list, want)
	}
	j = open(opt, d, 0)
	all := j.Cursors()
	if i := slices.IndexFunc(all, func(c CursorState) bool { return c.Name == "out" }); i < 0 || !all[i].Damaged || all[i].Pending != want.Pending {
		t.Errorf("%+v", all)
	}
	c := cursor(t, j, "out")
	if s := c.State(); s.Damaged || s.Pending != want.Pending || s.StartSeq != want.StartSeq {
		t.Errorf("%+v", s)
	}
	kill(j)
}

// A cursor's file as programs wrote it that knew no mark.
func TestCursorFileWithoutAMark(t *testing.T) {
	d := newTestDisk(1)
	j := open(testOptions(), d, 0)
	c := cursor(t, j, "out")
	j.Append(events(1, 20))
	batch, _, _ := c.Read(t.Context(), 15, 0)
	c.Advance(batch[len(batch)-1].Seq, Sums{Delivered: 12, Filtered: 3, Told: Mark{Through: 0}})
	value := c.encode()
	kill(j)
	s, _, err := openSlots(d, "/j/"+cursorFile("out"), cursorMagic, true)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.write(value[:cursorLeast]); err != nil {
			t.Fatal(err)
		}
	}
	j = open(testOptions(), d, 0)
	c = cursor(t, j, "out")
	if s := c.State(); s.Delivered != 12 || s.Filtered != 3 || s.Acknowledged != 15 || s.Told != (Mark{}) || j.State().Incidents[CursorDamaged] != 0 {
		t.Errorf("%+v", s)
	}
	// A mark that cannot be true counts as none.
	for at := cursorLeast; at < cursorLength; at += 8 {
		wrong := append([]byte{}, value...)
		wrong[at+1] = 1
		if got, _, ok := decodeTally(wrong); !ok || got.mark != (Mark{}) {
			t.Errorf("byte %d: %+v, %v", at, got, ok)
		}
	}
	kill(j)
}

// What a heartbeat told is there after a kill with the acknowledgement of the
// heartbeat, and not without.
func TestMarkIsKept(t *testing.T) {
	d := newTestDisk(1)
	j := open(testOptions(), d, 0)
	c := cursor(t, j, "out")
	j.Append(events(1, 20))
	read := func(n int) { c.Read(t.Context(), n, 0) }
	read(10)
	c.Advance(10, Sums{Delivered: 8, DeadLettered: 2})
	read(1)
	at := c.State()
	mark := at.Settled()
	again := d.clone()
	c.Advance(11, Sums{Delivered: 1, Told: mark})
	kill(j)
	for _, k := range []struct {
		disk *testDisk
		want Mark
	}{{d, mark}, {again, Mark{}}} {
		j = open(testOptions(), k.disk, 0)
		c = cursor(t, j, "out")
		if s := c.State(); s.Told != k.want {
			t.Errorf("%+v, want %+v", s.Told, k.want)
		}
		c.Close()
		if s := cursor(t, j, "out").State(); s.Told != k.want {
			t.Errorf("the next holder has %+v, want %+v", s.Told, k.want)
		}
		kill(j)
	}
	if mark != (Mark{Through: 10, Delivered: 8, DeadLettered: 2}) {
		t.Errorf("%+v", mark)
	}
}

// FuzzCursorFile gives a cursor's file any content: what is taken adds up, and
// the mark is one that it has passed.
func FuzzCursorFile(f *testing.F) {
	c := Cursor{tally: tally{start: 3, acked: 20, delivered: 10, filtered: 4, dead: 3, mark: Mark{Through: 9, Delivered: 6}}}
	f.Add(c.encode())
	f.Add(c.encode()[:cursorLeast])
	f.Add(make([]byte, cursorLength))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, used, ok := decodeTally(b)
		if !ok {
			return
		}
		m := got.mark
		if got.acked-got.start != got.delivered+got.filtered+got.dead+got.evicted+got.quar ||
			m.Through-got.start != m.Delivered+m.Filtered+m.DeadLettered+m.Evicted+m.Quarantined || m.Delivered > got.delivered {
			t.Fatalf("%+v", got)
		}
		again, when, ok := decodeTally((&Cursor{tally: got, used: used}).encode())
		if !ok || again != got || when != used {
			t.Fatalf("%+v is %+v again", got, again)
		}
	})
}
