package suppress

import (
	"cmp"
	"net/netip"
	"slices"

	"trailhound/agent/event"
)

// fold collects the repeats of a window. The first repeat gives the summary
// its fields; of the rest only numbers are kept.
type fold struct {
	first *event.Event
	agg   event.Aggregate
	size  int // bytes held, about
}

// add takes an event in.
func (f *fold) add(e *event.Event) {
	a := &f.agg
	if a.Count == 0 {
		first := *e
		f.first, f.size = &first, e.Size()
		*a = event.Aggregate{Summary: true, First: e.Time, Last: e.Time}
	}
	if e.CommunityID != f.first.CommunityID {
		f.first.CommunityID = "" // the repeats are of several flows
	}
	a.Count++
	if e.Time.Before(a.First) {
		a.First = e.Time
	}
	if e.Time.After(a.Last) {
		a.Last = e.Time
	}
	a.SrcPorts = note(a.SrcPorts, e.SrcPort, e.SrcPort != 0, cmp.Compare[uint16], &a.MoreSrcPorts)
	a.DstPorts = note(a.DstPorts, e.DstPort, e.DstPort != 0, cmp.Compare[uint16], &a.MoreDstPorts)
	a.Dsts = note(a.Dsts, e.Dst, e.Dst.IsValid(), netip.Addr.Compare, &a.MoreDsts)
}

// addTrail keeps a distinct trail, as far as there is room in the list.
func (f *fold) addTrail(trail string, room int) {
	a, length := &f.agg, len(trail)
	for _, t := range a.Trails {
		if t == trail {
			return
		}
		length += len(t)
	}
	if size := 16 + len(trail); len(a.Trails) < event.MaxValues && length <= event.MaxTrail && size <= room {
		a.Trails = append(a.Trails, trail)
		f.size += size
	} else {
		count(&a.MoreTrails)
	}
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
		count(more)
	default:
		list = slices.Insert(list, at, v)
	}
	return list
}

func count(n *uint32) {
	if *n < 1<<31 {
		*n++
	}
}

// summary makes the event of the window. Its time is that of the first repeat,
// as in the reference.
func (f *fold) summary(id [16]byte) event.Event {
	e := *f.first
	e.Aggregate = f.agg
	e.Aggregate.ID = id
	return e
}
