package config

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// Size is a number of bytes.
type Size int64

// units from large to small, so that String finds the largest that fits.
var units = [...]struct {
	suffix string
	bytes  int64
}{
	{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10},
	{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3}, {"B", 1},
}

// UnmarshalText reads "256MiB" (powers of 1024), "1GB" (powers of 1000) or plain
// bytes; case and a space before the unit do not matter.
func (s *Size) UnmarshalText(text []byte) error {
	t := strings.TrimSpace(string(text))
	number := strings.TrimRight(t, "BbIiKkMmGgTt ")
	unit := strings.TrimSpace(t[len(number):])
	n, err := strconv.ParseUint(number, 10, 63)
	if err != nil {
		return hinted{"not a size", ""}
	}
	factor := int64(0)
	if unit == "" {
		factor = 1
	}
	for _, u := range units {
		if strings.EqualFold(u.suffix, unit) {
			factor = u.bytes
		}
	}
	switch {
	case factor == 0 && len(unit) == 1:
		return hinted{"not a size", "did you mean " + number + strings.ToUpper(unit) + "iB?"}
	case factor == 0:
		return hinted{"not a size", ""}
	case int64(n) > math.MaxInt64/factor:
		return hinted{"not a size", "this is more than any machine has"}
	}
	*s = Size(int64(n) * factor)
	return nil
}

// String gives the size in the largest unit of 1024 that loses nothing.
func (s Size) String() string {
	for _, u := range units[:4] {
		if s != 0 && int64(s)%u.bytes == 0 {
			return strconv.FormatInt(int64(s)/u.bytes, 10) + u.suffix
		}
	}
	return strconv.FormatInt(int64(s), 10)
}

// MarshalText is String.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

func (*Size) want() string { return "a size such as 256MiB, 1GB or plain bytes" }

// AutoSize is a size that the program may choose.
type AutoSize struct {
	Auto bool
	Size Size // when not Auto
}

// UnmarshalText reads a size or "auto".
func (a *AutoSize) UnmarshalText(text []byte) error {
	if string(text) == "auto" {
		*a = AutoSize{Auto: true}
		return nil
	}
	a.Auto = false
	return a.Size.UnmarshalText(text)
}

// String gives the size or "auto".
func (a AutoSize) String() string {
	if a.Auto {
		return "auto"
	}
	return a.Size.String()
}

// MarshalText is String.
func (a AutoSize) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

func (*AutoSize) want() string { return "auto or a size such as 1GiB" }

// Workers is a number of workers; 0: the program chooses.
type Workers int

// MaxWorkers bounds the workers of one group of interfaces.
const MaxWorkers = 64

// UnmarshalText reads "auto" or a number from 1 to MaxWorkers.
func (w *Workers) UnmarshalText(text []byte) error {
	if string(text) == "auto" {
		*w = 0
		return nil
	}
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 1 || n > MaxWorkers {
		return hinted{"not a number of workers", ""}
	}
	*w = Workers(n)
	return nil
}

// String gives the number or "auto".
func (w Workers) String() string {
	if w == 0 {
		return "auto"
	}
	return strconv.Itoa(int(w))
}

// MarshalText is String.
func (w Workers) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

func (*Workers) want() string { return "auto or a number from 1 to 64" }

// Fsync says when the journal is forced to disk: FsyncAlways, FsyncNever, or at
// this interval.
type Fsync time.Duration

// The two policies that are no interval.
const (
	FsyncAlways Fsync = 0
	FsyncNever  Fsync = -1
)

// UnmarshalText reads "always", "never" or a duration.
func (f *Fsync) UnmarshalText(text []byte) error {
	switch string(text) {
	case "always":
		*f = FsyncAlways
		return nil
	case "never":
		*f = FsyncNever
		return nil
	}
	d, hint, err := parseDuration(string(text))
	if err != nil || d < time.Millisecond || d > time.Hour {
		return hinted{"not a policy", hint}
	}
	*f = Fsync(d)
	return nil
}

// String gives the word or the interval.
func (f Fsync) String() string {
	switch f {
	case FsyncAlways:
		return "always"
	case FsyncNever:
		return "never"
	}
	return durationText(time.Duration(f))
}

// MarshalText is String.
func (f Fsync) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

func (*Fsync) want() string { return "always, never or a duration from 1ms to 1h" }
