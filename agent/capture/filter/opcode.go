package filter

// Codes of classic BPF (linux/bpf_common.h): a class in the low three bits, the
// rest by class.
const (
	classLoad   = 0x00
	classLoadX  = 0x01
	classStore  = 0x02
	classStoreX = 0x03
	classALU    = 0x04
	classJump   = 0x05
	classReturn = 0x06
	classMisc   = 0x07

	sizeWord = 0x00
	sizeHalf = 0x08
	sizeByte = 0x10

	modeImmediate = 0x00
	modeAbsolute  = 0x20
	modeIndirect  = 0x40
	modeMemory    = 0x60
	modeLength    = 0x80
	modeHeader    = 0xa0 // 4*([k]&0xf), the length of an IPv4 header

	sourceX = 0x08

	aluAdd        = classALU
	aluSub        = classALU | 0x10
	aluMul        = classALU | 0x20
	aluDiv        = classALU | 0x30
	aluOr         = classALU | 0x40
	aluAnd        = classALU | 0x50
	aluShiftLeft  = classALU | 0x60
	aluShiftRight = classALU | 0x70
	aluNegate     = classALU | 0x80
	aluMod        = classALU | 0x90
	aluXor        = classALU | 0xa0

	jumpAlways  = classJump
	jumpEqual   = classJump | 0x10
	jumpGreater = classJump | 0x20
	jumpAtLeast = classJump | 0x30
	jumpSet     = classJump | 0x40

	returnConstant = classReturn
	returnA        = classReturn | 0x10

	miscToX = classMisc
	miscToA = classMisc | 0x80

	scratchSlots = 16 // BPF_MEMWORDS
)

// What the kernel knows of a frame, as absolute loads from far behind its end
// (linux/filter.h).
const (
	adOffset         = 0xfffff000 // SKF_AD_OFF
	adPacketType     = 4          // SKF_AD_PKTTYPE
	adInterface      = 8          // SKF_AD_IFINDEX
	adHatype         = 28         // SKF_AD_HATYPE
	adVLANTag        = 44         // SKF_AD_VLAN_TAG: the whole tag, priority included
	adVLANTagPresent = 48         // SKF_AD_VLAN_TAG_PRESENT
)

// etherHardware are the hardware types (ARPHRD_* of linux/if_arp.h) of devices
// whose frames have an Ethernet header: Ethernet and loopback.
var etherHardware = [...]uint32{1, 772}
