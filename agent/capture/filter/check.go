package filter

import (
	"fmt"

	"golang.org/x/net/bpf"
)

// Check says what is wrong with a program, nil if nothing: it is as strict as
// the kernel (bpf_check_classic and check_load_and_stores of net/core/filter.c)
// and stricter in that only what the kernel knows of a frame and what filters
// have use for may be loaded from outside of it.
func Check(code []bpf.RawInstruction) error {
	if len(code) == 0 || len(code) > MaxInstructions {
		return fmt.Errorf("the program has %d instructions, not 1 to %d", len(code), MaxInstructions)
	}
	// slots are the scratch memory that is written on every way to an
	// instruction; jumps lead forward, so one pass sees all ways.
	slots := make([]uint16, len(code))
	for i := range slots {
		slots[i] = ^uint16(0)
	}
	slots[0] = 0
	live := make([]bool, len(code))
	live[0] = true
	to := func(i, skip int, written uint16) error {
		at := i + 1 + skip
		if at >= len(code) {
			return fmt.Errorf("instruction %d leads behind the end", i)
		}
		slots[at] &= written
		live[at] = true
		return nil
	}
	for i, in := range code {
		if err := checkInstruction(in); err != nil {
			return fmt.Errorf("instruction %d: %w", i, err)
		}
		written := slots[i]
		var err error
		switch class := in.Op & 7; {
		case class == classReturn:
			continue
		case in.Op == jumpAlways:
			if in.K >= uint32(len(code)) { // also what C reads as a way back
				return fmt.Errorf("instruction %d leads back or behind the end", i)
			}
			err = to(i, int(in.K), written)
		case class == classJump:
			if err = to(i, int(in.Jt), written); err == nil {
				err = to(i, int(in.Jf), written)
			}
		case class == classStore, class == classStoreX:
			err = to(i, 0, written|1<<in.K)
		case (class == classLoad || class == classLoadX) && in.Op&0xe0 == modeMemory && written>>in.K&1 == 0 && live[i]:
			err = fmt.Errorf("instruction %d reads slot %d, which may not be written", i, in.K)
		default:
			err = to(i, 0, written)
		}
		if err != nil {
			return err
		}
	}
	if code[len(code)-1].Op&7 != classReturn {
		return fmt.Errorf("the last instruction is no return")
	}
	return nil
}

// checkInstruction looks at one instruction by itself.
func checkInstruction(in bpf.RawInstruction) error {
	switch in.Op {
	case classLoad | sizeWord | modeAbsolute, classLoad | sizeHalf | modeAbsolute, classLoad | sizeByte | modeAbsolute:
		if in.K >= 1<<31 { // negative in the kernel
			switch in.K - adOffset {
			case adPacketType, adInterface, adHatype, adVLANTag, adVLANTagPresent:
			default:
				return fmt.Errorf("it loads from %#x", in.K)
			}
		}
	case classLoad | sizeWord | modeIndirect, classLoad | sizeHalf | modeIndirect, classLoad | sizeByte | modeIndirect,
		classLoadX | sizeByte | modeHeader:
		// Indirect loads may be negative: an offset less than X is legal.
	case classLoad | modeImmediate, classLoad | modeLength, classLoadX | modeImmediate, classLoadX | modeLength,
		miscToX, miscToA, aluNegate, returnConstant, returnA, jumpAlways:
	case classLoad | modeMemory, classLoadX | modeMemory, classStore, classStoreX:
		if in.K >= scratchSlots {
			return fmt.Errorf("there is no slot %d", in.K)
		}
	case aluDiv, aluMod:
		if in.K == 0 {
			return fmt.Errorf("it divides by 0")
		}
	case aluShiftLeft, aluShiftRight:
		if in.K > 31 {
			return fmt.Errorf("it shifts by %d", in.K)
		}
	case aluAdd, aluSub, aluMul, aluAnd, aluOr, aluXor,
		aluAdd | sourceX, aluSub | sourceX, aluMul | sourceX, aluDiv | sourceX, aluMod | sourceX, aluAnd | sourceX,
		aluOr | sourceX, aluXor | sourceX, aluShiftLeft | sourceX, aluShiftRight | sourceX,
		jumpEqual, jumpGreater, jumpAtLeast, jumpSet,
		jumpEqual | sourceX, jumpGreater | sourceX, jumpAtLeast | sourceX, jumpSet | sourceX:
	default:
		return fmt.Errorf("code %#x is not known", in.Op)
	}
	return nil
}
