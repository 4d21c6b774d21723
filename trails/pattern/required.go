package pattern

import "regexp/syntax"

// A choice is a list of literals of which one is in every match, and what it
// will cost to look for them; the cost is unusable if there is none.
type choice struct {
	list []string
	cost int
}

const unusable = 1 << 40

func better(a, b choice) choice {
	if b.cost < a.cost {
		return b
	}
	return a
}

// required chooses the cheapest literals for parts in a row.
func (r *rarity) required(parts []*syntax.Regexp) choice {
	best := choice{cost: unusable}
	texts := make([]words, len(parts))
	known := make([]bool, len(parts))
	for i, part := range parts {
		texts[i], known[i] = exact(part)
		if !known[i] {
			best = better(best, r.within(part))
		}
	}
	for i := range parts {
		if !known[i] {
			continue
		}
		all, ok := words{[]string{""}, true}, true
		for j := i; j < min(i+maxParts, len(parts)) && (known[j] || isEdge(parts[j])); j++ {
			if isEdge(parts[j]) {
				continue // \b takes no text
			}
			if all, ok = join(all, texts[j]); !ok {
				break
			}
			best = better(best, r.choose(all.list))
		}
	}
	return best
}

// within chooses from one part that is no plain list of texts.
func (r *rarity) within(re *syntax.Regexp) choice {
	none := choice{cost: unusable}
	switch re.Op {
	case syntax.OpLiteral:
		if text, _, n := literalPrefix(re); n > 0 {
			return r.choose([]string{text})
		}
	case syntax.OpCapture, syntax.OpConcat:
		return r.required(flatten(nil, re))
	case syntax.OpPlus:
		return r.required(flatten(nil, re.Sub[0]))
	case syntax.OpRepeat:
		if re.Min > 0 {
			return r.required(flatten(nil, re.Sub[0]))
		}
	case syntax.OpAlternate:
		var all choice
		for _, sub := range re.Sub {
			c := r.required(flatten(nil, sub))
			all.list = append(all.list, c.list...)
			if all.cost += c.cost; all.cost >= unusable || len(all.list) > maxUnion {
				return none
			}
		}
		return all
	}
	return none
}

// choose says what it costs to look for texts.
func (r *rarity) choose(list []string) choice {
	c := choice{list: list}
	for _, text := range list {
		_, cost := r.window(text)
		if c.cost += cost; c.cost >= unusable {
			return choice{cost: unusable}
		}
	}
	return c
}

func isEdge(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpBeginText, syntax.OpEndText, syntax.OpWordBoundary, syntax.OpNoWordBoundary,
		syntax.OpBeginLine, syntax.OpEndLine, syntax.OpEmptyMatch:
		return true
	}
	return false
}

// needs gives the rarest byte, in lower case, that every match is known to
// hold, 0 if there is none. It guards expressions that are costly to run.
func (r *rarity) needs(parts []*syntax.Regexp) byte {
	best := byte(0)
	for _, part := range parts {
		w, ok := exact(part)
		if !ok || len(w.list) != 1 {
			continue
		}
		for _, c := range []byte(w.list[0]) {
			if c != 0 && (best == 0 || r.bytes[c] < r.bytes[best]) {
				best = c
			}
		}
	}
	return best
}
