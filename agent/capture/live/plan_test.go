package live

import (
	"slices"
	"testing"

	"trailhound/agent/capture/device"
)

func TestShape(t *testing.T) {
	for _, c := range []struct {
		size          int64
		snaplen       int
		block, blocks int
	}{
		{256 << 20, 18 << 10, 1 << 20, 256},
		{64 << 20, 18 << 10, 1 << 20, 64},
		{63 << 20, 18 << 10, 512 << 10, 126},
		{16 << 20, 18 << 10, 256 << 10, 64},
		{2 << 20, 18 << 10, 32 << 10, 64},
		{1 << 20, 18 << 10, 32 << 10, 32},
		{10, 18 << 10, 32 << 10, 4},
		{1 << 20, 96, 16 << 10, 64},
		{256 << 10, 96, 4 << 10, 64},
		{8 << 20, 256 << 10, 512 << 10, 16},
	} {
		block, blocks := shape(c.size, c.snaplen)
		if block != c.block || blocks != c.blocks {
			t.Errorf("%d bytes of frames of %d: %d blocks of %d, want %d of %d", c.size, c.snaplen, blocks, block, c.blocks, c.block)
		}
		if block < c.snaplen+frameOverhead {
			t.Errorf("a block of %d holds no frame of %d", block, c.snaplen)
		}
	}
}

func TestShare(t *testing.T) {
	if got := share(256<<20, 4, false); got != 64<<20 {
		t.Error(got)
	}
	if got := share(256<<20, 8, true); got != 24<<20 {
		t.Error(got)
	}
	for rings := 1; rings < 100; rings += 7 {
		for _, later := range []bool{false, true} {
			need := int64(rings) * smallestRing(9000)
			if later {
				need = (need*4 + 2) / 3
			}
			if err := tooSmall(need, rings, later, 9000); err != nil {
				t.Error(err)
			}
			if tooSmall(need-4, rings, later, 9000) == nil {
				t.Errorf("%d rings: less than is needed is taken", rings)
			}
		}
	}
}

// A budget beyond what the machine has is cut before the kernel is asked: it
// would end processes to fulfil it.
func TestPlanIsLimited(t *testing.T) {
	if available() == 0 {
		t.Fatal("/proc/meminfo is not understood")
	}
	c, err := newCapture(Options{Interfaces: []Interface{{Name: Any}}, Workers: 2, RingTotal: 1 << 60, Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range c.sources {
		defer s.Close()
	}
	if err := c.plan(nil); err != nil {
		t.Fatal(err)
	}
	if c.opt.RingTotal > available() || c.share*2 > c.opt.RingTotal {
		t.Errorf("%d bytes, %d each, of %d", c.opt.RingTotal, c.share, available())
	}
}

func TestChoose(t *testing.T) {
	list := []device.Device{
		{Index: 1, Name: "lo"}, {Index: 2, Name: "eth0", Master: 9}, {Index: 3, Name: "eth1", Master: 9}, {Index: 9, Name: "bond0", Kind: "bond"},
		{Index: 10, Name: "eth0.5", Kind: "vlan", Lower: 2}, {Index: 11, Name: "lan7"},
	}
	entries := func(names ...string) (all []*entry) {
		for _, n := range names {
			all = append(all, &entry{Interface: Interface{Name: n}})
		}
		return all
	}
	had := entries("eth1", "eth9", "eth*")
	had[0].links = []*link{{index: 11}} // eth1 was renamed to lan7
	had[2].links = []*link{{index: 2}}
	for _, c := range []struct {
		what    string
		entries []*entry
		want    [][]int
	}{
		{"names", entries("eth1", "nope", "bond0"), [][]int{{3}, nil, {9}}},
		{"all", entries("*"), [][]int{{1, 2, 3, 11}}},
		{"an upper alone", entries("bond*"), [][]int{{9}}},
		{"an upper by name", entries("bond0", "eth?"), [][]int{{9}, {2, 3}}},
		{"a name before a pattern", entries("e*", "eth1"), [][]int{{2}, {3}}},
		{"the first pattern", entries("eth*", "*"), [][]int{{2, 3}, {1, 11}}},
		{"renamed", had, [][]int{{11}, nil, {2, 3}}},
	} {
		chosen := choose(c.entries, list)
		for i, e := range c.entries {
			var got []int
			for _, d := range chosen[e] {
				got = append(got, d.Index)
			}
			if !slices.Equal(got, c.want[i]) {
				t.Errorf("%s: %s is %v, want %v", c.what, e.Name, got, c.want[i])
			}
		}
	}
}
