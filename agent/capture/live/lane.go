package live

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"trailhound/agent/capture"
)

// write puts a frame into the block that is being filled, as tpacket_rcv and
// prb_fill_curr_block of the kernel's net/packet/af_packet.c do.
func (a *lane) write(ctx context.Context, f *FeedFrame, drop bool) error {
	network := max(f.Network, frameAlign)
	net := align(frameHeader+network, frameAlign)
	mac := net - f.Network
	size := align(mac+len(f.Data), frameAlign)
	if blockHeader+size > a.block {
		return fmt.Errorf("a frame of %d bytes fits no block of %d", len(f.Data), a.block)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	frozen := false
	for {
		if a.mem == nil || a.stopped {
			a.released() // for others that wait
			return errClosed
		}
		if a.frames > 0 && a.end+size > a.block {
			a.handOver()
		}
		// A block that is begun is ours; another may still be the reader's.
		if a.frames > 0 || loadStatus(a.current())&unix.TP_STATUS_USER == 0 {
			break
		}
		if !frozen {
			frozen = true
			a.counted.Freezes++
		}
		if drop {
			a.counted.Packets++
			a.counted.Drops++
			return nil
		}
		if err := a.await(ctx); err != nil {
			return err
		}
	}
	a.put(f, mac, net, size)
	if frozen {
		a.released()
	}
	return nil
}

// await waits for a block to come back. a.mu is held, but not while it waits.
func (a *lane) await(ctx context.Context) error {
	a.mu.Unlock()
	defer a.mu.Lock()
	select {
	case <-a.free:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (a *lane) put(f *FeedFrame, mac, net, size int) {
	order := binary.NativeEndian
	block := a.current()
	seconds, nanos := uint32(f.Time.Unix()), uint32(f.Time.Nanosecond())
	if a.frames == 0 {
		a.end = align(blockHeader, frameAlign)
		a.seq++
		order.PutUint32(block[blockFirst:], uint32(a.end))
		order.PutUint64(block[blockSeq:], a.seq)
		order.PutUint32(block[blockSeconds:], seconds)
		order.PutUint32(block[blockNanos:], nanos)
	} else {
		order.PutUint32(block[a.last+frameNext:], uint32(a.end-a.last))
	}
	h := block[a.end : a.end+size]
	clear(h[:mac])
	order.PutUint32(h[frameSeconds:], seconds)
	order.PutUint32(h[frameNanos:], nanos)
	order.PutUint32(h[frameSnaplen:], uint32(len(f.Data)))
	length := f.Length
	if length == 0 {
		length = len(f.Data)
	}
	order.PutUint32(h[frameLength:], uint32(length))
	status := uint32(unix.TP_STATUS_USER)
	if f.Tag&capture.TagPresent != 0 {
		status |= unix.TP_STATUS_VLAN_VALID | unix.TP_STATUS_VLAN_TPID_VALID
		order.PutUint32(h[frameTCI:], uint32(f.Tag&0xfff))
		order.PutUint16(h[frameTCI+4:], etherVLAN)
	}
	order.PutUint32(h[frameStatus:], status)
	order.PutUint16(h[frameMac:], uint16(mac))
	order.PutUint16(h[frameNet:], uint16(net))
	order.PutUint16(h[frameFamily:], unix.AF_PACKET)
	if b := f.Data[f.Network:]; len(b) > 0 {
		switch b[0] >> 4 {
		case 4:
			binary.BigEndian.PutUint16(h[frameProtocol:], etherIPv4)
		case 6:
			binary.BigEndian.PutUint16(h[frameProtocol:], etherIPv6)
		}
	}
	order.PutUint32(h[frameIndex:], uint32(f.Index))
	order.PutUint16(h[frameHatype:], f.Hatype)
	h[framePktType] = f.Type
	copy(h[mac:], f.Data)
	a.last = a.end
	a.end += size
	a.frames++
	a.counted.Packets++
}

// handOver gives the block that is begun to the reader. a.mu is held.
func (a *lane) handOver() {
	if a.frames == 0 || a.mem == nil {
		return
	}
	block := a.current()
	binary.NativeEndian.PutUint32(block[blockPackets:], uint32(a.frames))
	binary.NativeEndian.PutUint32(block[blockLength:], uint32(a.end))
	storeStatus(block, unix.TP_STATUS_USER)
	a.frames = 0
	if a.at++; a.at == a.blocks {
		a.at = 0
	}
	a.source.Interrupt()
}

func (a *lane) current() []byte { return a.mem[a.at*a.block:][:a.block:a.block] }

func align(n, to int) int { return (n + to - 1) &^ (to - 1) }

// A lane is an intake.

func (a *lane) stop() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.handOver()
	a.stopped = true
	a.released()
	return nil
}

func (a *lane) count() (Kernel, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	k := a.counted
	a.counted = Kernel{}
	return k, nil
}

func (a *lane) name(int) string { return "" }

func (a *lane) released() {
	select {
	case a.free <- struct{}{}:
	default:
	}
}

func (a *lane) settle() time.Duration { return 0 }

func (a *lane) close([]byte) error {
	a.mu.Lock()
	a.mem = nil
	a.mu.Unlock()
	a.released()
	return nil
}
