package live

import (
	"fmt"
	"math/bits"
	"os"
	"time"
)

const (
	// maxBlock is the largest block. It is the unit in which frames reach the
	// reader on a busy link; larger ones save nothing and are harder to find in
	// one piece of memory.
	maxBlock = 1 << 20
	// A block that nobody filled is handed over after retireAfter, so a stall of
	// the reader must be shorter than blocks times that even on a quiet link:
	// rings have this many blocks before blocks grow.
	manyBlocks = 64
	// fewBlocks is the least with which the kernel can fill one block while the
	// reader holds another and two are under way. A ring of fewBlocks of the
	// smallest block that holds a frame is the smallest ring.
	fewBlocks = 4
	// retireAfter is when the kernel hands over a block that is not full. It
	// bounds how late a frame on a quiet link is seen, and costs a timer and, on
	// a link that is not quite idle, a wake-up each time: 20 a second.
	retireAfter = 50 * time.Millisecond

	defaultRings   = 256 << 20
	defaultSnaplen = 66 << 10
	defaultIdle    = 250 * time.Millisecond
	maxWorkers     = 256 // PACKET_FANOUT_MAX
)

// smallestBlock is the smallest block that holds a frame of snaplen bytes: a
// power of two and a multiple of the page size.
func smallestBlock(snaplen int) int {
	need := snaplen + frameOverhead
	return max(os.Getpagesize(), 1<<bits.Len(uint(need-1)))
}

// smallestRing is the smallest ring, in bytes.
func smallestRing(snaplen int) int64 { return fewBlocks * int64(smallestBlock(snaplen)) }

// shape gives the blocks of a ring of at most size bytes, at least those of the
// smallest ring.
func shape(size int64, snaplen int) (block, count int) {
	least := smallestBlock(snaplen)
	block = max(least, maxBlock)
	for block > least && size/int64(block) < manyBlocks {
		block /= 2
	}
	return block, int(max(size/int64(block), fewBlocks))
}

// share divides the budget among rings that are planned. A quarter is kept for
// interfaces that come later, unless none can.
func share(total int64, rings int, later bool) int64 {
	if later {
		total -= total / 4
	}
	return total / int64(max(rings, 1))
}

// tooSmall is the error for a budget that does not give each ring the smallest
// size.
func tooSmall(total int64, rings int, later bool, snaplen int) error {
	if share(total, rings, later) >= smallestRing(snaplen) {
		return nil
	}
	need := int64(rings) * smallestRing(snaplen)
	if later {
		need = (need*4 + 2) / 3
	}
	return fmt.Errorf("ring memory of %d bytes is too small for %d rings of frames of %d bytes: at least %d are needed", total, rings, snaplen, need)
}
