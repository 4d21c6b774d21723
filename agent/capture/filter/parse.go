package filter

import "strconv"

// maxNesting bounds how deep parentheses may be.
const maxNesting = 256

// A parser reads an expression by recursive descent. Where the expression is
// wrong in our own language it stops with wrong, where it leaves it with out.
// What it does not stop at means what pcap takes it for.
type parser struct {
	expression string
	list       []token
	at         int
	closing    []int // by the place of a "(", that of its ")"
	nesting    int
	tags       int // vlan keywords so far: the tags behind which we are
	wrong      *Error
	out        *outside
}

// parse reads a whole expression. Exactly one of the results is not nil.
func parse(expression string, list []token) (tree *expr, wrong *Error, out *outside) {
	p := &parser{expression: expression, list: list, closing: match(list)}
	e, _, ok := p.operands(qualifier{})
	if ok && p.peek().kind != end {
		p.outside(p.peek(), "")
	}
	if p.wrong != nil || p.out != nil {
		return nil, p.wrong, p.out
	}
	return e, nil, nil
}

// match finds the closing parenthesis of each opening one; 0: it has none.
func match(list []token) []int {
	closing := make([]int, len(list))
	var open []int
	for i, t := range list {
		if t.is("(") {
			open = append(open, i)
		} else if t.is(")") && len(open) > 0 {
			closing[open[len(open)-1]] = i
			open = open[:len(open)-1]
		}
	}
	return closing
}

func (p *parser) peek() token { return p.list[p.at] }

func (p *parser) ahead() token { return p.list[min(p.at+1, len(p.list)-1)] }

// take gives the next token and goes past it, but never past the end.
func (p *parser) take() token {
	t := p.list[p.at]
	if t.kind != end {
		p.at++
	}
	return t
}

// accept goes past the next token if it is that word or sign.
func (p *parser) accept(text string) bool {
	if !p.peek().is(text) {
		return false
	}
	p.at++
	return true
}

// fail ends the parse: the expression is wrong at t.
func (p *parser) fail(t token, problem string) {
	if p.wrong == nil && p.out == nil {
		p.wrong = &Error{p.expression, t.column, problem}
	}
}

// outside ends the parse: our own language ends at t. Without a text, it is
// that t cannot stand there.
func (p *parser) outside(t token, what string) {
	if p.wrong != nil || p.out != nil {
		return
	}
	if t.kind == end {
		p.fail(t, "something is missing at the end")
		return
	}
	if what == "" {
		what = strconv.Quote(t.text) + " is not known here"
	}
	p.out = &outside{t, what}
}

// operands reads what stands between "and" and "or", which bind equally and to the
// left. q is the qualifier that an identifier without one takes over; the
// result's is that of the last operand.
func (p *parser) operands(q qualifier) (*expr, qualifier, bool) {
	e, q, ok := p.operand(q)
	for ok {
		op := and
		if p.accept("or") {
			op = or
		} else if !p.accept("and") {
			break
		}
		var right *expr
		if right, q, ok = p.operand(q); ok {
			e = join(op, e, right)
		}
	}
	return e, q, ok
}

// operand reads one operand.
func (p *parser) operand(q qualifier) (e *expr, after qualifier, ok bool) {
	negative := false
	for p.accept("not") {
		negative = !negative
	}
	t := p.peek()
	switch {
	case p.isRelation():
		e, ok = p.relation()
	case t.is("(") && p.startsIdentifiers() || t.isIdentifier():
		if !q.set {
			p.outside(t, strconv.Quote(t.text)+" stands where a word like host or port is missing")
			return nil, q, false
		}
		e, ok = p.identifier(q)
		after = q
	case t.is("("):
		if p.nesting++; p.nesting > maxNesting {
			p.fail(t, "parentheses are nested too deep")
			return nil, q, false
		}
		p.at++
		e, _, ok = p.operands(q)
		if ok && !p.accept(")") {
			p.outside(p.peek(), "")
			ok = false
		}
		p.nesting--
		// What is in parentheses does not change the qualifier.
		after = q
	default:
		e, after, ok = p.primitive()
	}
	if !ok {
		return nil, after, false
	}
	return negate(e, negative), after, true
}

// startsIdentifiers says whether the parenthesis that is next holds identifiers
// only, as in "port (80 or 443)".
func (p *parser) startsIdentifiers() bool {
	for _, t := range p.list[p.at:] {
		if !t.is("(") && !t.is("not") {
			return t.isIdentifier()
		}
	}
	return false
}

func (t token) isIdentifier() bool {
	switch t.kind {
	case name, number, dotted, six, mac:
		return true
	}
	return false
}
