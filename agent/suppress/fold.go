package suppress

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"trailhound/agent/event"
)

// fold collects the repeats of a window. The first repeat gives the summary
// its fields; of the rest only numbers are kept.
type fold struct {
	count                      uint64
	first                      *event.Event
	from, to                   time.Time
	srcPorts, dstPorts         []uint16
	dsts                       []netip.Addr
	moreSrc, moreDst, moreDsts uint32
}

func (f *fold) add(e *event.Event) {
	if f.count == 0 {
		first := *e
		f.first, f.from, f.to = &first, e.Time, e.Time
	}
	f.count++
	if e.Time.Before(f.from) {
		f.from = e.Time
	}
	if e.Time.After(f.to) {
		f.to = e.Time
	}
	f.srcPorts = note(f.srcPorts, e.SrcPort, e.SrcPort != 0, cmp.Compare[uint16], &f.moreSrc)
	f.dstPorts = note(f.dstPorts, e.DstPort, e.DstPort != 0, cmp.Compare[uint16], &f.moreDst)
	f.dsts = note(f.dsts, e.Dst, e.Dst.IsValid(), netip.Addr.Compare, &f.moreDsts)
}

// note keeps a distinct value in rising order, or counts it when the list is
// full. A value beyond the list is counted each time it comes.
func note[T comparable](list []T, v T, ok bool, compare func(a, b T) int, more *uint32) []T {
	if !ok {
		return list
	}
	at, found := slices.BinarySearchFunc(list, v, compare)
	switch {
	case found:
	case len(list) >= event.MaxValues:
		if *more < 1<<31 {
			*more++
		}
	default:
		list = slices.Insert(list, at, v)
	}
	return list
}

// summary makes the event of the window. Its time is that of the first repeat,
// as in the reference.
func (f *fold) summary() event.Event {
	e := *f.first
	e.Aggregate = event.Aggregate{Summary: true, Count: f.count, First: f.from, Last: f.to,
		SrcPorts: f.srcPorts, DstPorts: f.dstPorts, Dsts: f.dsts,
		MoreSrcPorts: f.moreSrc, MoreDstPorts: f.moreDst, MoreDsts: f.moreDsts}
	return e
}
