package status

import "time"

// Capture is where frames come from.
type Capture struct {
	Workers       []Worker      `json:"workers"`
	Rings         []Ring        `json:"rings"`
	Interfaces    []Interface   `json:"interfaces"`
	SpareSockets  int           `json:"spare_sockets"`  // left for interfaces that appear
	RestartNeeded []string      `json:"restart_needed"` // interfaces that only a restart can capture on
	Missing       []Missing     `json:"missing"`        // those included
	Filter        CaptureFilter `json:"filter"`
	// Of interfaces and rings that are not listed any more, since the start.
	ClosedPackets uint64 `json:"closed_packets"` // the kernel's counts
	ClosedDrops   uint64 `json:"closed_drops"`
	FormerPackets uint64 `json:"former_packets"` // seen
	Damaged       uint64 `json:"damaged"`        // frames that could not be read from a ring
	Lost          uint64 `json:"lost"`           // frames the kernel counted that never came out of a ring
}

// CaptureFilter is capture.filter.
type CaptureFilter struct {
	Expression string `json:"expression"` // empty: no filter
	Compiler   string `json:"compiler"`   // own or tcpdump; empty: no filter
}

// Missing is an interface that is configured and not captured.
type Missing struct {
	Interface string `json:"interface"` // or the pattern that none matches
	Reason    string `json:"reason"`
	There     bool   `json:"there"`
	Up        bool   `json:"up"`
	// Required: it is given by its name and is not optional.
	Required bool `json:"required"`
}

// Worker is one goroutine that matches packets.
type Worker struct {
	Group    string    `json:"group"`
	Worker   int       `json:"worker"` // within the group, from 0
	Packets  uint64    `json:"packets"`
	Bytes    uint64    `json:"bytes"`
	Loops    uint64    `json:"loops"` // turns of its loop, idle ones included
	LastLoop time.Time `json:"last_loop,omitzero"`
}

// Ring is memory that the kernel fills with the frames of an interface for one
// worker.
type Ring struct {
	Group         string `json:"group"`
	Worker        int    `json:"worker"`
	Interface     string `json:"interface"` // any: all interfaces share the ring
	Alias         string `json:"alias"`
	Blocks        int    `json:"blocks"`
	BlockBytes    uint64 `json:"block_bytes"`
	Bytes         uint64 `json:"bytes"`        // what the kernel gave
	WantedBytes   uint64 `json:"wanted_bytes"` // what was asked for first
	KernelPackets uint64 `json:"kernel_packets"`
	KernelDrops   uint64 `json:"kernel_drops"` // frames without room in the ring: never seen
	Freezes       uint64 `json:"freezes"`      // times the ring was full
}

// Interface is what came from one interface, over all workers.
type Interface struct {
	Name        string `json:"name"`
	Alias       string `json:"alias"`
	Group       string `json:"group"`
	Up          bool   `json:"up"`
	Promiscuous bool   `json:"promiscuous"`
	Packets     uint64 `json:"packets"`
	Bytes       uint64 `json:"bytes"`     // on the wire
	Truncated   uint64 `json:"truncated"` // frames cut to snaplen
	Skipped     uint64 `json:"skipped"`   // frames passed over on purpose: a lower interface showed them
	// Frames by the kernel's packet type (linux/if_packet.h).
	Host      uint64 `json:"host"` // to this host
	Broadcast uint64 `json:"broadcast"`
	Multicast uint64 `json:"multicast"`
	OtherHost uint64 `json:"other_host"` // of others: what a mirror port shows
	Outgoing  uint64 `json:"outgoing"`   // from this host
	// Drops of the interface's own rings; those of a ring that is shared by
	// all interfaces stand with the ring only.
	Drops        uint64    `json:"drops"`
	LastPacketAt time.Time `json:"last_packet_at,omitzero"`
	// Of the packets whose sides were looked up, up to 64 a worker in each tenth of
	// a second, those with a side in the home networks and those without.
	Home    uint64 `json:"home"`
	Foreign uint64 `json:"foreign"`
	// Decode counts frames by outcome: "ok", and the reasons why others were
	// not matched. Kinds shares out those that were decoded: each is of one
	// kind. The caller fills in every name, at 0 if need be.
	Decode map[string]uint64 `json:"decode"`
	Kinds  map[string]uint64 `json:"kinds"`
}

// Undecoded is the number of frames that were not matched.
func (i *Interface) Undecoded() (n uint64) {
	for reason, count := range i.Decode {
		if reason != decoded {
			n += count
		}
	}
	return n
}

// decoded is the outcome of decoding that is no reason.
const decoded = "ok"
