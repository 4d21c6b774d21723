package retro

import (
	"math/bits"
	"net/netip"
	"time"
)

// entry is what is remembered of an observable: 24 bytes.
type entry struct {
	key         uint64    // Secret.Hash; 0: an empty slot
	first, last uint32    // minutes
	hosts       [2]uint32 // Secret.host of the first host and of the latest other one; 0: none
}

const entrySize = 24

// Store holds a bounded number of entries. It is used by one goroutine.
//
// Its memory is one array of slots. An entry lies at its home, which its hash
// gives, or behind it; those that are behind lie in the order of their homes. So
// the array can be nearly full, and a search still ends soon. When as many
// entries are there as there may be, the one last seen longest ago of the next
// sample entries before a hand that goes round makes room for a new one: not always
// the oldest of all, but nearly always one of the oldest tenth.
type Store struct {
	secret  Secret
	slots   []entry
	homes   uint64 // the slots that are a home; behind the last there is room for a run
	limit   int    // entries
	n       int
	hand    int
	hosts   []hostEntry
	evicted uint64
	added   uint64
	// began is the minute of the first note; gone the latest minute in which
	// something was seen that has been forgotten.
	began, gone uint32
	last        uint32
	saved       time.Time // when it was written, if it was read
}

// sample is how many entries are looked at for the one to give up.
const sample = 64

// MinMemory is the least memory of a store: what is asked below it is taken for it.
const MinMemory = 64 << 10

// slotsBehind is the room behind the last home.
const slotsBehind = 1024

// New makes a store that takes at most memory bytes.
func New(memory int64, secret Secret) *Store {
	memory = max(memory, MinMemory)
	hosts := min(maxHosts, int(memory/8)/hostSize)
	slots := int(memory-int64(hosts)*hostSize) / entrySize
	homes := slots - slotsBehind
	return &Store{secret: secret, slots: make([]entry, slots), homes: uint64(homes), limit: homes - homes/16, hosts: make([]hostEntry, hosts)}
}

// Secret is what keys the hashes.
func (s *Store) Secret() Secret { return s.secret }

func (s *Store) home(key uint64) int {
	hi, _ := bits.Mul64(key, s.homes)
	return int(hi)
}

// find gives the slot of a key, or the one that it is to be put in.
func (s *Store) find(key uint64) (at int, ok bool) {
	at = s.home(key)
	for ; at < len(s.slots); at++ {
		// Homes rise with the keys, so the order of homes is that of keys.
		if k := s.slots[at].key; k == key {
			return at, true
		} else if k == 0 || k > key {
			break
		}
	}
	return at, false
}

// Take takes in what a worker met.
func (s *Store) Take(b *Batch) {
	var notes [64]Note
	for left := b.met; len(left) > 0; {
		n := min(len(left), len(notes))
		for i := range left[:n] {
			notes[i] = b.note(&left[i], &s.secret)
		}
		s.Add(notes[:n])
		left = left[n:]
	}
}

// Add takes notes in.
func (s *Store) Add(notes []Note) {
	for i := range notes {
		n := &notes[i]
		h := s.secret.host(n.Host)
		s.meet(h, n.Host)
		s.put(entry{key: n.Key, first: n.Minute, last: n.Minute, hosts: [2]uint32{h, 0}})
	}
	s.added += uint64(len(notes))
}

// put adds what an entry says.
func (s *Store) put(e entry) {
	if s.began == 0 || e.first < s.began {
		s.began = e.first
	}
	s.last = max(s.last, e.last)
	at, ok := s.find(e.key)
	if ok {
		s.slots[at].merge(&e)
		return
	}
	if s.n >= s.limit {
		s.evict()
		at, _ = s.find(e.key)
	}
	end := at
	for end < len(s.slots) && s.slots[end].key != 0 {
		end++
	}
	if end == len(s.slots) { // the room behind the last home is full: not by chance
		if at == end {
			s.forget(&e)
			return
		}
		end--
		s.forget(&s.slots[end])
		s.n--
	}
	copy(s.slots[at+1:end+1], s.slots[at:end])
	s.slots[at] = e
	s.n++
}

// merge adds what another entry says. Notes of several workers come in any order:
// the first host is that of the earliest minute, not of the first note to arrive.
func (e *entry) merge(o *entry) {
	if o.first < e.first && o.hosts[0] != 0 {
		earlier := *o
		earlier.last = max(e.last, o.last)
		*o, *e = *e, earlier
	}
	e.first, e.last = min(e.first, o.first), max(e.last, o.last)
	for _, h := range o.hosts {
		switch {
		case h == 0 || h == e.hosts[0]:
		case e.hosts[0] == 0:
			e.hosts[0] = h
		default:
			e.hosts[1] = h
		}
	}
}

// evict gives up an entry that was last seen long ago.
func (s *Store) evict() {
	oldest := -1
	for met := 0; met < sample; { // there are more
		if e := &s.slots[s.hand]; e.key != 0 {
			if met++; oldest < 0 || e.last < s.slots[oldest].last {
				oldest = s.hand
			}
		}
		if s.hand++; s.hand == len(s.slots) {
			s.hand = 0
		}
	}
	s.forget(&s.slots[oldest])
	s.n--
	// What lies behind it and not at home moves up.
	end := oldest + 1
	for end < len(s.slots) && s.slots[end].key != 0 && s.home(s.slots[end].key) < end {
		end++
	}
	copy(s.slots[oldest:end-1], s.slots[oldest+1:end])
	s.slots[end-1] = entry{}
}

// forget counts an entry that is given up.
func (s *Store) forget(e *entry) {
	s.evicted++
	s.gone = max(s.gone, e.last)
}

// Saved is when a store that was read was written; zero: it is a new one.
func (s *Store) Saved() time.Time { return s.saved }

// Find gives what is remembered of an observable, by its hash.
func (s *Store) Find(key uint64) (seen Seen, ok bool) {
	at, ok := s.find(key)
	if !ok {
		return seen, false
	}
	e := &s.slots[at]
	seen.First, seen.Last = timeOf(e.first), timeOf(e.last)
	for _, h := range e.hosts {
		if a, ok := s.host(h); ok {
			seen.Hosts = append(seen.Hosts, a)
		}
	}
	return seen, true
}

// Counts says what a store holds and has done.
type Counts struct {
	Entries, Limit int
	Bytes          int64  // of memory, filled or not
	Added          uint64 // notes
	Evicted        uint64 // entries given up for newer ones
	// Since is the time from which on everything is remembered: of what was last
	// seen before it, something has been forgotten. Last is the time of the latest
	// note. Both are zero when nothing was noted.
	Since, Last time.Time
}

// Counts gives the counts up to now.
func (s *Store) Counts() Counts {
	c := Counts{Entries: s.n, Limit: s.limit, Bytes: int64(len(s.slots))*entrySize + int64(len(s.hosts))*hostSize, Added: s.added, Evicted: s.evicted}
	if s.last > 0 {
		since := s.began
		if s.gone > 0 {
			since = max(since, s.gone+1)
		}
		c.Since, c.Last = timeOf(since), timeOf(s.last)
	}
	return c
}

// hostEntry is the address of a host: 20 bytes.
type hostEntry struct {
	hash uint32 // Secret.host; 0: none
	addr [16]byte
}

const (
	hostSize = 20
	maxHosts = 1 << 16
)

// meet remembers the address of a host, in the place of another if need be.
func (s *Store) meet(hash uint32, addr [16]byte) {
	s.hosts[uint64(hash)*uint64(len(s.hosts))>>32] = hostEntry{hash, addr}
}

func (s *Store) host(hash uint32) (netip.Addr, bool) {
	if hash == 0 {
		return netip.Addr{}, false
	}
	h := &s.hosts[uint64(hash)*uint64(len(s.hosts))>>32]
	return netip.AddrFrom16(h.addr).Unmap(), h.hash == hash
}
