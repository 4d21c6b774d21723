package journal

import (
	"errors"
)

// errNothing: there is no segment that could be given up.
var errNothing = errors.New("the journal has no older segment to give up")

// evictOldest gives up the oldest segment on disk, never the last one of all.
// What the outputs had delivered of it is on disk before, and so is the mark
// of where the journal begins now: only then the file goes, or becomes the
// spare one with its blocks. With settled set it gives up only what every
// output has delivered. The caller may hold writing.
func (j *Journal) evictOldest(reuse, settled bool) (*spare, error) {
	j.evicting.Lock()
	defer j.evicting.Unlock()
	j.mu.Lock()
	at := 0 // the first with a file
	for at < len(j.segments) && j.segments[at].path == "" {
		at++
	}
	if at >= len(j.segments)-1 {
		j.mu.Unlock()
		return nil, errNothing
	}
	s := j.segments[at]
	if settled && !j.isSettled(s) {
		j.mu.Unlock()
		return nil, errNothing
	}
	through := at + 1 // what follows and is lost already goes as well
	for through < len(j.segments)-1 && j.segments[through].lost != kept && j.segments[through].path == "" {
		through++
	}
	for _, g := range j.segments[:at] {
		if g.memory != nil {
			j.mu.Unlock()
			return nil, errNothing
		}
	}
	floor := j.floor
	j.floor = j.segments[through].first
	last := s.last
	j.mu.Unlock()

	if err := j.saveFor(last); err != nil {
		j.mu.Lock()
		j.floor = floor
		j.mu.Unlock()
		return nil, err
	}

	j.mu.Lock()
	var incidents []Incident
	for _, g := range j.segments[:through] {
		incidents = append(incidents, j.drop(g)...)
	}
	j.segments = append([]*segment(nil), j.segments[through:]...)
	path := s.path
	j.mu.Unlock()
	for _, i := range incidents {
		j.tell(i)
	}
	if !reuse {
		// A file that stays is found and counted at the next start.
		j.disk.Remove(path)
		return nil, nil
	}
	return j.takeFile(path)
}

// isSettled says whether no output waits for a segment's events. The caller
// holds mu.
func (j *Journal) isSettled(s *segment) bool {
	outputs := 0
	for _, c := range j.cursors {
		if !c.claimed {
			continue
		}
		if outputs++; c.acked < s.last {
			return false
		}
	}
	return outputs > 0
}

// takeFile makes the file of a segment that is no more the spare one.
func (j *Journal) takeFile(path string) (*spare, error) {
	if err := j.disk.Rename(path, j.path(spareName)); err != nil {
		return nil, err
	}
	f, err := j.disk.Open(j.path(spareName), true)
	if err != nil {
		return nil, err
	}
	size, err := f.Size()
	if err == nil {
		err = f.Allocate(j.sizes.segment)
		if isFull(err) {
			err = nil // then with the blocks that it has
		}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &spare{f: f, stale: size}, nil
}

// saveFor makes durable what must be so before the segment that ends with last
// goes: where the journal begins, and the cursors that have read in it.
func (j *Journal) saveFor(last uint64) error {
	j.mu.Lock()
	var behind []*Cursor
	for _, c := range j.cursors {
		if c.durable < min(c.acked, last) {
			behind = append(behind, c)
		}
	}
	j.mu.Unlock()
	for _, c := range behind {
		if err := c.save(true); err != nil {
			return err
		}
	}
	return j.writeState(false, true)
}

// drop takes a segment from the cursors that had not read it. The caller holds
// mu, and takes the segment out of the list.
func (j *Journal) drop(s *segment) (incidents []Incident) {
	s.gone = true
	why := s.lost
	if why == kept {
		why = evicted
	}
	most := uint64(0)
	for _, c := range j.cursors {
		n := c.lose(s.first, s.last, why)
		if why != evicted || n == 0 {
			continue
		}
		if !c.claimed {
			c.untold += n
			continue
		}
		most = max(most, n)
		incidents = append(incidents, Incident{Kind: Evicted, Output: c.name, First: s.last + 1 - n, Last: s.last, Events: n})
	}
	j.counts.evicted += most
	return incidents
}

// giveUp drops a segment in memory. When older ones are still there its numbers
// stay in the list, as lost.
func (j *Journal) giveUp(s *segment) {
	j.mu.Lock()
	at := 0
	for j.segments[at] != s {
		at++
	}
	var incidents []Incident
	if at == 0 {
		incidents = j.drop(s)
		j.segments = append([]*segment(nil), j.segments[1:]...)
	} else {
		incidents = j.hollow(at)
	}
	j.mu.Unlock()
	for _, i := range incidents {
		j.tell(i)
	}
}

// hollow puts a segment without records in the place of one that is given up.
func (j *Journal) hollow(at int) (incidents []Incident) {
	s := j.segments[at]
	s.gone = true
	most := uint64(0)
	for _, c := range j.cursors {
		if c.next > s.last {
			continue
		}
		n := s.last + 1 - max(c.next, s.first)
		if !c.claimed {
			c.untold += n
			continue
		}
		most = max(most, n)
		incidents = append(incidents, Incident{Kind: Evicted, Output: c.name, First: s.last + 1 - n, Last: s.last, Events: n})
	}
	j.counts.evicted += most
	list := append([]*segment(nil), j.segments[:at]...)
	if before := list[at-1]; before.lost == evicted && before.path == "" {
		joined := *before
		joined.last = s.last
		list[at-1] = &joined
	} else {
		list = append(list, &segment{first: s.first, last: s.last, lost: evicted, base: s.base, age: s.age, head: header{made: s.head.made}, synced: true})
	}
	j.segments = append(list, j.segments[at+1:]...)
	return incidents
}
