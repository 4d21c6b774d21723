package format

import (
	"strconv"
	"strings"

	"trailhound/agent/event"
)

func (d *document) network(e *event.Event) {
	m := d.object("network")
	d.string("transport", transport(e.Protocol))
	switch {
	case e.Src.Is4():
		d.word("type", "ipv4")
	case e.Src.Is6():
		d.word("type", "ipv6")
	}
	d.string("protocol", e.Application)
	d.string("direction", string(e.Direction))
	d.addr("forwarded_ip", parseAddr(e.Forwarded))
	d.string("community_id", e.CommunityID)
	d.vlan(e)
	d.close(m)
}

func (d *document) vlan(e *event.Event) {
	if len(e.VLANs) > 0 {
		m := d.object("vlan")
		d.key("id")
		d.b = append(strconv.AppendUint(append(d.b, '"'), uint64(e.VLANs[0]), 10), '"')
		d.close(m)
	}
}

// transport is ECS network.transport: the IANA keyword in lower case.
func transport(label string) string {
	switch label {
	case "TCP":
		return "tcp"
	case "UDP":
		return "udp"
	case "ICMP":
		return "icmp"
	case "ICMPV6":
		return "ipv6-icmp"
	}
	return strings.ToLower(label)
}
