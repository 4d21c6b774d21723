package live

import (
	"fmt"

	"golang.org/x/net/bpf"
)

// program is a classic BPF program in the making. Jumps name labels, which lie
// ahead: classic BPF has no way back.
type program struct {
	list   []bpf.Instruction
	labels map[string]int
	jumps  []jump
}

type jump struct {
	at int
	to string
}

func newProgram() *program { return &program{labels: make(map[string]int)} }

func (p *program) add(list ...bpf.Instruction) { p.list = append(p.list, list...) }

func (p *program) label(name string) { p.labels[name] = len(p.list) }

// when goes to a label if A is v.
func (p *program) when(v uint32, to string) {
	p.jumps = append(p.jumps, jump{len(p.list), to})
	p.add(bpf.JumpIf{Cond: bpf.JumpEqual, Val: v})
}

// unless goes to a label if A is not v.
func (p *program) unless(v uint32, to string) {
	p.jumps = append(p.jumps, jump{len(p.list), to})
	p.add(bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: v})
}

func (p *program) jump(to string) {
	p.jumps = append(p.jumps, jump{len(p.list), to})
	p.add(bpf.Jump{})
}

func (p *program) assemble() ([]bpf.RawInstruction, error) {
	for _, j := range p.jumps {
		target, ok := p.labels[j.to]
		skip := target - j.at - 1
		if !ok || skip < 0 {
			return nil, fmt.Errorf("BUG: jump from %d to %q", j.at, j.to)
		}
		switch i := p.list[j.at].(type) {
		case bpf.JumpIf:
			if skip > 255 {
				return nil, fmt.Errorf("BUG: jump from %d to %q is too far", j.at, j.to)
			}
			i.SkipTrue = uint8(skip)
			p.list[j.at] = i
		default:
			p.list[j.at] = bpf.Jump{Skip: uint32(skip)}
		}
	}
	return bpf.Assemble(p.list)
}
