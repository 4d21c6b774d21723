package journal

import (
	"cmp"
	"errors"
	"path/filepath"
	"slices"
	"time"
)

// loaded is what is in a directory.
type loaded struct {
	segments []*segment // dense, as in a Journal
	next     uint64
	floor    uint64
	state    *saved // nil: none that can be read
	slots    *slots // of it
	dir      string
	cursors  map[string]*loadedCursor
	age      time.Duration
	behind   bool // the process that writes went on to another segment meanwhile
	same     bool // what was given after the last record is known: the epoch may go on

	incidents []Incident
	torn      int64
	missing   uint64
}

type loadedCursor struct {
	tally
	used  time.Duration
	slots *slots
	bad   bool
}

// load reads a directory: all headers, and the records of the last segment.
// Only with write set it changes anything: a torn tail is cut, a file without
// a header gets its other name. Without, another process may be at work: what it
// gives up meanwhile is evicted, and what it adds is not missing.
func load(disk fileSystem, dir string, write bool) (*loaded, error) {
	opener := &opener{fileSystem: disk}
	l, err := loadFrom(opener, dir, write)
	if err == nil && opener.short != nil {
		l.close()
		return nil, opener.short
	}
	return l, err
}

// opener remembers that a file could not be opened for want of something that
// is not the file's: what was made of that is no use.
type opener struct {
	fileSystem
	short error
}

func (o *opener) Open(path string, write bool) (file, error) {
	if o.short != nil {
		return nil, o.short // nothing is to be changed any more
	}
	f, err := o.fileSystem.Open(path, write)
	if isShort(err) {
		o.short = err
	}
	return f, err
}

func (o *opener) Rename(from, to string) error {
	if o.short != nil {
		return o.short
	}
	return o.fileSystem.Rename(from, to)
}

func (o *opener) Remove(path string) error {
	if o.short != nil {
		return o.short
	}
	return o.fileSystem.Remove(path)
}

func loadFrom(disk fileSystem, dir string, write bool) (*loaded, error) {
	l := &loaded{dir: dir, cursors: map[string]*loadedCursor{}}
	l.loadState(disk, write)
	names, err := disk.List(dir) // after the state: what that knows of is there, or evicted since
	if err != nil {
		l.close()
		return nil, err
	}
	var files []*segment
	for _, name := range names {
		if first, damaged, ok := parseName(name); ok {
			files = append(files, &segment{first: first, path: l.join(name), damaged: damaged, synced: true})
		}
	}
	slices.SortFunc(files, func(a, b *segment) int {
		return cmp.Or(cmp.Compare(a.first, b.first), cmp.Compare(len(a.path), len(b.path)))
	})
	files = slices.CompactFunc(files, func(a, b *segment) bool { return a.first == b.first })
	lostNewest := l.state != nil && l.state.begun != 0 && !slices.ContainsFunc(files, func(s *segment) bool { return s.first == l.state.begun })
	files = slices.DeleteFunc(files, func(s *segment) bool { return !l.loadHeader(disk, s, write) })
	if !write && l.state != nil {
		files = l.overtaken(disk, files)
		lostNewest = lostNewest && l.state.begun >= l.state.floor
	}
	for _, name := range names {
		if cursor, ok := cursorName(name); ok {
			l.loadCursor(disk, l.join(name), cursor, write)
		}
	}
	l.chain(disk, files)
	l.tail(disk, write)
	if lostNewest {
		l.same = false
		if l.state.begun >= l.state.next { // else it is told of already
			l.incidents = append(l.incidents, Incident{Kind: Missing, Path: l.join(segmentName(l.state.begun)), First: l.state.begun})
		}
	}
	for _, s := range l.segments {
		l.age = max(l.age, s.age)
	}
	for _, c := range l.cursors {
		l.age = max(l.age, c.used)
	}
	return l, nil
}

func (l *loaded) join(name string) string { return filepath.Join(l.dir, name) }

func (l *loaded) loadState(disk fileSystem, write bool) {
	s, value, err := openSlots(disk, l.join(stateName), stateMagic, write)
	if err != nil {
		return
	}
	if v, ok := decodeState(value); ok {
		l.state, l.slots, l.age = &v, s, v.age
	} else {
		s.f.Close()
	}
}

// overtaken leaves out what the process that writes has given up since the state
// was read: it says so there before it takes a file away.
func (l *loaded) overtaken(disk fileSystem, files []*segment) []*segment {
	s, value, err := openSlots(disk, l.join(stateName), stateMagic, false)
	if err != nil {
		return files
	}
	defer s.f.Close()
	now, ok := decodeState(value)
	if !ok || now.floor <= l.state.floor {
		return files
	}
	l.state.floor = now.floor
	l.incidents = slices.DeleteFunc(l.incidents, func(i Incident) bool { return i.First < now.floor })
	return slices.DeleteFunc(files, func(s *segment) bool { return s.first < now.floor })
}

// outgrown says whether there is a segment now that begins behind a number.
func (l *loaded) outgrown(disk fileSystem, seq uint64) bool {
	names, err := disk.List(l.dir)
	return err == nil && slices.ContainsFunc(names, func(name string) bool {
		first, _, ok := parseName(name)
		return ok && first > seq
	})
}

func (l *loaded) loadCursor(disk fileSystem, path, name string, write bool) {
	s, value, err := openSlots(disk, path, cursorMagic, write)
	c := &loadedCursor{bad: true}
	if err == nil {
		var ok bool
		if c.tally, c.used, ok = decodeTally(value); ok {
			c.slots, c.bad = s, false
		} else {
			s.f.Close()
		}
	}
	if c.bad {
		l.incidents = append(l.incidents, Incident{Kind: CursorDamaged, Output: name, Path: path, Err: err})
	}
	l.cursors[name] = c
}

// loadHeader reads the header of a segment. Without one it has no records that
// can be told from others. False: the file has gone.
func (l *loaded) loadHeader(disk fileSystem, s *segment, write bool) bool {
	s.last = s.first - 1
	b := make([]byte, segmentHead)
	f, err := disk.Open(s.path, false)
	if isMissing(err) && !write && !s.damaged {
		// The process that writes may have met damage in it just now.
		if f, err = disk.Open(s.path+damagedSuffix, false); err == nil {
			s.path, s.damaged = s.path+damagedSuffix, true
		}
	}
	if err == nil {
		if s.end, err = f.Size(); err == nil {
			n, _ := f.ReadAt(b, 0)
			s.head, err = decodeHeader(b[:n])
		}
		f.Close()
	}
	if err == nil && s.head.first != s.first {
		err = errBad
	}
	if err == nil {
		s.seed, s.age = s.head.seed(), s.head.age
		return true
	}
	if isMissing(err) {
		return false
	}
	s.lost = quarantined
	if write && !s.damaged && errors.Is(err, errBad) && disk.Rename(s.path, s.path+damagedSuffix) == nil {
		s.path += damagedSuffix
	}
	if !s.damaged {
		kind := Damaged
		if errors.Is(err, errVersion) {
			kind = Newer
		}
		l.incidents = append(l.incidents, Incident{Kind: kind, Path: s.path, First: s.first, Err: err})
	}
	s.damaged = true
	return true
}
