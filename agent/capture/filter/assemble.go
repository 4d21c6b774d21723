package filter

import "golang.org/x/net/bpf"

// registers are what A and X hold before a test, on every way that leads there.
type registers struct {
	reached bool
	hasA    bool
	a       load // with the steps that were done on it
	hasX    bool
	base    uint32 // X is the length of the IPv4 header that begins here
}

// meet is what the registers hold where two ways come together.
func (r registers) meet(s registers) registers {
	if !r.reached {
		return s
	}
	r.hasA = r.hasA && s.hasA && r.a == s.a
	r.hasX = r.hasX && s.hasX && r.base == s.base
	return r
}

// bits says whether a test asks for no more than whether some bits are set,
// which is one instruction.
func (t test) bits() (mask uint32, ok bool) {
	return t.load.steps[0].constant, t.op == equal && t.value == 0 && t.load.count == 1 && t.load.steps[0].op == aluAnd
}

// held is the load that A holds after a test.
func (t test) held() load {
	if _, ok := t.bits(); ok {
		return t.load.plain()
	}
	return t.load
}

// flow finds out what the registers hold before each test.
func (g *graph) flow(root int) []registers {
	before := make([]registers, max(root+1, verdicts))
	before[root].reached = true
	for at := root; at >= verdicts; at-- {
		r := before[at]
		if !r.reached {
			continue
		}
		n := &g.nodes[at]
		r.hasA, r.a = true, n.test.held()
		if n.test.load.from == transport {
			r.hasX, r.base = true, n.test.load.base
		}
		for _, next := range [...]int{n.yes, n.no} {
			before[next] = before[next].meet(r)
		}
	}
	return before
}

// instructions gives a test without its jumps, as the registers allow; the last
// one is the comparison. turned: its outcomes are the other way round.
func (t test) instructions(before registers) (list []bpf.RawInstruction, turned bool) {
	add := func(op uint16, k uint32) { list = append(list, bpf.RawInstruction{Op: op, K: k}) }
	held := t.held()
	if !before.hasA || before.a != held {
		if !before.hasA || before.a != t.load.plain() {
			if t.load.from == transport && (!before.hasX || before.base != t.load.base) {
				add(classLoadX|sizeByte|modeHeader, t.load.base)
			}
			add(t.load.opcode())
		}
		for _, s := range held.steps[:held.count] {
			add(s.op, s.constant)
		}
	}
	if mask, ok := t.bits(); ok {
		add(jumpSet, mask)
		return list, true
	}
	add([...]uint16{equal: jumpEqual, greater: jumpGreater, atLeast: jumpAtLeast}[t.op], t.value)
	return list, false
}

// opcode gives the instruction that loads A.
func (l load) opcode() (op uint16, k uint32) {
	size := map[uint8]uint16{1: sizeByte, 2: sizeHalf, 4: sizeWord}[l.size]
	switch l.from {
	case transport:
		return classLoad | size | modeIndirect, l.base + l.offset
	case ancillary:
		return classLoad | size | modeAbsolute, adOffset + l.offset
	case length:
		return classLoad | sizeWord | modeLength, 0
	}
	return classLoad | size | modeAbsolute, l.offset
}

// farthest is how many instructions a conditional jump can leave out.
const farthest = 255

// An assembler writes a program from its end to its begin: jumps lead forward
// only, so where they lead to is already there.
type assembler struct {
	code    []bpf.RawInstruction // the last one first
	snaplen uint32
	// place is where each test and verdict begins, in code: for jumps that
	// reach it. -1: not there.
	place []int
	// closer is a place nearer to the begin that leads there.
	closer []int
}

// assemble makes the graph from root on a program that accepts snaplen bytes;
// false if it is too long.
func (g *graph) assemble(root int, snaplen uint32) ([]bpf.RawInstruction, bool) {
	if g.full {
		return nil, false
	}
	g.simplify(root)
	w := &assembler{snaplen: snaplen, place: make([]int, len(g.nodes)), closer: make([]int, len(g.nodes))}
	for i := range w.place {
		w.place[i], w.closer[i] = -1, -1
	}
	before := g.flow(root)
	for _, verdict := range [...]int{reject, accept} {
		if before[verdict].reached {
			w.place[verdict] = w.verdict(verdict)
		}
	}
	for at := verdicts; at <= root; at++ {
		if before[at].reached {
			w.test(at, g.nodes[at], before[at])
		}
		if len(w.code) > MaxInstructions {
			return nil, false
		}
	}
	for i, j := 0, len(w.code)-1; i < j; i, j = i+1, j-1 {
		w.code[i], w.code[j] = w.code[j], w.code[i]
	}
	return w.code, true
}

func (w *assembler) verdict(v int) int {
	k := uint32(0)
	if v == accept {
		k = w.snaplen
	}
	w.code = append(w.code, bpf.RawInstruction{Op: returnConstant, K: k})
	return len(w.code) - 1
}

// test writes a test and its jumps.
func (w *assembler) test(at int, n node, before registers) {
	list, turned := n.test.instructions(before)
	yes, no := n.yes, n.no
	if turned {
		yes, no = no, yes
	}
	// Room for one stepping stone each is left when they are measured.
	toYes, toNo := w.reach(yes), w.reach(no)
	jump := &list[len(list)-1]
	jump.Jt, jump.Jf = uint8(len(w.code)-1-toYes), uint8(len(w.code)-1-toNo)
	for i := len(list) - 1; i >= 0; i-- {
		w.code = append(w.code, list[i])
	}
	w.place[at] = len(w.code) - 1
}

// reach gives a place that leads to a test or verdict and that a conditional
// jump written next, or next but one stepping stone, can reach.
func (w *assembler) reach(to int) int {
	for _, place := range [...]int{w.place[to], w.closer[to]} {
		if place >= 0 && len(w.code)-place <= farthest {
			return place
		}
	}
	if to < verdicts {
		w.closer[to] = w.verdict(to)
	} else {
		w.code = append(w.code, bpf.RawInstruction{Op: jumpAlways, K: uint32(len(w.code) - 1 - w.place[to])})
		w.closer[to] = len(w.code) - 1
	}
	return w.closer[to]
}
