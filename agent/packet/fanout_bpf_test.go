package packet

import (
	"fmt"
	"testing"

	"golang.org/x/net/bpf"
)

// A program is a classic BPF program in the making: jumps name labels.
type program struct {
	list   []bpf.Instruction
	labels map[string]int
	jumps  map[int][2]string
}

func (g *program) add(list ...bpf.Instruction) { g.list = append(g.list, list...) }

func (g *program) label(name string) { g.labels[name] = len(g.list) }

// branch goes to yes when A is v; "" is the next instruction.
func (g *program) branch(v uint32, yes string) {
	g.jumps[len(g.list)] = [2]string{yes, ""}
	g.add(bpf.JumpIf{Cond: bpf.JumpEqual, Val: v})
}

func (g *program) jump(to string) {
	g.jumps[len(g.list)] = [2]string{to, to}
	g.add(bpf.Jump{})
}

func (g *program) assemble(t *testing.T) *bpf.VM {
	t.Helper()
	for at, to := range g.jumps {
		target, ok := g.labels[to[0]]
		if skip := target - at - 1; !ok || skip < 0 || skip > 255 {
			t.Fatalf("jump from %d to %q", at, to[0])
		} else if j, ok := g.list[at].(bpf.JumpIf); ok {
			j.SkipTrue = uint8(skip)
			g.list[at] = j
		} else {
			g.list[at] = bpf.Jump{Skip: uint32(skip)}
		}
	}
	vm, err := bpf.NewVM(g.list)
	if err != nil {
		t.Fatal(err)
	}
	return vm
}

func (g *program) mix() {
	for _, step := range []struct{ shift, factor uint32 }{{16, 0x85ebca6b}, {13, 0xc2b2ae35}, {16, 1}} {
		g.add(bpf.TAX{}, bpf.ALUOpConstant{Op: bpf.ALUOpShiftRight, Val: step.shift}, bpf.ALUOpX{Op: bpf.ALUOpXor},
			bpf.ALUOpConstant{Op: bpf.ALUOpMul, Val: step.factor})
	}
	g.add(bpf.RetA{})
}

// fanoutProgram is Fanout's contract for Ethernet as classic BPF.
func fanoutProgram(t *testing.T) *bpf.VM {
	g := &program{labels: map[string]int{}, jumps: map[int][2]string{}}
	advance := func(n uint32) { // X += n
		g.add(bpf.TXA{}, bpf.ALUOpConstant{Op: bpf.ALUOpAdd, Val: n}, bpf.TAX{})
	}
	g.add(bpf.LoadConstant{Dst: bpf.RegX, Val: 0}) // IP's offset, less 14
	for i := range 3 {
		g.add(bpf.LoadIndirect{Off: 12, Size: 2})
		g.branch(etherIPv4, "ip")
		g.branch(etherIPv6, "ip")
		g.branch(etherPPPoE, "pppoe")
		if i == 2 {
			break
		}
		for _, tag := range []uint32{etherVLAN, etherQinQ, etherQinQOld} {
			g.branch(tag, fmt.Sprint("tag", i))
		}
		g.jump("mac")
		g.label(fmt.Sprint("tag", i))
		advance(4)
	}
	g.jump("mac")

	g.label("pppoe")
	g.add(bpf.LoadIndirect{Off: 14 + 6, Size: 1})
	g.branch(pppIPv4, "ppp1")
	g.branch(pppIPv6, "ppp1")
	g.add(bpf.LoadIndirect{Off: 14 + 6, Size: 2})
	g.branch(pppIPv4, "ppp2")
	g.branch(pppIPv6, "ppp2")
	g.jump("mac")
	g.label("ppp1")
	advance(7)
	g.jump("ip")
	g.label("ppp2")
	advance(8)

	g.label("ip")
	g.add(bpf.LoadIndirect{Off: 14, Size: 1}, bpf.ALUOpConstant{Op: bpf.ALUOpShiftRight, Val: 4})
	g.branch(4, "v4")
	g.branch(6, "v6")

	g.label("mac")
	xor := func(loads ...bpf.Instruction) {
		for i, load := range loads {
			g.add(load)
			if i > 0 {
				g.add(bpf.StoreScratch{Src: bpf.RegX, N: 2}, bpf.LoadScratch{Dst: bpf.RegX, N: 0}, bpf.ALUOpX{Op: bpf.ALUOpXor},
					bpf.StoreScratch{Src: bpf.RegA, N: 0}, bpf.LoadScratch{Dst: bpf.RegX, N: 2})
			} else {
				g.add(bpf.StoreScratch{Src: bpf.RegA, N: 0})
			}
		}
		g.mix()
	}
	xor(bpf.LoadAbsolute{Off: 0, Size: 4}, bpf.LoadAbsolute{Off: 6, Size: 4}, bpf.LoadAbsolute{Off: 4, Size: 2}, bpf.LoadAbsolute{Off: 10, Size: 2})
	g.label("v4")
	xor(bpf.LoadIndirect{Off: 14 + 12, Size: 4}, bpf.LoadIndirect{Off: 14 + 16, Size: 4})
	g.label("v6")
	var words []bpf.Instruction
	for off := uint32(8); off < 40; off += 4 {
		words = append(words, bpf.LoadIndirect{Off: 14 + off, Size: 4})
	}
	xor(words...)
	return g.assemble(t)
}

// TestFanoutIsBPF holds Fanout to what a kernel program can compute: both give
// the same number for every sample, cut at every length.
func TestFanoutIsBPF(t *testing.T) {
	vm := fanoutProgram(t)
	for _, s := range samples() {
		for n := range len(s.frame) + 1 {
			want, err := vm.Run(s.frame[:n])
			if err != nil {
				t.Fatal(err)
			}
			if got := Fanout(LinkEthernet, s.frame[:n]); got != uint32(want) {
				t.Fatalf("%s cut to %d: %#x, kernel program %#x", s.name, n, got, uint32(want))
			}
		}
	}
}
