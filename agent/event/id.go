package event

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/google/uuid"
)

// NewID makes the id of a live event: a UUID version 7 (RFC 9562 5.7) with t's
// milliseconds and, in rand_a, the rest of them in 1/4096 (6.2 method 3), so
// that ids sort as their events do.
func NewID(t time.Time) [16]byte {
	id := uuid.New()
	us := max(t.UnixMicro(), 0)
	ms, rest := uint64(us)/1000, uint64(us)%1000
	binary.BigEndian.PutUint64(id[:8], ms<<16|7<<12|rest*4096/1000)
	return id // the variant bits are those of uuid.New
}

// ReplayID makes the id of an event of a replayed capture: a UUID version 8
// (RFC 9562 5.8) from the capture's SHA-256, the packet's number, the code,
// and the event's ordinal among those of the same packet. Replaying the same
// capture again gives the same ids, so receivers can drop the second copy.
func ReplayID(capture [32]byte, number uint64, code Code, n int) [16]byte {
	b := make([]byte, 0, 96)
	b = append(b, capture[:]...)
	b = binary.BigEndian.AppendUint64(b, number)
	b = binary.BigEndian.AppendUint64(b, uint64(n))
	b = append(b, code...)
	sum := sha256.Sum256(b)
	id := [16]byte(sum[:16])
	id[6] = id[6]&0x0F | 8<<4
	id[8] = id[8]&0x3F | 0x80
	return id
}

// AppendID appends an id in the form 8-4-4-4-12 (RFC 9562 4); the zero id
// appends nothing.
func AppendID(dst []byte, id [16]byte) []byte {
	if id == ([16]byte{}) {
		return dst
	}
	const digits = "0123456789abcdef"
	at := len(dst)
	dst = append(dst, "........-....-....-....-............"...)
	for i, place := range [16]uint8{0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34} {
		b := dst[at+int(place):]
		b[0], b[1] = digits[id[i]>>4], digits[id[i]&15]
	}
	return dst
}

// IDString is AppendID as a string.
func IDString(id [16]byte) string { return string(AppendID(make([]byte, 0, 36), id)) }
