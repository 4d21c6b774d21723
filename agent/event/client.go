package event

import "net/netip"

// Client is the host that asked: the source of the packet, or its destination
// where the packet is an answer that was asked for. What repeats for one client
// is one thing; many clients of a resolver are many.
func (e *Event) Client() netip.Addr {
	switch e.Code {
	case TrailDNSAnswer, TrailIPAnswer, DNSSinkholed, DNSParked, DNSNXDomain, DNSDGAEntropy, DNSDGAConsonant:
		if e.Dst.IsValid() {
			return e.Dst
		}
	}
	return e.Src
}
