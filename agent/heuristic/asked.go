package heuristic

// asked remembers which ports sent datagrams to which, so that answers are told
// from probes: 8 bytes each. A conversation that both sides took part in gives
// way last: a flood of invented sources leaves marks that nobody answers.
type asked struct {
	slots  []uint64 // sets of ways: 39 bits of the key, whether it was answered, 24 bits of the second; 0: free
	sets   uint64
	length int64 // seconds

	evicted uint64
}

const (
	askedSecond   = 1<<24 - 1
	askedAnswered = 1 << 24
	askedKey      = ^uint64(1<<25 - 1)
)

func (a *asked) configure(length int64, memory int) {
	a.length = length
	if sets := uint64(max(memory/8/ways, 1)); sets != a.sets {
		a.slots, a.sets = make([]uint64, sets*ways), sets
	}
}

// set gives the places that a key may be in, and what they hold of it.
func (a *asked) set(key uint64) (set []uint64, who uint64) {
	first := setOf(key, a.sets)
	return a.slots[first : first+ways], key<<25 | 1<<63
}

// age is how long before now, or a little ahead of it, an entry was marked.
func age(s uint64, now int64) int64 {
	const half = (askedSecond + 1) / 2
	return (now-int64(s&askedSecond)+half)&askedSecond - half
}

// over says whether an entry is of no use to anything that may still come: what
// is late is judged by its own time.
func (a *asked) over(s uint64, now int64) bool {
	n := age(s, now)
	return s == 0 || n >= a.length+stepBack || n < -stepBack
}

// mark notes that a datagram of a second was sent.
func (a *asked) mark(key uint64, at, now int64) {
	set, who := a.set(key)
	place, least := 0, ^uint64(0)
	for i, s := range set {
		if s&askedKey == who && !a.over(s, now) {
			if age(s, now) > now-at {
				set[i] = s&^askedSecond | uint64(at)&askedSecond
			}
			return
		}
		if worth := a.worth(s, now); worth < least {
			place, least = i, worth
		}
	}
	if least > 0 {
		a.evicted++
	}
	set[place] = who | uint64(at)&askedSecond
}

// worth orders entries by who makes room for whom: 0 is what is over.
func (a *asked) worth(s uint64, now int64) uint64 {
	if a.over(s, now) {
		return 0
	}
	return s&askedAnswered<<8 | uint64(a.length+stepBack-age(s, now))
}

// answers says whether the other side of a datagram of a second asked within the
// window before it, and notes that it was answered.
func (a *asked) answers(key uint64, at, now int64, note bool) bool {
	set, who := a.set(key)
	for i, s := range set {
		if s&askedKey == who && !a.over(s, now) {
			if age(s, now)-(now-at) >= a.length {
				return false
			}
			if note {
				set[i] = s | askedAnswered
			}
			return true
		}
	}
	return false
}
