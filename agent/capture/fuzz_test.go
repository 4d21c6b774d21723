package capture

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"testing"
)

// FuzzOpen: whatever the bytes are, there is no panic, frames lie within the
// input and are numbered, damage has its place in it, and memory is bounded.
func FuzzOpen(f *testing.F) {
	for _, big := range []bool{false, true} {
		for _, c := range []classic{{big: big}, {big: big, nano: true}, {big: big, modified: true}, {big: big, minor: 2}} {
			f.Add(pcapBytes(c, samples()))
		}
		f.Add(pcapngBytes(big, samples()))
	}
	f.Add(pcapBytes(classic{}, samples())[:90])
	f.Add(pcapngBytes(false, samples())[:200])
	f.Add(join(section(true), description(true, 1, 9, option(true, 14, make([]byte, 8))), block(true, blockSimple, make([]byte, 30))))
	f.Add(gzipBytes(pcapBytes(classic{}, samples())))
	f.Add(zstdBytes(pcapngBytes(false, samples())))
	f.Add([]byte("# not a capture\n"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, file []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		frames, length := fuzzRead(t, file)
		runtime.ReadMemStats(&after)
		// The window, the sniff buffers and the batch; interfaces cost 32 bytes
		// per 20 of the file, with growth up to four times that; zstd asks for
		// its history.
		limit := uint64(4<<20 + 8*len(file))
		if compression(file) != "" {
			limit += 2 * (maxHistory + 8<<20)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > limit {
			t.Errorf("%d bytes allocated for %d bytes of input", used, len(file))
		}
		if compression(file) == "" && (frames*blockMin > len(file) || length > len(file)) {
			t.Errorf("%d frames with %d bytes out of %d", frames, length, len(file))
		}
	})
}

func fuzzRead(t *testing.T, file []byte) (frames, length int) {
	s, err := OpenFile("-", FileOptions{Stdin: bytes.NewReader(file)})
	if err != nil {
		var d *DamageError
		if errors.As(err, &d) {
			t.Errorf("OpenFile tells of damage: %v", err)
		}
		return 0, 0
	}
	defer s.Close()
	for {
		batch, err := s.Next()
		for i := range batch {
			frame := &batch[i]
			frames++
			length += len(frame.Data)
			if frame.Number != uint64(frames) || len(frame.Data) > MaxFrame || frame.Length < 0 {
				t.Fatalf("frame %d: number %d, %d bytes, length %d", frames, frame.Number, len(frame.Data), frame.Length)
			}
			if y := frame.Time.Year(); y < 1970 || y > 9999 {
				t.Fatalf("frame %d has time %v", frames, frame.Time)
			}
		}
		if frames > 1<<20 { // a small compressed file can hold any number
			return frames, length
		}
		if err == io.EOF {
			return frames, length
		}
		if err != nil {
			var d *DamageError
			if !errors.As(err, &d) || d.Frames != uint64(frames) || d.Problem == "" || d.Offset < 0 ||
				compression(file) == "" && d.Offset > int64(len(file)) {
				t.Fatalf("%#v after %d frames of %d bytes", err, frames, len(file))
			}
			return frames, length
		}
	}
}
