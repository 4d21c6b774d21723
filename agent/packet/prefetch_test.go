package packet

import "testing"

// TestPrefetch holds that any frame may be given, at the end of memory too.
func TestPrefetch(t *testing.T) {
	Prefetch(nil)
	Prefetch([]byte{})
	memory := make([]byte, 1<<16)
	Prefetch(memory[len(memory)-1:])
	if n := testing.AllocsPerRun(10, func() { Prefetch(memory) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
