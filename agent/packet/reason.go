package packet

// Reason says why a frame was not decoded (OK: it was).
type Reason uint8

// The reasons, in the order in which a frame meets them.
const (
	OK Reason = iota
	// ShortLink: the frame ends inside its link, tag, label or PPP header.
	ShortLink
	// NotIP: it carries something else: ARP, spanning tree, PPP control ...
	NotIP
	// UnknownLink: the link type is not known and no offset looks like IP.
	UnknownLink
	// ShortIP: the capture ends inside an IP header.
	ShortIP
	// BadIPHeader: the version is neither 4 nor 6, a header is shorter than it
	// can be, or reaches beyond the packet's own stated length.
	BadIPHeader
	// TooManyHeaders: more tags or labels than are walked.
	TooManyHeaders
	// LaterFragment: a fragment other than the first, which has no ports.
	// Addresses, Proto, IP and Payload are set.
	LaterFragment
	// ShortTransport: too few bytes for TCP ports and flags or for UDP ports, or a
	// first IPv6 fragment that ends among the extension headers (its Proto is
	// ProtoFragment). Addresses, Proto, IP and Payload are set, and the ports of
	// TCP if four bytes are there.
	ShortTransport
	// UnknownTransport: an IPv6 packet with more extension headers than are
	// walked, or whose capture ends inside one. Addresses, IP and Payload are
	// set; Proto is ProtoUnknown.
	UnknownTransport

	// NumReasons is how many reasons there are.
	NumReasons = int(UnknownTransport) + 1
)

// addressed says whether a packet with this reason has addresses.
func (r Reason) addressed() bool {
	switch r {
	case OK, LaterFragment, ShortTransport, UnknownTransport:
		return true
	}
	return false
}

// String gives the reason's name in metrics. The names never change.
func (r Reason) String() string {
	switch r {
	case OK:
		return "ok"
	case ShortLink:
		return "short_link"
	case NotIP:
		return "not_ip"
	case UnknownLink:
		return "unknown_link"
	case ShortIP:
		return "short_ip_header"
	case BadIPHeader:
		return "bad_ip_header"
	case TooManyHeaders:
		return "too_many_headers"
	case LaterFragment:
		return "later_fragment"
	case ShortTransport:
		return "short_transport"
	case UnknownTransport:
		return "unknown_transport"
	}
	return "unknown"
}
