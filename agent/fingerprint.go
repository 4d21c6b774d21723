package agent

import (
	"crypto/sha256"
	"encoding/binary"
	"io"
	"os"
)

// fingerprint names a capture file for the ids of its events: its size and its
// first 64 KiB. The packet's own bytes, number and time enter an id beside it,
// so a hash of the whole file would add nothing but its cost, which is more
// than that of the detection. A stream has the fingerprint of zeros.
func fingerprint(path string) (sum [sha256.Size]byte) {
	if isStream(path) {
		return sum
	}
	f, err := os.Open(path)
	if err != nil {
		return sum
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil || !st.Mode().IsRegular() {
		return sum
	}
	h := sha256.New()
	var size [8]byte
	binary.BigEndian.PutUint64(size[:], uint64(st.Size()))
	h.Write(size[:])
	io.Copy(h, io.LimitReader(f, 64<<10))
	return [32]byte(h.Sum(nil))
}

// isStream says whether a path can be read only once: standard input, a FIFO,
// what a shell makes of <(command). It does not open it: the writer of a FIFO
// would take that for its reader, and be cut off by the close.
func isStream(path string) bool {
	if path == "-" {
		return true
	}
	st, err := os.Stat(path)
	return err == nil && !st.Mode().IsRegular() && !st.IsDir()
}
