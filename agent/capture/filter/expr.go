package filter

// An expr is an expression as it was written: primitives below and, or and not.
type expr struct {
	op   operator
	kids []*expr   // of and and or: two and more; of not: one
	leaf primitive // of leaf
}

type operator uint8

const (
	leaf operator = iota
	and
	or
	not
)

// A primitive is one question about a frame.
type primitive interface {
	// cond puts the question for a view of frames.
	cond(v view) *cond
}

// A mergeable primitive can ask for what another one asks for too, in one: lists
// of hosts and ports are long, and asking for one after the other loads each
// value anew.
type mergeable interface {
	primitive
	// or gives the question whether one of the two is true; false: they are too
	// different.
	or(primitive) (primitive, bool)
}

// join makes "left op right". Chains of one operator become one expr, which
// keeps the tree flat.
func join(op operator, left, right *expr) *expr {
	if left.op != op {
		if e := merge(op, left, right); e != nil {
			return e
		}
		return &expr{op: op, kids: []*expr{left, right}}
	}
	last := len(left.kids) - 1
	if e := merge(op, left.kids[last], right); e != nil {
		left.kids[last] = e
	} else {
		left.kids = append(left.kids, right)
	}
	return left
}

// merge makes one question of "a or b" or "not a and not b"; nil if it cannot.
func merge(op operator, left, right *expr) *expr {
	if op == and && left.op == not && right.op == not {
		return negate(merge(or, left.kids[0], right.kids[0]), true)
	}
	if op != or || left.op != leaf || right.op != leaf {
		return nil
	}
	if m, ok := left.leaf.(mergeable); ok {
		if both, ok := m.or(right.leaf); ok {
			return &expr{leaf: both}
		}
	}
	return nil
}

// negate makes "not e" if it is to and there is an e.
func negate(e *expr, yes bool) *expr {
	if !yes || e == nil {
		return e
	}
	return &expr{op: not, kids: []*expr{e}}
}

// lower puts all questions of an expression for a view.
func (e *expr) lower(v view) *cond {
	if e.op == leaf {
		return e.leaf.cond(v)
	}
	c := &cond{op: e.op, kids: make([]*cond, len(e.kids))}
	for i, kid := range e.kids {
		c.kids[i] = kid.lower(v)
	}
	return c
}

// asksVLAN says whether vlan is in the expression.
func (e *expr) asksVLAN() bool {
	if e.op == leaf {
		_, ok := e.leaf.(vlanTag)
		return ok
	}
	for _, kid := range e.kids {
		if kid.asksVLAN() {
			return true
		}
	}
	return false
}

// A cond is a condition on the numbers in a frame, put together from tests. It
// is evaluated from left to right and no further than needed; a load beyond the
// frame ends the program, and the frame is not accepted (the kernel's rule).
type cond struct {
	op    operator
	kids  []*cond
	fixed bool // leaf: the value is known, and test is not used
	value bool // of fixed
	test  test
}

// A test compares a number with a constant.
type test struct {
	load  load
	op    comparison
	value uint32
}

type comparison uint8

const (
	equal   comparison = iota // JEQ
	greater                   // JGT, without signs
	atLeast                   // JGE, without signs
)

// A load gets a number out of a frame. Loads can be compared: equal ones give
// equal numbers for one frame.
type load struct {
	from   source
	base   uint32 // of transport: where the IPv4 header begins
	offset uint32 // in bytes; of ancillary: less SKF_AD_OFF
	size   uint8  // 1, 2 or 4 bytes in network order
	count  uint8  // of steps
	steps  [maxSteps]step
}

// maxSteps bounds the arithmetic on a load; more of it is left to tcpdump.
const maxSteps = 4

// A step changes the number by an ALU operation with a constant.
type step struct {
	op       uint16 // BPF_ALU | BPF_K | operation
	constant uint32
}

type source uint8

const (
	frame     source = iota // offset from the frame's begin
	transport               // offset from the end of the IPv4 header at base
	ancillary               // what the kernel knows of the frame (SKF_AD_OFF)
	length                  // of the frame as it was delivered
)

// then adds a step; it fails if there are too many.
func (l load) then(op uint16, constant uint32) (load, bool) {
	if int(l.count) == len(l.steps) {
		return l, false
	}
	l.steps[l.count] = step{op, constant}
	l.count++
	return l, true
}

// masked is the load with only the bits of mask.
func (l load) masked(mask uint32) load {
	if mask == 1<<(8*uint(l.size))-1 {
		return l
	}
	l, _ = l.then(aluAnd, mask)
	return l
}

// plain is the load without its steps.
func (l load) plain() load {
	l.count, l.steps = 0, [maxSteps]step{}
	return l
}

func allOf(kids ...*cond) *cond { return &cond{op: and, kids: kids} }

func anyOf(kids ...*cond) *cond { return &cond{op: or, kids: kids} }

func noneOf(kid *cond) *cond { return &cond{op: not, kids: []*cond{kid}} }

func always(value bool) *cond { return &cond{fixed: true, value: value} }

func compare(l load, op comparison, value uint32) *cond {
	return &cond{test: test{l, op, value}}
}

func equals(l load, value uint32) *cond { return compare(l, equal, value) }
