package format

import (
	"strconv"
	"strings"

	"golang.org/x/net/publicsuffix"

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
	if !e.Aggregate.Summary { // a summary is of many flows
		mark := len(d.b)
		d.key("community_id")
		at := len(d.b)
		if d.b = appendCommunityID(append(d.b, '"'), e); len(d.b) == at+1 {
			d.b = d.b[:mark]
		} else {
			d.b = append(d.b, '"')
		}
	}
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

func (d *document) dns(e *event.Event) {
	if e.DNS.Question == "" {
		return
	}
	m := d.object("dns")
	q := d.object("question")
	name := e.DNS.Question
	d.string("name", name)
	if e.DNS.Type != 0 {
		d.key("type")
		d.b = appendMnemonic(d.b, dnsType(e.DNS.Type), "TYPE", e.DNS.Type)
	}
	if e.DNS.Class != 0 {
		d.key("class")
		d.b = appendMnemonic(d.b, dnsClass(e.DNS.Class), "CLASS", e.DNS.Class)
	}
	// The suffix list gives an answer for any text; only for a name with all
	// labels there does it mean something.
	if registered, err := publicsuffix.EffectiveTLDPlusOne(name); err == nil {
		d.string("registered_domain", registered)
		_, suffix, _ := strings.Cut(registered, ".")
		d.string("top_level_domain", suffix)
		d.string("subdomain", strings.TrimSuffix(strings.TrimSuffix(name, registered), "."))
	}
	d.close(q)
	d.close(m)
}

// appendMnemonic appends a quoted name, or prefix and number after RFC 3597.
func appendMnemonic(dst []byte, name, prefix string, n uint16) []byte {
	dst = append(dst, '"')
	if name != "" {
		return append(append(dst, name...), '"')
	}
	return append(strconv.AppendUint(append(dst, prefix...), uint64(n), 10), '"')
}

// dnsType names the types that are met on the wire (IANA dns-parameters).
func dnsType(t uint16) string {
	switch t {
	case 1:
		return "A"
	case 2:
		return "NS"
	case 5:
		return "CNAME"
	case 6:
		return "SOA"
	case 10:
		return "NULL"
	case 12:
		return "PTR"
	case 13:
		return "HINFO"
	case 15:
		return "MX"
	case 16:
		return "TXT"
	case 28:
		return "AAAA"
	case 33:
		return "SRV"
	case 35:
		return "NAPTR"
	case 43:
		return "DS"
	case 46:
		return "RRSIG"
	case 48:
		return "DNSKEY"
	case 52:
		return "TLSA"
	case 64:
		return "SVCB"
	case 65:
		return "HTTPS"
	case 252:
		return "AXFR"
	case 255:
		return "ANY"
	case 257:
		return "CAA"
	}
	return ""
}

func dnsClass(c uint16) string {
	switch c {
	case 1:
		return "IN"
	case 3:
		return "CH"
	case 4:
		return "HS"
	case 255:
		return "ANY"
	}
	return ""
}
