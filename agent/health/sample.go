package health

import "time"

// A Sample is what the capture has counted up to now.
type Sample struct {
	// Interfaces are those that are there: captured, or waiting for a restart.
	// One that was deleted is not among them, whatever was counted of it.
	Interfaces []Interface
}

// Interface is what was counted on one interface since the sensor started.
// Numbers that are smaller than in the sample before are taken for those of an
// interface that was made anew.
type Interface struct {
	Name, Alias string
	Up          bool
	Packets     uint64 // frames that were read
	Bytes       uint64
	KernelDrops uint64 // frames that found the ring full
	// KernelPackets is what the kernel had for the ring, drops included
	// (tp_packets of linux/if_packet.h); 0: unknown.
	KernelPackets uint64
	Freezes       uint64 // times that the ring was full (tp_freeze_q_cnt)
	Truncated     uint64 // frames longer than what is kept of them
	// By sll_pkttype of linux/if_packet.h.
	Host, Broadcast, Multicast, OtherHost, Outgoing uint64
	// TCP segments: the first and the second of a handshake, and those with
	// payload.
	TCPSyn, TCPSynAck, TCPData uint64
	// Of the packets whose sides were looked at, those with a side in the home
	// networks and those without. Packets for all or many are left out.
	Home, Foreign uint64
	Last          time.Time // of the last frame; zero: none yet
	RestartNeeded bool      // it is there, but cannot be opened without a restart
}

// counts are the numbers that the rules look at.
type counts struct {
	packets, drops, offered, freezes, truncated uint64
	unicast, broadcast, multicast               uint64
	syn, synack, data                           uint64
	home, foreign                               uint64
}

func (i *Interface) counts() counts {
	return counts{
		packets: i.Packets, drops: i.KernelDrops, offered: i.KernelPackets, freezes: i.Freezes, truncated: i.Truncated,
		unicast: i.Host + i.OtherHost + i.Outgoing, broadcast: i.Broadcast, multicast: i.Multicast,
		syn: i.TCPSyn, synack: i.TCPSynAck, data: i.TCPData,
		home: i.Home, foreign: i.Foreign,
	}
}

// fields lists the numbers, in one order.
func (c *counts) fields() [13]*uint64 {
	return [...]*uint64{&c.packets, &c.drops, &c.offered, &c.freezes, &c.truncated, &c.unicast, &c.broadcast, &c.multicast, &c.syn, &c.synack, &c.data,
		&c.home, &c.foreign}
}

// since gives what was counted after old, and whether that can be: no number
// has become smaller.
func (c counts) since(old counts) (delta counts, ok bool) {
	to, from, into := c.fields(), old.fields(), delta.fields()
	for i := range to {
		if *to[i] < *from[i] {
			return counts{}, false
		}
		*into[i] = *to[i] - *from[i]
	}
	return delta, true
}

func (c *counts) add(delta counts) {
	to, from := c.fields(), delta.fields()
	for i := range to {
		*to[i] += *from[i]
	}
}
