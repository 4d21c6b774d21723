package heuristic

// once remembers keys that were seen one time, and when, in 8 bytes each: most
// names that do not exist are asked for once, and a flood of them comes no
// further than here.
type once struct {
	slots []uint64 // sets of nameWays: 40 bits of the key, of which one is always set, and 24 of the second; 0: free
	sets  uint64
}

const onceSecond = 1<<24 - 1

func makeOnce(bytes int) once {
	sets := max(bytes/8/nameWays, 1)
	return once{slots: make([]uint64, sets*nameWays), sets: uint64(sets)}
}

// take gives the second a key was seen in, and forgets it. Window is at most an
// hour or so, far below the 194 days after which seconds begin anew.
func (o *once) take(key uint64, now, window uint32) (second uint32, ok bool) {
	first := setOf(key, o.sets)
	for i, s := range o.slots[first : first+nameWays] {
		if s != 0 && s>>24 == (key|1)&(1<<40-1) {
			o.slots[first+i] = 0
			age := (now - uint32(s)) & onceSecond
			return now - age, age < window
		}
	}
	return 0, false
}

// put remembers a key, in place of the oldest if there is no room. Lost says
// whether that one was still of use.
func (o *once) put(key uint64, now, window uint32) (lost bool) {
	first := setOf(key, o.sets)
	at, oldest := 0, uint32(0)
	set := o.slots[first : first+nameWays]
	for i, s := range set {
		if s == 0 {
			at, oldest = i, window
			break
		}
		if age := (now - uint32(s)) & onceSecond; age >= oldest {
			at, oldest = i, age
		}
	}
	set[at] = (key|1)<<24 | uint64(now&onceSecond)
	return oldest < window
}
