package live

import (
	"golang.org/x/net/bpf"
)

// ARPHRD_* of linux/if_arp.h that a ring's frames are told apart by.
const (
	hatypeEther    = 1
	hatypeLoopback = 772
	hatype80211    = 801
	hatypePrism    = 802
	hatypeRadiotap = 803
)

// Places that loads of a packet filter count from, linux/filter.h.
const (
	linkPlace    = 0xffe00000 // SKF_LL_OFF: the link header
	networkPlace = 0xfff00000 // SKF_NET_OFF: the network header
)

const (
	etherHeader  = 14
	etherIPv4    = 0x0800
	etherIPv6    = 0x86dd
	etherPPPoE   = 0x8864
	etherVLAN    = 0x8100
	etherQinQ    = 0x88a8
	etherQinQOld = 0x9100
	pppIPv4      = 0x21
	pppIPv6      = 0x57
)

// Scratch memory of the program.
const (
	keptX = iota
	keptA
	mixed
)

// fanoutProgram computes packet.Fanout of a frame as the ring delivers it, in
// the kernel: PACKET_FANOUT_CBPF takes it modulo the number of sockets.
//
// The kernel runs it where the frame passes, not where the ring gets it: data
// begin at the link header of what is sent and behind it of what is received.
// So everything behind an Ethernet header is read from a base of 14 or 0. Loads
// from SKF_LL_OFF would look the same in both directions, but before Linux 6.16
// they see only what lies in the packet's first piece of memory
// (bpf_internal_load_pointer_neg_helper), and drivers that receive into pages
// put nothing but the Ethernet header there when GRO is off: it is read that way.
//
// For devices that are not Ethernet, whose frames the ring's reader hands out
// from the network header on, the same is done from there. 802.11 has no
// addresses that packet.Fanout reads.
func fanoutProgram() ([]bpf.RawInstruction, error) {
	p := newProgram()
	p.add(bpf.LoadExtension{Num: bpf.ExtLinkLayerType})
	p.when(hatypeEther, "ether")
	p.when(hatypeLoopback, "ether")
	p.when(hatype80211, "none")
	p.when(hatypePrism, "none")
	p.when(hatypeRadiotap, "none")
	p.add(bpf.LoadConstant{Dst: bpf.RegX, Val: networkPlace})
	p.jump("network")
	p.label("none")
	p.add(bpf.RetConstant{Val: 0})

	p.label("ether")
	p.add(bpf.LoadConstant{Dst: bpf.RegX, Val: 0}, bpf.LoadExtension{Num: bpf.ExtType})
	p.unless(outgoing, "based")
	p.add(bpf.LoadConstant{Dst: bpf.RegX, Val: etherHeader})
	p.label("based")
	p.add(bpf.LoadAbsolute{Off: linkPlace + 12, Size: 2})
	for i := range 3 {
		p.when(etherIPv4, "ip")
		p.when(etherIPv6, "ip")
		p.when(etherPPPoE, "pppoe")
		if i == 2 {
			break
		}
		tag := [...]string{"tag0", "tag1"}[i]
		p.when(etherVLAN, tag)
		p.when(etherQinQ, tag)
		p.when(etherQinQOld, tag)
		p.jump("mac")
		p.label(tag)
		p.add(bpf.LoadIndirect{Off: 2, Size: 2})
		p.skip(4)
	}
	p.jump("mac")

	p.label("pppoe")
	p.add(bpf.LoadIndirect{Off: 6, Size: 1})
	p.when(pppIPv4, "ppp1")
	p.when(pppIPv6, "ppp1")
	p.add(bpf.LoadIndirect{Off: 6, Size: 2})
	p.when(pppIPv4, "ppp2")
	p.when(pppIPv6, "ppp2")
	p.jump("mac")
	p.label("ppp1")
	p.skip(7)
	p.jump("ip")
	p.label("ppp2")
	p.skip(8)

	p.label("ip")
	p.nibble()
	p.when(4, "four")
	p.when(6, "six")
	p.label("mac")
	p.mix(bpf.LoadAbsolute{Off: linkPlace, Size: 4}, bpf.LoadAbsolute{Off: linkPlace + 6, Size: 4},
		bpf.LoadAbsolute{Off: linkPlace + 4, Size: 2}, bpf.LoadAbsolute{Off: linkPlace + 10, Size: 2})

	p.label("network")
	p.nibble()
	p.when(4, "four")
	p.when(6, "six")
	p.add(bpf.RetConstant{Val: 0})

	p.label("four")
	p.mix(bpf.LoadIndirect{Off: 12, Size: 4}, bpf.LoadIndirect{Off: 16, Size: 4})
	p.label("six")
	var words []bpf.Instruction
	for off := uint32(8); off < 40; off += 4 {
		words = append(words, bpf.LoadIndirect{Off: off, Size: 4})
	}
	p.mix(words...)
	return p.assemble()
}

// skip moves the base in X on by n bytes; A stays.
func (p *program) skip(n uint32) {
	p.add(bpf.StoreScratch{Src: bpf.RegA, N: keptA}, bpf.TXA{}, bpf.ALUOpConstant{Op: bpf.ALUOpAdd, Val: n},
		bpf.TAX{}, bpf.LoadScratch{Dst: bpf.RegA, N: keptA})
}

func (p *program) nibble() {
	p.add(bpf.LoadIndirect{Off: 0, Size: 1}, bpf.ALUOpConstant{Op: bpf.ALUOpShiftRight, Val: 4})
}

// mix returns the mix of the exclusive or of what the loads give, as
// packet.Fanout does.
func (p *program) mix(loads ...bpf.Instruction) {
	for i, load := range loads {
		p.add(load)
		if i > 0 {
			p.add(bpf.StoreScratch{Src: bpf.RegX, N: keptX}, bpf.LoadScratch{Dst: bpf.RegX, N: mixed},
				bpf.ALUOpX{Op: bpf.ALUOpXor})
		}
		p.add(bpf.StoreScratch{Src: bpf.RegA, N: mixed})
		if i > 0 {
			p.add(bpf.LoadScratch{Dst: bpf.RegX, N: keptX})
		}
	}
	for _, step := range []struct{ shift, factor uint32 }{{16, 0x85ebca6b}, {13, 0xc2b2ae35}, {16, 1}} {
		p.add(bpf.TAX{}, bpf.ALUOpConstant{Op: bpf.ALUOpShiftRight, Val: step.shift}, bpf.ALUOpX{Op: bpf.ALUOpXor})
		if step.factor != 1 {
			p.add(bpf.ALUOpConstant{Op: bpf.ALUOpMul, Val: step.factor})
		}
	}
	p.add(bpf.RetA{})
}
