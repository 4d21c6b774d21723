package pattern

import (
	"regexp/syntax"
)

// maxShort bounds the literals of two bytes: each takes 128 windows.
const maxShort = 64

// A builder fills a Set. It decides for each pattern what makes it a
// candidate.
type builder struct {
	set    *Set
	rarity *rarity
	atoms  []atom
	short  int
}

func newBuilder(s *Set) *builder { return &builder{set: s, rarity: newRarity()} }

func (b *builder) add(index int, text string, fold bool) error {
	if len(b.set.entries) == maxPatterns {
		return ErrTooManyKept
	}
	p, err := parse(text, fold)
	if err != nil {
		return err
	}
	id := uint16(len(b.set.entries))
	e := entry{index: int32(index), min: int32(p.min), max: maxLength, expr: &expression{
		text: p.text, ignoresCase: fold, backtracks: p.backtracks}}
	if p.backtracks {
		c := choice{cost: unusable}
		for _, run := range literalRuns(p.text) {
			c = better(c, b.rarity.choose([]string{run}))
		}
		if !b.watch(id, c) {
			return ErrNoLiteral
		}
		b.set.entries = append(b.set.entries, e)
		return nil
	}
	b.route(id, &e, &p)
	b.set.entries = append(b.set.entries, e)
	return nil
}

// route takes the cheapest way on which the pattern can be found.
func (b *builder) route(id uint16, e *entry, p *parsed) {
	first, last := p.flat[0], p.flat[len(p.flat)-1]
	begins := first.Op == syntax.OpBeginText
	if begins && last.Op == syntax.OpEndText {
		e.max = int32(p.max)
		if w, ok := joined(p.flat[1 : len(p.flat)-1]); ok && b.set.whole.add(id, w.list) {
			e.closed = w.closed
			return
		}
	}
	if e.plain = asPlain(p.flat); e.plain.text != "" {
		text := lowerText(e.plain.text)
		if e.plain.left == edgeText {
			b.set.heads.add(id, text)
			return
		}
		if b.watch(id, b.rarity.choose([]string{text})) {
			return
		}
		e.plain = plain{}
	}
	e.need = b.rarity.needs(p.flat)
	c := b.rarity.required(p.flat)
	if begins && len(p.flat) > 1 && p.flat[1].Op == syntax.OpLiteral {
		text, _, n := literalPrefix(p.flat[1])
		if n > 0 && (c.cost >= unusable || !isCommonHead(text)) {
			b.set.heads.add(id, text)
			return
		}
	}
	if !b.watch(id, c) {
		b.set.always = append(b.set.always, id)
	}
}

// watch makes a pattern a candidate where one of the literals stands.
func (b *builder) watch(id uint16, c choice) bool {
	if c.cost >= unusable {
		return false
	}
	short := 0
	for _, text := range c.list {
		if len(text) == 2 {
			short++
		}
	}
	if b.short+short > maxShort {
		return false
	}
	b.short += short
	for _, text := range c.list {
		at, _ := b.rarity.window(text)
		if len(text) > 2 {
			b.rarity.use(trigram(text[at], text[at+1], text[at+2]))
		}
		b.atoms = append(b.atoms, atom{text: text, at: int32(at), entry: id})
	}
	return true
}

func (b *builder) finish() {
	b.set.heads.finish()
	b.set.windows = newWindows(b.atoms)
}

// joined gives all texts of parts in a row.
func joined(parts []*syntax.Regexp) (words, bool) {
	all, ok := words{[]string{""}, true}, true
	for _, part := range parts {
		w, known := exact(part)
		if !known {
			return words{}, false
		}
		if all, ok = join(all, w); !ok {
			return words{}, false
		}
	}
	return all, true
}

// isCommonHead says whether everyday texts start with a literal.
func isCommonHead(literal string) bool {
	for _, text := range background {
		if hasPrefix([]byte(text), literal) {
			return true
		}
	}
	return false
}
