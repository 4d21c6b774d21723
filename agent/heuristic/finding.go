package heuristic

import (
	"time"

	"trailhound/agent/event"
	"trailhound/trails"
)

// Finding is what the board found: an event without an id, and the slot of the
// interface of the packet that made it so.
type Finding struct {
	event.Event
	Port uint16
}

// find raises an event. The evidence is that of the packet which made it so; its
// addresses, ports and time are the event's. What is not the packet's is set by
// change, which may be nil. Client is the host that a role may excuse.
func (b *Board) find(e *Evidence, typ event.Type, code event.Code, info, display, seen string, change func(*event.Event)) {
	f := Finding{Port: e.Port, Event: event.Event{
		Type: typ, Code: code, Info: info, Reference: trails.ReferenceHeuristic,
		Severity: code.Severity(), Confidence: event.Confidence("", true),
		Time: time.Unix(0, e.At).UTC().Truncate(time.Microsecond), Number: e.Number,
		Src: e.SrcAddr(), Dst: e.DstAddr(), SrcPort: e.SrcPort, DstPort: e.DstPort, Protocol: "TCP",
		Observable: seen, Trail: display,
	}}
	if e.Kind == ProbeUDP || (e.Kind == Query || e.Kind == NXDomain) && e.Flags&OverTCP == 0 {
		f.Protocol = "UDP"
	}
	if e.VLAN > 0 {
		f.VLANs = append([]uint16(nil), e.VLANs[:e.VLAN]...)
	}
	f.Aggregate.Count = 1
	if change != nil {
		change(&f.Event)
	}
	f.SetCommunityID(nil) // evidence is of TCP and UDP only
	client, server := f.Src, f.Dst
	if e.Kind == NXDomain {
		client, server = server, client
	}
	if role, muted := b.opt.Roles.Mutes(code, client); muted {
		b.counts.Muted[role]++
		return
	}
	f.Direction = b.opt.Home.Direction(client, server)
	f.SrcGroup, f.DstGroup = b.opt.Home.Group(f.Src), b.opt.Home.Group(f.Dst)
	b.counts.Found++
	b.raise(&f)
}
