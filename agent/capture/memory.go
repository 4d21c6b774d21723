package capture

import "io"

// memory is a Source over frames that are already in memory.
type memory struct {
	frames []Frame
	next   int
}

// memoryBatch keeps batches the size that files have by default.
const memoryBatch = 512

// NewMemory returns a source of these frames, for tests and benchmarks. Frames
// without a number get their place in the slice, from 1. The data are not
// copied. The source has no end but io.EOF.
func NewMemory(frames []Frame) Source {
	m := &memory{frames: make([]Frame, len(frames))}
	copy(m.frames, frames)
	for i := range m.frames {
		if m.frames[i].Number == 0 {
			m.frames[i].Number = uint64(i) + 1
		}
	}
	return m
}

func (m *memory) Next() ([]Frame, error) {
	if m.next == len(m.frames) {
		return nil, io.EOF
	}
	n := min(m.next+memoryBatch, len(m.frames))
	batch := m.frames[m.next:n:n]
	m.next = n
	return batch, nil
}

func (m *memory) Close() error { return nil }
