package filter

import (
	"encoding/binary"
	"testing"

	"golang.org/x/net/bpf"

	"trailhound/agent/packet"
)

// A given is a frame as a socket gives it to a filter.
type given struct {
	data     []byte
	tagged   bool   // the kernel has taken a tag out
	tag      uint16 // the tag
	hardware uint32 // ARPHRD_* of the device
}

// run executes a program as the kernel does. It knows what filters may load
// from the kernel, which the machine of x/net/bpf does not.
func run(t testing.TB, code []bpf.RawInstruction, g given) uint32 {
	n, _ := runToEnd(t, code, g)
	return n
}

// runToEnd also says whether a load beyond the frame was the end.
func runToEnd(t testing.TB, code []bpf.RawInstruction, g given) (n uint32, beyond bool) {
	var a, x uint32
	var slots [scratchSlots]uint32
	get := func(at uint32, size uint16) (uint32, bool) {
		if at >= adOffset {
			switch at - adOffset {
			case adVLANTagPresent:
				if g.tagged {
					return 1, true
				}
				return 0, true
			case adVLANTag:
				return uint32(g.tag), true
			case adHatype:
				return g.hardware, true
			}
			t.Fatalf("load from %#x", at)
		}
		n := map[uint16]int{sizeByte: 1, sizeHalf: 2, sizeWord: 4}[size]
		if uint64(at)+uint64(n) > uint64(len(g.data)) {
			return 0, false
		}
		var b [4]byte
		copy(b[4-n:], g.data[at:])
		return binary.BigEndian.Uint32(b[:]), true
	}
	for i := 0; ; i++ {
		in := code[i]
		operand := in.K
		if in.Op&sourceX != 0 {
			operand = x
		}
		ok := true
		switch in.Op & 7 {
		case classLoad:
			switch in.Op & 0xe0 {
			case modeImmediate:
				a = in.K
			case modeAbsolute:
				a, ok = get(in.K, in.Op&0x18)
			case modeIndirect:
				a, ok = get(x+in.K, in.Op&0x18)
			case modeMemory:
				a = slots[in.K]
			case modeLength:
				a = uint32(len(g.data))
			}
		case classLoadX:
			switch in.Op & 0xe0 {
			case modeHeader:
				x, ok = get(in.K, sizeByte)
				x = x & 15 * 4
			case modeImmediate:
				x = in.K
			case modeMemory:
				x = slots[in.K]
			case modeLength:
				x = uint32(len(g.data))
			}
		case classStore:
			slots[in.K] = a
		case classStoreX:
			slots[in.K] = x
		case classALU:
			switch in.Op &^ sourceX {
			case aluAdd:
				a += operand
			case aluSub:
				a -= operand
			case aluMul:
				a *= operand
			case aluDiv, aluMod:
				if operand == 0 {
					return 0, false
				}
				if in.Op&^sourceX == aluMod {
					a %= operand
				} else {
					a /= operand
				}
			case aluOr:
				a |= operand
			case aluAnd:
				a &= operand
			case aluXor:
				a ^= operand
			case aluShiftLeft:
				a <<= operand & 31
			case aluShiftRight:
				a >>= operand & 31
			case aluNegate:
				a = -a
			}
		case classJump:
			yes := false
			switch in.Op &^ sourceX {
			case jumpAlways:
				i += int(in.K)
				continue
			case jumpEqual:
				yes = a == operand
			case jumpGreater:
				yes = a > operand
			case jumpAtLeast:
				yes = a >= operand
			case jumpSet:
				yes = a&operand != 0
			}
			if yes {
				i += int(in.Jt)
			} else {
				i += int(in.Jf)
			}
		case classReturn:
			if in.Op == returnA {
				return a, false
			}
			return in.K, false
		case classMisc:
			if in.Op == miscToX {
				x = a
			} else {
				a = x
			}
		}
		if !ok {
			return 0, true
		}
	}
}

// model evaluates a condition directly, without any program.
func (c *cond) model(g given) (value, ended bool) {
	switch c.op {
	case and, or:
		for _, kid := range c.kids {
			value, ended := kid.model(g)
			if ended || value == (c.op == or) {
				return value, ended
			}
		}
		return c.op == and, false
	case not:
		value, ended := c.kids[0].model(g)
		return !value, ended
	}
	if c.fixed {
		return c.value, false
	}
	number, ok := c.test.load.model(g)
	return c.test.holds(number), !ok
}

func (l load) model(g given) (n uint32, ok bool) {
	at := uint64(l.offset)
	switch l.from {
	case length:
		n = uint32(len(g.data))
	case ancillary:
		switch l.offset {
		case adVLANTag:
			n = uint32(g.tag)
		case adVLANTagPresent:
			if g.tagged {
				n = 1
			}
		}
	case transport:
		if int(l.base) >= len(g.data) {
			return 0, false
		}
		at += uint64(l.base) + uint64(g.data[l.base]&15)*4
		fallthrough
	default:
		if at+uint64(l.size) > uint64(len(g.data)) {
			return 0, false
		}
		for _, b := range g.data[at : at+uint64(l.size)] {
			n = n<<8 | uint32(b)
		}
	}
	for _, s := range l.steps[:l.count] {
		switch s.op {
		case aluAdd:
			n += s.constant
		case aluSub:
			n -= s.constant
		case aluMul:
			n *= s.constant
		case aluDiv:
			n /= s.constant
		case aluOr:
			n |= s.constant
		case aluAnd:
			n &= s.constant
		case aluShiftLeft:
			n <<= s.constant
		case aluShiftRight:
			n >>= s.constant
		}
	}
	return n, true
}

// wants is what a filter should say of a frame, by the model.
func (f *Filter) wants(link packet.LinkType, g given) bool {
	if f.tree == nil {
		return true
	}
	value, ended := f.tree.lower(view{link: link, untagged: g.tagged && link == packet.LinkEthernet}).model(g)
	return value && !ended
}

// mustProgram compiles or ends the test.
func mustProgram(t testing.TB, expression string, link packet.LinkType) []bpf.RawInstruction {
	t.Helper()
	f, err := New(expression, Options{Tcpdump: "-"})
	if err != nil {
		t.Fatal(err)
	}
	code, err := f.Program(link, 1000)
	if err != nil {
		t.Fatal(err)
	}
	return code
}
