package heuristic

import (
	"bytes"
	"math"

	"trailhound/agent/event"
)

// dga finds names that nobody would have chosen, among those that do not exist
// (D 10.3). It has no memory: every such answer is raised, and aggregation folds
// them.
type dga struct {
	entropyOn, consonantOn bool
	entropy                float64 // bits per character
	short                  float64 // labels of so many characters cannot have more
	consonants             float64
}

func (d *dga) configure(opt *Options) {
	d.entropyOn, d.consonantOn = opt.on(event.DNSDGAEntropy), opt.on(event.DNSDGAConsonant)
	d.entropy, d.consonants = opt.threshold(event.DNSDGAEntropy), opt.threshold(event.DNSDGAConsonant)
	d.short = math.Exp2(d.entropy)
}

func (d *dga) on() bool { return d.entropyOn || d.consonantOn }

// take judges names of exactly two labels.
func (d *dga) take(b *Board, e *Evidence, name []byte) {
	label := firstLabel(name)
	if len(label) == 0 || len(label) == len(name) || bytes.IndexByte(name[len(label)+1:], '.') >= 0 || bytes.IndexByte(label, '-') >= 0 {
		return
	}
	code, info := event.DNSDGAEntropy, "entropy threshold no such domain (suspicious)"
	if !d.entropyOn || float64(len(label)) <= d.short || !(entropy(label) > d.entropy) {
		if !d.consonantOn || !(float64(consonants(label)) > d.consonants) {
			return
		}
		code, info = event.DNSDGAConsonant, "consonant threshold no such domain (suspicious)"
	}
	if b.mutedName(e, code, name) {
		return
	}
	b.findName(e, code, info, enclosed(label, name[len(label)+1:]), name)
}

// entropy is Shannon's, in bits per character.
func entropy(label []byte) float64 {
	var counts [256]uint16
	for _, c := range label {
		counts[c]++
	}
	sum := 0.0 // of n log2 n
	for i, c := range label {
		if n := counts[c]; n > 1 && bytes.IndexByte(label[:i], c) < 0 {
			sum += float64(n) * math.Log2(float64(n))
		}
	}
	all := float64(len(label))
	return math.Log2(all) - sum/all
}

func consonants(label []byte) (n int) {
	const set = 1<<('b'-'a') | 1<<('c'-'a') | 1<<('d'-'a') | 1<<('f'-'a') | 1<<('g'-'a') | 1<<('h'-'a') | 1<<('j'-'a') |
		1<<('k'-'a') | 1<<('l'-'a') | 1<<('m'-'a') | 1<<('n'-'a') | 1<<('p'-'a') | 1<<('q'-'a') | 1<<('r'-'a') | 1<<('s'-'a') |
		1<<('t'-'a') | 1<<('v'-'a') | 1<<('w'-'a') | 1<<('x'-'a') | 1<<('y'-'a') | 1<<('z'-'a')
	for _, c := range label {
		if c -= 'a'; c < 26 {
			n += set >> c & 1
		}
	}
	return n
}
