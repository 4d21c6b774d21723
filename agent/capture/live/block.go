package live

import (
	"sync/atomic"
	"unsafe"
)

// This is the only file with unsafe in it: the status word of a block, by
// which the kernel and the reader hand the block to each other. A plain load or
// store could be moved across those of the frames.

// loadStatus reads the status of a block: TP_STATUS_KERNEL (0) as long as the
// kernel fills it. What was written to the block before is visible after.
func loadStatus(block []byte) uint32 {
	word := block[blockStatus : blockStatus+4]
	return atomic.LoadUint32((*uint32)(unsafe.Pointer(&word[0])))
}

// storeStatus hands a block over. What was read from or written to it before
// stays before.
func storeStatus(block []byte, status uint32) {
	word := block[blockStatus : blockStatus+4]
	atomic.StoreUint32((*uint32)(unsafe.Pointer(&word[0])), status)
}
