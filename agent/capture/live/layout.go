package live

import "encoding/binary"

// The layout of a TPACKET_V3 ring (linux/if_packet.h). All numbers are in the
// host's order. A ring is a row of blocks of one size. A block begins with a
// tpacket_block_desc:
//
//	0 version  4 offset_to_priv  8 block_status  12 num_pkts
//	16 offset_to_first_pkt  20 blk_len  24 seq_num (64 bits)
//	32 ts_first_pkt: seconds, nanoseconds  40 ts_last_pkt
//
// and frames follow, each with a tpacket3_hdr and, aligned to 16, the
// sockaddr_ll of the device it passed:
//
//	0 tp_next_offset  4 tp_sec  8 tp_nsec  12 tp_snaplen  16 tp_len
//	20 tp_status  24 tp_mac (16)  26 tp_net (16)  28 tp_rxhash
//	32 tp_vlan_tci  36 tp_vlan_tpid (16)
//	48 sll_family (16)  50 sll_protocol (16, network order)  52 sll_ifindex
//	56 sll_hatype (16)  58 sll_pkttype (8)
const (
	blockStatus  = 8
	blockPackets = 12
	blockFirst   = 16
	blockLength  = 20
	blockSeq     = 24
	blockSeconds = 32
	blockNanos   = 36
	blockHeader  = 48

	frameNext     = 0
	frameSeconds  = 4
	frameNanos    = 8
	frameSnaplen  = 12
	frameLength   = 16
	frameStatus   = 20
	frameMac      = 24
	frameNet      = 26
	frameTCI      = 32
	frameFamily   = 48
	frameProtocol = 50
	frameIndex    = 52
	frameHatype   = 56
	framePktType  = 58
	frameHeader   = 68 // TPACKET3_HDRLEN
	frameAlign    = 16 // TPACKET_ALIGNMENT
)

// sll_pkttype, linux/if_packet.h.
const (
	toHost = iota
	toAll
	toMany
	toOther
	outgoing
)

// frameOverhead is what a frame of a link header of at most 64 bytes needs
// beside its data, the block's header included: tpacket_rcv of the kernel's
// net/packet/af_packet.c leaves at least 16 bytes for the link header and
// aligns.
const frameOverhead = blockHeader + frameHeader + 64 + 2*frameAlign

func u16(b []byte, at int) uint16 { return binary.NativeEndian.Uint16(b[at:]) }
func u32(b []byte, at int) uint32 { return binary.NativeEndian.Uint32(b[at:]) }
