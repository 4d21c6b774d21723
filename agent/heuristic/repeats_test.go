package heuristic

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"trailhound/agent/event"
)

// TestRepeatsChangeNothing: whichever repeats a collector leaves out, the board
// finds the same, with late ones, windows and silences that end, muted hosts,
// and clocks that are set back.
func TestRepeatsChangeNothing(t *testing.T) {
	found := map[event.Code]int{}
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 3))
		window := int64(2 + r.IntN(40))
		opt := Options{Heuristics: true, Seed: 7, Home: event.NewHomeNetworks([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/24")}), Memory: 4 << 20, Windows: map[event.Code]time.Duration{}, Thresholds: map[event.Code]float64{}}
		for _, code := range []event.Code{event.ScanPort, event.ScanUDP, event.ScanWeb, event.ScanInfection, event.DNSExhaustion, event.DNSNXDomain} {
			opt.Thresholds[code], opt.Windows[code] = float64(1+r.IntN(6)), time.Duration(window)*time.Second
		}
		all, names := evidenceMix(r, 1500)
		var want []string
		for round := range 4 {
			var got []string
			b := NewBoard(opt)
			b.SetRaise(func(f *Finding) {
				got = append(got, fmt.Sprint(f.Code, f.Time, f.Src, f.SrcPort, f.Dst, f.DstPort, f.Trail, f.Number))
				found[f.Code]++
			})
			before := map[Evidence]bool{}
			for i := range all {
				e := all[i]
				key := Evidence{At: floor(e.At), Kind: e.Kind, Flags: e.Flags, Item: e.Item, Src: e.Src, Dst: e.Dst, Era: e.Era}
				if e.Kind == ProbeUDP {
					key.SrcPort = e.SrcPort
				}
				if before[key] && e.Kind != NXDomain && (round == 1 || round > 1 && r.IntN(2) == 0) {
					continue
				}
				before[key] = true
				b.Take(&e, names[i])
			}
			if c := b.Counts(); c.ScanEvicted+c.NameEvicted+c.Refused > 0 {
				t.Fatalf("seed %d: %+v", seed, c)
			}
			if round == 0 {
				want = got
			}
			if !slices.Equal(got, want) {
				for i := range max(len(got), len(want)) {
					if i >= len(got) || i >= len(want) || got[i] != want[i] {
						t.Fatalf("seed %d round %d: %d findings, want %d; number %d:\n%v\n%v", seed, round, len(got), len(want), i, got[i:min(i+1, len(got))], want[i:min(i+1, len(want))])
					}
				}
			}
		}
	}
	for _, code := range []event.Code{event.ScanPort, event.ScanUDP, event.ScanWeb, event.ScanInfection, event.DNSExhaustion, event.DNSNXDomain, event.DNSLong} {
		if found[code] == 0 {
			t.Errorf("no %s: the mix is no test; %v", code, found)
		}
	}
}

// evidenceMix makes evidence of few keys, with repeats of what was some time ago.
func evidenceMix(r *rand.Rand, n int) (all []Evidence, names [][]byte) {
	now, latest, era := int64(1_700_000_000_000), int64(0), uint32(0) // ms
	for len(all) < n {
		switch r.IntN(60) {
		case 0:
			now += int64(r.IntN(60_000))
		case 1:
			now -= int64(r.IntN(25_000))
		case 2:
			if r.IntN(5) == 0 {
				now -= int64(r.IntN(90_000))
			}
		default:
			now += int64(r.IntN(300))
		}
		var e Evidence
		var name []byte
		if len(all) > 0 && r.IntN(3) == 0 { // the same once more, at its time or now
			k := max(len(all)-1-r.IntN(60), 0)
			e, name = all[k], names[k]
			if r.IntN(2) == 0 {
				e.At = now * 1e6
			}
		} else {
			e = Evidence{Kind: Kind(r.IntN(int(numKinds))), Flags: IPv4, At: now * 1e6, SrcPort: uint16(40000 + r.IntN(3)), DstPort: uint16(440 + r.IntN(9))}
			e.Src[15], e.Dst[15] = byte(r.IntN(3)), byte(r.IntN(3))
			copy(e.Src[12:], []byte{10, 0, 0})
			copy(e.Dst[12:], []byte{10, 0, 1})
			e.Item = uint64(e.DstPort)
			switch e.Kind {
			case ProbeUDP:
				if r.IntN(2) == 0 {
					e.Src, e.Dst, e.SrcPort, e.DstPort = e.Dst, e.Src, e.DstPort, e.SrcPort
				}
				e.Item = uint64(e.DstPort)
			case WebPath:
				e.Dst[12] = 203
				e.Item = uint64(r.IntN(12))
			case Query, LongName, NXDomain:
				name = fmt.Appendf(nil, "n%d.d%d.org", r.IntN(12), r.IntN(2))
				if e.Kind == LongName || r.IntN(4) == 0 {
					name = append([]byte("abcdefghijklmnopqrstuvwxyzabcdef."), name...)
					e.Flags |= LongHead
				}
				if r.IntN(12) == 0 {
					name = []byte("wpad.d1.org")
				}
				e.Item, e.Digest = hash(7, name), uint64(r.IntN(5))
			}
		}
		if s := floor(e.At); s > latest {
			latest = s
		} else if s < latest-stepBack {
			era++
			latest = s
		}
		e.Era, e.Number = era, uint64(len(all)+1)
		all, names = append(all, e), append(names, name)
	}
	return all, names
}
