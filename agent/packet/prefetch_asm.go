//go:build amd64 || arm64

package packet

// prefetch starts loading the two cache lines at and behind a byte.
//
//go:noescape
func prefetch(at *byte)
