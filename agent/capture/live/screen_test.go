package live

import (
	"testing"

	"golang.org/x/net/bpf"

	"trailhound/agent/packet"
)

// long is a filter of so many instructions.
type long int

func (l long) Program(packet.LinkType, uint32) ([]bpf.RawInstruction, error) {
	list := make([]bpf.RawInstruction, l)
	for i := range list {
		list[i] = bpf.RawInstruction{Op: 0x04} // add 0
	}
	list[l-1] = bpf.RawInstruction{Op: 0x06, K: 100}
	return list, nil
}

// Every program that a screen makes is one the kernel takes, however many
// devices are skipped and however long the filter is.
func TestScreensLoad(t *testing.T) {
	many := make([]int, 5000)
	for i := range many {
		many[i] = i + 1
	}
	for _, filter := range []Filter{nil, version4{}, long(1500)} {
		for _, skip := range [][]int{nil, {7}, many} {
			for _, hatype := range []uint16{hatypeEther, hatypeLoopback, 65534, hatypeRadiotap} {
				for _, quiet := range []bool{false, true} {
					for _, any := range []bool{false, true} {
						list, err := screen{filter: filter, snaplen: 9000, quiet: quiet, any: any, skip: skip, hatype: hatype}.program()
						if err != nil {
							t.Fatal(err)
						}
						if err := tryFilter(list); err != nil {
							t.Errorf("%T, %d skipped, type %d, quiet %v, any %v: %v", filter, len(skip), hatype, quiet, any, err)
						}
					}
				}
			}
		}
	}
	if _, err := (screen{filter: long(2500), any: true}).program(); err == nil {
		t.Error("a filter that fits the kernel once is taken twice")
	}
}

func TestMovedToNetworkHeader(t *testing.T) {
	list, err := screen{filter: version4{}, snaplen: 77, hatype: 65534}.program()
	if err != nil {
		t.Fatal(err)
	}
	plain, _ := version4{}.Program(packet.LinkRaw, 77)
	for i, in := range plain {
		want := in
		if i == 0 || i == 1 || i == 3 {
			want.K += networkPlace
		}
		if list[i] != want {
			t.Errorf("%d: %+v, want %+v", i, list[i], want)
		}
	}
	for _, in := range []bpf.RawInstruction{{Op: 0x20, K: 0xfffff000 + 44}, {Op: 0x80}, {Op: 0x00, K: 5}, {Op: 0x01, K: 5}, {Op: 0x15, K: 5}} {
		if fromPacket(in) {
			t.Errorf("%+v reads no packet", in)
		}
	}
}
