package device

import (
	"errors"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

func TestProbe(t *testing.T) {
	if os.Getenv("THDV_PROBE") != "" { // without the capability
		if f := Probe(); !errors.Is(f.Socket, unix.EPERM) || f.Ring != nil || f.Fanout != nil {
			t.Errorf("%+v", f)
		}
		return
	}
	f := Probe()
	if errors.Is(f.Socket, unix.EPERM) {
		t.Skip("needs CAP_NET_RAW")
	}
	if f != (Features{}) {
		t.Errorf("%+v", f)
	}
}

// Probes do not disturb each other.
func TestProbeTwice(t *testing.T) {
	if f := Probe(); errors.Is(f.Socket, unix.EPERM) {
		t.Skip("needs CAP_NET_RAW")
	}
	for range 4 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			for range 4 {
				if f := Probe(); f != (Features{}) {
					t.Fatalf("%+v", f)
				}
			}
		})
	}
}

func TestProbeUnprivileged(t *testing.T) { unprivileged(t, "TestProbe", "THDV_PROBE") }
