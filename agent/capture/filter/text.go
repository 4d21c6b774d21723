package filter

import (
	"fmt"
	"strings"

	"golang.org/x/net/bpf"
)

// aluNames are the ALU operations by their number.
var aluNames = [...]string{"add", "sub", "mul", "div", "or", "and", "lsh", "rsh", "neg", "mod", "xor"}

var jumpNames = [...]string{"ja", "jeq", "jgt", "jge", "jset"}

// Text prints a program as tcpdump -d does, one instruction a line.
func Text(code []bpf.RawInstruction) string {
	var b strings.Builder
	for i, in := range code {
		name, operand := instructionText(in, i)
		line := fmt.Sprintf("(%03d) %-8s %s", i, name, operand)
		if in.Op&7 == classJump && in.Op != jumpAlways {
			line = fmt.Sprintf("(%03d) %-8s %-16s jt %d\tjf %d", i, name, operand, i+1+int(in.Jt), i+1+int(in.Jf))
		}
		b.WriteString(strings.TrimRight(line, " "))
		b.WriteByte('\n')
	}
	return b.String()
}

// instructionText gives the name and the operand of the instruction at i.
func instructionText(in bpf.RawInstruction, i int) (name, operand string) {
	constant := fmt.Sprintf("#%#x", in.K)
	operation := int(in.Op >> 4 & 0xf)
	if in.Op&sourceX != 0 {
		constant = "x"
	}
	switch in.Op & 7 {
	case classLoad, classLoadX:
		return loadText(in)
	case classStore:
		return "st", fmt.Sprintf("M[%d]", in.K)
	case classStoreX:
		return "stx", fmt.Sprintf("M[%d]", in.K)
	case classALU:
		switch {
		case in.Op == aluNegate:
			return "neg", ""
		case operation >= len(aluNames):
			return "unimp", fmt.Sprintf("%#x", in.Op)
		case in.Op == aluShiftLeft || in.Op == aluShiftRight || in.Op == aluAdd || in.Op == aluSub || in.Op == aluMul || in.Op == aluDiv || in.Op == aluMod:
			constant = fmt.Sprintf("#%d", in.K)
		}
		return aluNames[operation], constant
	case classJump:
		switch {
		case in.Op == jumpAlways:
			return "ja", fmt.Sprint(i + 1 + int(in.K))
		case operation >= len(jumpNames):
			return "unimp", fmt.Sprintf("%#x", in.Op)
		}
		return jumpNames[operation], constant
	case classReturn:
		if in.Op == returnA {
			return "ret", ""
		}
		return "ret", fmt.Sprintf("#%d", in.K)
	}
	if in.Op == miscToX {
		return "tax", ""
	}
	return "txa", ""
}

func loadText(in bpf.RawInstruction) (name, operand string) {
	name = map[uint16]string{sizeWord: "ld", sizeHalf: "ldh", sizeByte: "ldb"}[in.Op&0x18]
	if in.Op&7 == classLoadX {
		name = map[uint16]string{sizeWord: "ldx", sizeByte: "ldxb"}[in.Op&0x18]
	}
	switch in.Op & 0xe0 {
	case modeImmediate:
		return name, fmt.Sprintf("#%#x", in.K)
	case modeIndirect:
		return name, fmt.Sprintf("[x + %d]", int32(in.K))
	case modeMemory:
		return name, fmt.Sprintf("M[%d]", in.K)
	case modeLength:
		return name, "#pktlen"
	case modeHeader:
		return name, fmt.Sprintf("4*([%d]&0xf)", in.K)
	}
	if in.K < adOffset {
		return name, fmt.Sprintf("[%d]", in.K)
	}
	known := map[uint32]string{adPacketType: "type", adInterface: "ifidx", adHatype: "hatype", adVLANTag: "vlan_tci", adVLANTagPresent: "vlanp"}[in.K-adOffset]
	if known == "" {
		known = fmt.Sprintf("ad+%d", in.K-adOffset)
	}
	return name, "[" + known + "]"
}
