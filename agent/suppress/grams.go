package suppress

import "strings"

// gramSize is how many bytes of a glob are looked for in a text before the
// glob itself is tried.
const gramSize = 3

// maxGrams is how many places of one glob are considered.
const maxGrams = 32

// grams gives the runs of gramSize bytes that a text must hold for the glob to
// match; nil when its literal parts are shorter.
func (g *glob) grams(f field) (all []place) {
	for _, part := range g.parts {
		for _, literal := range strings.Split(part, oneChar) {
			for i := 0; i+gramSize <= len(literal) && len(all) < maxGrams; i++ {
				all = append(all, place{field: f, form: formGram, text: literal[i : i+gramSize]})
			}
		}
	}
	return all
}

// grams finds rules by the runs of a text. The nil grams hold none.
type grams struct {
	seen  [1 << 10]uint64 // which hashes of runs there are: most runs of a text are none
	rules map[string][]int32
}

func (x *grams) put(run string, rule int32) {
	h := hashRun(run)
	x.seen[h>>6] |= 1 << (h & 63)
	x.rules = with(x.rules, run, rule)
}

func (x *grams) find(s string, try func([]int32)) {
	if x == nil {
		return
	}
	for i := 0; i+gramSize <= len(s); i++ {
		run := s[i : i+gramSize]
		if h := hashRun(run); x.seen[h>>6]&(1<<(h&63)) != 0 {
			try(x.rules[run])
		}
	}
}

// hashRun gives 16 bits of three bytes.
func hashRun(run string) uint32 {
	return (uint32(run[0]) | uint32(run[1])<<8 | uint32(run[2])<<16) * 2654435761 >> 16
}
