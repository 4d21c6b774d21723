//go:build !amd64 && !arm64

package packet

// prefetch does nothing where there is no instruction for it here.
func prefetch(*byte) {}
