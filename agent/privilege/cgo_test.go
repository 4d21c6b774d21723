//go:build cgo

package privilege

import (
	"errors"
	"strings"
	"testing"
)

// TestDropWithCgo: threads that C code starts are unknown to the runtime, so a
// binary with cgo must be told, not left half privileged. This test binary is
// one, so the call has no effect on it.
func TestDropWithCgo(t *testing.T) {
	before, err := Read()
	if err != nil {
		t.Fatal(err)
	}
	err = Drop()
	if !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), "CGO_ENABLED=0") {
		t.Errorf("got %v", err)
	}
	if after, _ := Read(); after != before {
		t.Errorf("%+v became %+v", before, after)
	}
}
