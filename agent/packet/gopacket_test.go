package packet

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// An opinion is what gopacket makes of a frame: its outermost IP packet and
// what directly follows it.
type opinion struct {
	found     bool // an IP layer
	src, dst  netip.Addr
	proto     uint8  // behind the extension headers that gopacket walks
	behind    []byte // what IP carries, behind the same
	fragment  bool   // first or later
	later     bool
	transport bool // TCP or UDP was decoded
	sport     uint16
	dport     uint16
	flags     uint8
	payload   []byte // of TCP or UDP
	err       error
}

func ask(link LinkType, frame []byte) (o opinion) {
	switch link {
	case LinkIPv4, LinkIPv6, LinkRaw12, LinkRaw14: // gopacket has no decoder for some
		link = LinkRaw
	case LinkCiscoHDLC: // nor for this: it is an EtherType behind two bytes
		if len(frame) < 2 {
			return o
		}
		link, frame = LinkEthernet, cat(macs, frame[2:])
	}
	pkt := gopacket.NewPacket(frame, layers.LinkType(link), gopacket.NoCopy)
	if e := pkt.ErrorLayer(); e != nil {
		o.err = e.Error()
	}
	for _, l := range pkt.Layers() {
		if !o.found {
			switch l := l.(type) {
			case *layers.IPv4:
				o.network(l.SrcIP, l.DstIP, l.Protocol, l.Payload)
				o.later = l.FragOffset != 0
				o.fragment = o.later || l.Flags&layers.IPv4MoreFragments != 0
			case *layers.IPv6:
				o.network(l.SrcIP, l.DstIP, l.NextHeader, l.Payload)
			}
			continue
		}
		switch l := l.(type) {
		case *layers.IPv6HopByHop:
			o.proto, o.behind = uint8(l.NextHeader), l.Payload
			continue
		case *layers.IPv6Routing:
			o.proto, o.behind = uint8(l.NextHeader), l.Payload
			continue
		case *layers.IPv6Destination:
			o.proto, o.behind = uint8(l.NextHeader), l.Payload
			continue
		case *layers.IPv6Fragment:
			o.proto, o.behind = uint8(l.NextHeader), l.Payload
			o.later = l.FragmentOffset != 0
			o.fragment = o.later || l.MoreFragments
			continue
		case *layers.TCP:
			// A segment that gopacket refuses is still a layer, half filled.
			if o.transport = len(l.Contents) >= 20; o.transport {
				o.sport, o.dport, o.payload, o.flags = uint16(l.SrcPort), uint16(l.DstPort), l.Payload, l.Contents[13]
			}
		case *layers.UDP:
			if o.transport = len(l.Contents) == 8; o.transport {
				o.sport, o.dport, o.payload = uint16(l.SrcPort), uint16(l.DstPort), l.Payload
			}
		}
		break
	}
	return o
}

func (o *opinion) network(src, dst net.IP, proto layers.IPProtocol, payload []byte) {
	o.found, o.proto, o.behind = true, uint8(proto), payload
	o.src, _ = netip.AddrFromSlice(src)
	o.dst, _ = netip.AddrFromSlice(dst)
}

// The classes of difference from gopacket that are meant to be.
const (
	same = ""
	// gopacket gives no IP layer, or one without addresses, when an IPv4
	// option's length is wrong. Such packets travel; addresses and ports are
	// where they always are.
	badOptions = "IPv4 options that gopacket refuses"
	// gopacket stops at every fragment; the first one has ports.
	firstFragment = "first fragment"
	// gopacket wants 20 bytes of TCP header, valid options and a right data
	// offset, and 8 bytes of UDP with a right length. Ports are in the first four bytes.
	badTransport = "TCP or UDP header that gopacket refuses"
	// gopacket calls an IPv6 payload length of 0 an error without a jumbo option.
	zeroLength = "IPv6 payload length 0"
	// gopacket refuses an IPv4 header with a total length below the header's,
	// but has no bound on extension headers, and keeps broken ones as a layer.
	badHeader = "header chain that the decoder refuses"
	// gopacket walks neither mobility, HIP nor shim6 headers, nor what comes
	// behind an atomic fragment.
	moreExtensions = "extension headers that gopacket does not walk"
	// gopacket refuses a PPPoE frame that was captured short; IP in it is
	// Truncated like any other.
	cutPPPoE = "PPPoE frame captured short"
)

// compare decodes frame and holds the result against gopacket's: it gives the
// class of the difference, and an error when there is one that is not meant.
func compare(d *Decoder, link LinkType, frame []byte) (string, error) {
	var p Packet
	r := d.Decode(link, frame, &p)
	o := ask(link, frame)
	if !o.found {
		if o.err != nil && strings.Contains(o.err.Error(), "PPPoE packet length") && (r != OK || p.Truncated) {
			return cutPPPoE, nil
		}
		if r == OK {
			return "", fmt.Errorf("gopacket found no IP: %v", o.err)
		}
		return same, nil
	}
	zero := p.Src.Is6() && len(p.IP) >= 40 && p.IP[4] == 0 && p.IP[5] == 0
	if !o.src.IsValid() {
		if !r.addressed() {
			return same, nil // both refuse
		}
		if p.Src.Is4() && p.IP[0] > 0x45 {
			return badOptions, nil
		}
		return "", fmt.Errorf("gopacket refuses IP: %v", o.err)
	}
	switch r {
	case BadIPHeader, TooManyHeaders, ShortIP:
		if o.transport {
			return "", fmt.Errorf("gopacket decodes it")
		}
		return badHeader, nil
	case UnknownTransport:
		if o.transport {
			return "", fmt.Errorf("gopacket decodes it")
		}
		if p.Src != o.src || p.Dst != o.dst {
			return "", fmt.Errorf("addresses %v %v, gopacket %v %v", p.Src, p.Dst, o.src, o.dst)
		}
		return badHeader, nil
	case OK, LaterFragment, ShortTransport:
	default:
		return "", fmt.Errorf("gopacket found IP")
	}
	if p.Src != o.src || p.Dst != o.dst {
		return "", fmt.Errorf("addresses %v %v, gopacket %v %v", p.Src, p.Dst, o.src, o.dst)
	}
	switch {
	case r == LaterFragment && o.later:
		return same, nil
	case r == LaterFragment || o.later || p.Fragment != o.fragment:
		return "", fmt.Errorf("fragment %v, gopacket %v later %v", p.Fragment, o.fragment, o.later)
	case zero && o.err != nil:
		return zeroLength, nil
	case !bytes.HasSuffix(o.behind, p.Payload) && p.Proto != ProtoUDP && !zero:
		return "", fmt.Errorf("payload of %d bytes is not the end of gopacket's %d", len(p.Payload), len(o.behind))
	case p.Fragment:
		return firstFragment, nil
	case p.Proto != o.proto:
		if p.Src.Is6() && (o.proto == extMobility || o.proto == extHIP || o.proto == extShim6 || o.proto == extFragment) {
			return moreExtensions, nil
		}
		return "", fmt.Errorf("protocol %d, gopacket %d: %v", p.Proto, o.proto, o.err)
	}
	switch {
	case r == ShortTransport && !o.transport:
		return same, nil
	case o.transport:
		if p.SrcPort != o.sport || p.DstPort != o.dport || p.Flags != o.flags || !bytes.Equal(p.Payload, o.payload) {
			return "", fmt.Errorf("ports %d %d flags %#x payload %d bytes, gopacket %d %d %#x %d",
				p.SrcPort, p.DstPort, p.Flags, len(p.Payload), o.sport, o.dport, o.flags, len(o.payload))
		}
	case p.Proto == ProtoTCP || p.Proto == ProtoUDP:
		if o.err == nil && len(o.behind) != 0 {
			return "", fmt.Errorf("gopacket has no transport layer and no error")
		}
		return badTransport, nil
	case !bytes.Equal(p.Payload, o.behind):
		return "", fmt.Errorf("IP payload of %d bytes, gopacket %d", len(p.Payload), len(o.behind))
	}
	return same, nil
}

func TestAgainstGopacketCaptures(t *testing.T) {
	shared := os.Getenv("TRAILHOUND_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "..", "..", "shared")
	}
	var files []string
	for _, pattern := range []string{"captures/*.pcap", "reference/*/capture.pcap"} {
		list, err := filepath.Glob(filepath.Join(shared, "corpus", pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, list...)
	}
	if len(files) == 0 {
		t.Skip("no captures here: set TRAILHOUND_SHARED to the folder that has corpus/captures")
	}
	classes := map[string]int{}
	var d Decoder
	for _, name := range files {
		againstGopacket(t, name, classes, func(link LinkType, frame []byte) (string, error) {
			return compare(&d, link, frame)
		})
	}
	for _, class := range slices.Sorted(maps.Keys(classes)) {
		t.Logf("%6d %s", classes[class], class)
	}
	t.Logf("decoder: %v", d.Counts)
}

// againstGopacket compares frame by frame. A damaged capture is read as far as
// it goes: reading captures is not what is tested.
func againstGopacket(t *testing.T, name string, classes map[string]int, compare func(LinkType, []byte) (string, error)) {
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := pcapgo.NewReader(f)
	if err != nil {
		t.Logf("%s: not read: %v", filepath.Base(name), err)
		return
	}
	for n := 1; ; n++ {
		frame, _, err := r.ReadPacketData()
		if err != nil {
			if err != io.EOF {
				t.Logf("%s: read up to packet %d: %v", filepath.Base(name), n-1, err)
			}
			return
		}
		class, err := compare(LinkType(r.LinkType()), frame)
		if err != nil {
			t.Errorf("%s packet %d: %v", filepath.Base(name), n, err)
		}
		classes[class]++
	}
}

type linkFrame struct {
	link  LinkType
	frame []byte
}

// built is a set of frames that gopacket serialised, by name.
func built(t *testing.T) map[string]linkFrame {
	type layer = gopacket.SerializableLayer
	list := map[string]linkFrame{}
	ether := func(typ layers.EthernetType) layer {
		return &layers.Ethernet{SrcMAC: net.HardwareAddr(macs[6:]), DstMAC: net.HardwareAddr(macs[:6]), EthernetType: typ}
	}
	links := map[string]func(typ layers.EthernetType, ppp layers.PPPType) (LinkType, []layer){
		"raw": func(layers.EthernetType, layers.PPPType) (LinkType, []layer) { return LinkRaw, nil },
		"ethernet": func(typ layers.EthernetType, _ layers.PPPType) (LinkType, []layer) {
			return LinkEthernet, []layer{ether(typ)}
		},
		"vlan": func(typ layers.EthernetType, _ layers.PPPType) (LinkType, []layer) {
			return LinkEthernet, []layer{ether(layers.EthernetTypeDot1Q), &layers.Dot1Q{VLANIdentifier: 7, Type: typ}}
		},
		"qinq": func(typ layers.EthernetType, _ layers.PPPType) (LinkType, []layer) {
			return LinkEthernet, []layer{ether(layers.EthernetTypeQinQ), &layers.Dot1Q{VLANIdentifier: 7, Type: layers.EthernetTypeDot1Q},
				&layers.Dot1Q{VLANIdentifier: 8, Type: typ}}
		},
		"mpls": func(layers.EthernetType, layers.PPPType) (LinkType, []layer) {
			return LinkEthernet, []layer{ether(layers.EthernetTypeMPLSUnicast), &layers.MPLS{Label: 16, TTL: 9},
				&layers.MPLS{Label: 17, TTL: 9, StackBottom: true}}
		},
		"pppoe": func(_ layers.EthernetType, ppp layers.PPPType) (LinkType, []layer) {
			return LinkEthernet, []layer{ether(layers.EthernetTypePPPoESession),
				&layers.PPPoE{Version: 1, Type: 1, SessionId: 5}, &layers.PPP{PPPType: ppp}}
		},
		"ppp": func(_ layers.EthernetType, ppp layers.PPPType) (LinkType, []layer) {
			return LinkPPP, []layer{&layers.PPP{PPPType: ppp, HasPPTPHeader: true}}
		},
		"snap": func(typ layers.EthernetType, _ layers.PPPType) (LinkType, []layer) {
			return LinkEthernet, []layer{ether(layers.EthernetTypeLLC), &layers.LLC{DSAP: 0xaa, SSAP: 0xaa, Control: 3},
				&layers.SNAP{OrganizationalCode: []byte{0, 0, 0}, Type: typ}}
		},
		"null": func(typ layers.EthernetType, _ layers.PPPType) (LinkType, []layer) {
			family := layers.ProtocolFamilyIPv4
			if typ == layers.EthernetTypeIPv6 {
				family = layers.ProtocolFamilyIPv6Darwin
			}
			return LinkNull, []layer{&layers.Loopback{Family: family}}
		},
	}
	src4, dst4 := net.IPv4(10, 1, 2, 3).To4(), net.IPv4(192, 0, 2, 9).To4()
	src6, dst6 := net.ParseIP("2001:db8::1:2"), net.ParseIP("2001:db8:ffff::9")
	pad := []*layers.IPv6HopByHopOption{{OptionType: 1, OptionLength: 4, ActualLength: 6, OptionData: make([]byte, 4)}}
	networks := map[string]func(proto layers.IPProtocol) []layer{
		"ipv4": func(proto layers.IPProtocol) []layer {
			return []layer{&layers.IPv4{Version: 4, TTL: 64, Protocol: proto, SrcIP: src4, DstIP: dst4}}
		},
		"ipv4 options": func(proto layers.IPProtocol) []layer {
			return []layer{&layers.IPv4{Version: 4, TTL: 64, Protocol: proto, SrcIP: src4, DstIP: dst4,
				Options: []layers.IPv4Option{{OptionType: 148, OptionLength: 4, OptionData: []byte{0, 0}}}}}
		},
		"ipv4 first fragment": func(proto layers.IPProtocol) []layer {
			return []layer{&layers.IPv4{Version: 4, TTL: 64, Protocol: proto, SrcIP: src4, DstIP: dst4, Flags: layers.IPv4MoreFragments}}
		},
		"ipv4 later fragment": func(proto layers.IPProtocol) []layer {
			return []layer{&layers.IPv4{Version: 4, TTL: 64, Protocol: proto, SrcIP: src4, DstIP: dst4, FragOffset: 185}}
		},
		"ipv6": func(proto layers.IPProtocol) []layer {
			return []layer{&layers.IPv6{Version: 6, HopLimit: 64, NextHeader: proto, SrcIP: src6, DstIP: dst6}}
		},
		"ipv6 hop-by-hop": func(proto layers.IPProtocol) []layer {
			h := &layers.IPv6HopByHop{Options: pad}
			h.NextHeader = proto
			return []layer{&layers.IPv6{Version: 6, HopLimit: 64, NextHeader: layers.IPProtocolIPv6HopByHop, SrcIP: src6, DstIP: dst6}, h}
		},
	}
	transports := map[layers.IPProtocol]func() layer{
		layers.IPProtocolTCP: func() layer {
			return &layers.TCP{SrcPort: 40000, DstPort: 80, SYN: true, ECE: true, CWR: true, DataOffset: 5,
				Options: []layers.TCPOption{{OptionType: 2, OptionLength: 4, OptionData: []byte{5, 0xb4}}}}
		},
		layers.IPProtocolUDP:    func() layer { return &layers.UDP{SrcPort: 40000, DstPort: 53} },
		layers.IPProtocolICMPv4: func() layer { return &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(8, 0), Id: 3, Seq: 4} },
	}
	for linkName, link := range links {
		for netName, network := range networks {
			for proto, transport := range transports {
				for _, size := range []int{0, 1, 64} {
					typ, ppp := layers.EthernetTypeIPv4, layers.PPPTypeIPv4
					if netName[:4] == "ipv6" {
						typ, ppp = layers.EthernetTypeIPv6, layers.PPPTypeIPv6
					}
					number, stack := link(typ, ppp)
					stack = append(stack, network(proto)...)
					stack = append(stack, transport(), gopacket.Payload(bytes.Repeat([]byte{'x'}, size)))
					buf := gopacket.NewSerializeBuffer()
					if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true}, stack...); err != nil {
						t.Fatalf("%s %s %v: %v", linkName, netName, proto, err)
					}
					list[fmt.Sprintf("%s, %s, %v, %d bytes", linkName, netName, proto, size)] = linkFrame{number, buf.Bytes()}
				}
			}
		}
	}
	return list
}

func TestAgainstGopacketBuilt(t *testing.T) {
	classes := map[string]int{}
	list := built(t)
	for name, one := range list {
		var d Decoder
		class, err := compare(&d, one.link, one.frame)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if class != same && class != firstFragment {
			t.Errorf("%s: %s", name, class)
		}
		if d.Counts[OK]+d.Counts[LaterFragment] != 1 {
			t.Errorf("%s: %v", name, d.Counts)
		}
		padded := append(bytes.Clone(one.frame), "padding"...)
		if _, err := compare(&d, one.link, padded); err != nil {
			t.Errorf("%s, padded: %v", name, err)
		}
		for n := range one.frame {
			class, err := compare(&d, one.link, one.frame[:n:n])
			if err != nil {
				t.Errorf("%s, cut to %d: %v", name, n, err)
			}
			classes[class]++
		}
	}
	if len(list) < 400 {
		t.Errorf("%d frames only", len(list))
	}
	t.Logf("%d frames; cut: %v", len(list), classes)
}
