package live

import (
	"fmt"

	"golang.org/x/net/bpf"

	"trailhound/agent/packet"
)

// A Filter gives the capture filter as a classic BPF program for frames of a
// link type: its result is how many bytes of the frame are kept, at most
// snaplen, and 0 for a frame that is not wanted. agent/capture/filter has one.
type Filter interface {
	Program(link packet.LinkType, snaplen uint32) ([]bpf.RawInstruction, error)
}

// maxSkipped is how many devices a socket filter names. The reader skips what
// the filter lets pass.
const maxSkipped = 64

// screen is what a socket lets into its ring.
type screen struct {
	filter  Filter // nil: everything
	snaplen uint32
	quiet   bool  // nothing that this host sends
	any     bool  // of all devices, so link types differ
	skip    []int // any: devices that are not wanted, by index
	hatype  uint16
}

// linkOf gives the link type as which frames of a device are handed out.
func linkOf(hatype uint16) packet.LinkType {
	switch hatype {
	case hatypeEther, hatypeLoopback:
		return packet.LinkEthernet
	case hatype80211:
		return 105 // LINKTYPE_IEEE802_11
	case hatypePrism:
		return 119 // LINKTYPE_IEEE802_11_PRISM
	case hatypeRadiotap:
		return 127 // LINKTYPE_IEEE802_11_RADIOTAP
	}
	return packet.LinkRaw
}

// program builds the socket filter.
func (s screen) program() ([]bpf.RawInstruction, error) {
	if !s.any {
		body, err := s.body(linkOf(s.hatype))
		if err != nil {
			return nil, err
		}
		return s.join(s.prologue(), body)
	}
	list := s.prologue()
	ether, err := s.body(packet.LinkEthernet)
	if err != nil {
		return nil, err
	}
	if s.filter != nil {
		list = append(list,
			bpf.LoadExtension{Num: bpf.ExtLinkLayerType},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: hatypeEther, SkipTrue: 2},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: hatypeLoopback, SkipTrue: 1},
			bpf.Jump{Skip: uint32(len(ether))})
		raw, err := s.body(packet.LinkRaw)
		if err != nil {
			return nil, err
		}
		ether = append(ether, raw...)
	}
	return s.join(list, ether)
}

// prologue drops what no filter need see.
func (s screen) prologue() (list []bpf.Instruction) {
	if s.any && len(s.skip) > 0 {
		list = append(list, bpf.LoadExtension{Num: bpf.ExtInterfaceIndex})
		for _, index := range s.skip[:min(len(s.skip), maxSkipped)] {
			list = append(list, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: uint32(index), SkipTrue: 1}, bpf.RetConstant{Val: 0})
		}
	}
	switch {
	case s.quiet:
		list = append(list, bpf.LoadExtension{Num: bpf.ExtType},
			bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: outgoing, SkipTrue: 1},
			bpf.RetConstant{Val: 0})
	case s.any: // what is sent over loopback is received there, too
		list = append(list, bpf.LoadExtension{Num: bpf.ExtType},
			bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: outgoing, SkipTrue: 3},
			bpf.LoadExtension{Num: bpf.ExtLinkLayerType},
			bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: hatypeLoopback, SkipTrue: 1},
			bpf.RetConstant{Val: 0})
	}
	return list
}

// body is the capture filter itself. A program for raw IP is made to read from
// the network header on, as the reader will: some devices that are not
// Ethernet put a header of their own before it.
func (s screen) body(link packet.LinkType) ([]bpf.RawInstruction, error) {
	if s.filter == nil {
		return bpf.Assemble([]bpf.Instruction{bpf.RetConstant{Val: s.snaplen}})
	}
	list, err := s.filter.Program(link, s.snaplen)
	if err != nil {
		return nil, fmt.Errorf("cannot filter frames of link type %d: %w", link, err)
	}
	if link != packet.LinkRaw {
		return append([]bpf.RawInstruction(nil), list...), nil
	}
	moved := make([]bpf.RawInstruction, len(list))
	for i, in := range list {
		if fromPacket(in) {
			in.K += networkPlace
		}
		moved[i] = in
	}
	return moved, nil
}

// fromPacket says whether an instruction reads the packet by a plain offset:
// BPF_LD of mode BPF_ABS or BPF_IND, BPF_LDX of mode BPF_MSH.
func fromPacket(in bpf.RawInstruction) bool {
	const class, mode = 0x07, 0xe0
	switch in.Op & class {
	case 0x00: // BPF_LD
		return in.K < linkPlace && (in.Op&mode == 0x20 || in.Op&mode == 0x40)
	case 0x01: // BPF_LDX
		return in.Op&mode == 0xa0
	}
	return false
}

func (s screen) join(head []bpf.Instruction, body []bpf.RawInstruction) ([]bpf.RawInstruction, error) {
	list, err := bpf.Assemble(head)
	if err != nil {
		return nil, err
	}
	if list = append(list, body...); len(list) > 4096 { // BPF_MAXINSNS
		return nil, fmt.Errorf("the capture filter needs %d instructions, the kernel takes 4096", len(list))
	}
	return list, nil
}
