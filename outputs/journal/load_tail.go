package journal

// chain finds the last number of each segment but the last, from the header of
// the next one, and puts what is missing between them.
func (l *loaded) chain(disk fileSystem, files []*segment) {
	if len(files) == 0 {
		return
	}
	l.floor = files[0].first
	if l.state != nil && l.state.floor < l.floor {
		l.floor = l.state.floor
		l.hole(l.floor, files[0].first-1, quarantined, true)
	}
	for i, s := range files {
		l.segments = append(l.segments, s)
		if i+1 == len(files) {
			break
		}
		n := files[i+1]
		known := n.lost == kept && n.head.prevFirst == s.first
		switch {
		case known:
			s.last = min(n.head.prevLast, n.first-1)
		case s.lost != kept:
			s.last = n.first - 1
		default:
			t := scanTail(disk, s, n.first-1)
			s.last = t.last
		}
		if n.lost == kept {
			s.age = n.head.age // it was appended to until then
		}
		why := quarantined
		if known && n.head.missing != kept {
			why = n.head.missing
		}
		l.hole(s.last+1, n.first-1, why, !known)
	}
}

// hole adds a segment without records.
func (l *loaded) hole(from, to uint64, why reason, news bool) {
	if from > to {
		return
	}
	l.segments = append(l.segments, &segment{first: from, last: to, lost: why, synced: true})
	if news {
		l.missing += to + 1 - from
		l.incidents = append(l.incidents, Incident{Kind: Missing, First: from, Last: to, Events: to + 1 - from})
	}
}

// tail finds the end of the last segment and the next number to give.
func (l *loaded) tail(disk fileSystem, write bool) {
	given, ahead := uint64(0), ""
	for name, c := range l.cursors {
		if !c.bad && c.acked > given {
			given, ahead = c.acked, name
		}
	}
	if l.state != nil {
		if l.floor == 0 {
			l.floor = l.state.floor
		}
		if l.state.next-1 >= given {
			given, ahead = l.state.next-1, ""
		}
	}
	l.floor = max(l.floor, 1)
	last := l.floor - 1
	if n := len(l.segments); n > 0 {
		s := l.segments[n-1]
		if s.lost == kept {
			t := scanTail(disk, s, ^uint64(0)>>1)
			s.last = t.last
			if t.lost > 0 && !s.damaged {
				s.damaged = true
				if write && disk.Rename(s.path, s.path+damagedSuffix) == nil {
					s.path += damagedSuffix
				}
				l.incidents = append(l.incidents, Incident{Kind: Damaged, Path: s.path, First: s.first, Last: s.last, Events: t.lost})
			}
			if t.torn > 0 && write {
				l.cut(disk, s, t)
			}
			s.end = t.end
			if s.last < s.first { // a kill came before its first record
				l.segments = l.segments[:n-1]
				if write {
					disk.Remove(s.path)
				}
			}
		} else if given >= s.first {
			s.last = given
		} else {
			l.segments = l.segments[:n-1] // it may have held something: nothing says so
		}
		last = max(s.last, s.first-1)
	}
	// A cut tail is that of an append that never returned, or it is damage and
	// its numbers were given.
	l.same = l.state != nil && l.state.epoch != 0 && given <= last && l.torn == 0
	if given > last && !write && l.outgrown(disk, last+1) {
		l.behind, last = true, given
	}
	if given > last {
		l.segments = append(l.segments, &segment{first: last + 1, last: given, lost: quarantined, synced: true})
		i := Incident{Kind: Missing, First: last + 1, Last: given, Events: given - last}
		switch inMemory := l.state != nil && l.state.epoch == 0 && !l.state.clean; {
		case !write && inMemory:
			i.Kind = InMemory // of the process that writes, if it is there
		case ahead != "":
			i.Kind, i.Output = CursorAhead, ahead
			fallthrough
		default:
			l.missing += given - last
		}
		l.incidents = append(l.incidents, i)
		last = given
	}
	l.next = last + 1
	base := int64(0)
	for _, s := range l.segments {
		s.base = base
		base += s.end
	}
}

// cut removes what a crash left behind the last whole record.
func (l *loaded) cut(disk fileSystem, s *segment, t tailScan) {
	l.torn += t.torn
	l.incidents = append(l.incidents, Incident{Kind: TornTail, Path: s.path, First: s.first, Last: t.last, Bytes: t.torn})
	f, err := disk.Open(s.path, true)
	if err != nil {
		return
	}
	f.Truncate(t.end) // when that fails, the next record is written over it
	f.Close()
}

// tailScan is what scanTail finds.
type tailScan struct {
	last uint64
	end  int64  // behind the last whole record
	torn int64  // bytes behind it that are no end mark
	lost uint64 // numbers before it that have no record
}

// scanTail walks over all records of a segment, up to a number.
func scanTail(disk fileSystem, s *segment, most uint64) tailScan {
	t := tailScan{last: s.first - 1, end: segmentHead}
	f, err := disk.Open(s.path, false)
	if err != nil {
		return t
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return t
	}
	var w window
	w.reset(f)
	for off := int64(segmentHead); t.last < most; {
		rec, err := w.record(off, size, s.seed)
		if err == nil && rec.seq > t.last && rec.seq <= most {
			t.lost += rec.seq - t.last - 1
			t.last, t.end = rec.seq, rec.next
			off = rec.next
			continue
		}
		at, findErr := w.find(off, size, s.seed, t.last+1, min(most, t.last+maxSkip))
		if findErr != nil {
			if next, ok := w.shape(off, size, t.last+1); ok && err == errBad {
				t.lost++
				t.last, t.end, off = t.last+1, next, next
				continue
			}
			if err != errEnd {
				t.torn = size - t.end
			}
			break
		}
		off = at
	}
	return t
}

// maxSkip bounds how many records damage can have cost, so that bytes are not
// taken for a number of the far future: more than fit into a segment.
const maxSkip = largestSegment / recordHead
