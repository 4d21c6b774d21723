package capture

import (
	"bufio"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

const (
	// maxLayers is how many compressions may lie over each other.
	maxLayers = 2
	// maxHistory bounds the memory that a zstd frame can ask for: what the
	// zstd command itself accepts without --long=28 and above.
	maxHistory = 128 << 20
	// sniffBuffer also feeds the decompressors.
	sniffBuffer = 64 << 10
)

// uncompressed returns the plain stream of r: r itself, or what is within
// gzip or zstd layers, told by their magic numbers (RFC 1952 2.3.1, RFC 8878
// 3.1), never by the file's name. close frees the decompressors.
func uncompressed(r io.Reader) (plain io.Reader, close func(), err error) {
	var open []func()
	close = func() {
		for i := len(open) - 1; i >= 0; i-- {
			open[i]()
		}
		open = nil
	}
	for layer := 0; ; layer++ {
		// For large reads a bufio.Reader with nothing buffered passes the
		// caller's buffer on, so a plain file is still read without a copy.
		sniffed := bufio.NewReaderSize(r, sniffBuffer)
		head, _ := sniffed.Peek(4) // an error comes again with the next read
		name := compression(head)
		if name == "" {
			return sniffed, close, nil
		}
		if layer == maxLayers {
			return nil, close, fmt.Errorf("is compressed more than %d times", maxLayers)
		}
		if name == "gzip" {
			z, err := gzip.NewReader(sniffed)
			if err != nil {
				return &unpacker{err: unpackError(name, err)}, close, nil
			}
			open = append(open, func() { z.Close() })
			r = &unpacker{name: name, r: z}
			continue
		}
		// One block at a time on this goroutine: the CPU belongs to the workers.
		z, err := zstd.NewReader(sniffed, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(maxHistory))
		if err != nil {
			return &unpacker{err: unpackError(name, err)}, close, nil
		}
		open = append(open, z.Close)
		r = &unpacker{name: name, r: z}
	}
}

// compression names the compression that a stream begins with, "" for none.
func compression(head []byte) string {
	switch {
	case len(head) >= 3 && head[0] == 0x1f && head[1] == 0x8b && head[2] == 8:
		return "gzip"
	case len(head) < 4:
		return ""
	case head[0] == 0x28 && head[1] == 0xb5 && head[2] == 0x2f && head[3] == 0xfd,
		// A skippable frame: pzstd puts one in front.
		head[0]&0xf0 == 0x50 && head[1] == 0x2a && head[2] == 0x4d && head[3] == 0x18:
		return "zstd"
	}
	return ""
}

// An unpacker says in its errors which compression failed.
type unpacker struct {
	name string
	r    io.Reader
	err  error
}

func (u *unpacker) Read(p []byte) (n int, err error) {
	if u.err != nil {
		return 0, u.err
	}
	n, err = u.r.Read(p)
	if err != nil && err != io.EOF {
		err = unpackError(u.name, err)
	}
	u.err = err
	return n, err
}

func unpackError(name string, err error) error {
	switch err {
	case io.EOF, io.ErrUnexpectedEOF: // of a header or later
		return fmt.Errorf("the %s data end too early: %w", name, io.ErrUnexpectedEOF)
	}
	return fmt.Errorf("cannot decompress %s: %w", name, err)
}
