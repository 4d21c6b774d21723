package journal

import (
	"log/slog"
	"time"
)

// Options say where a journal is and what bounds it. Configure takes other
// bounds later.
type Options struct {
	// Path is the directory. It is made when it is not there. Empty: in memory
	// only, which then is no incident.
	Path string
	// MaxSize bounds the bytes on disk. 0: a tenth of the file system, at most
	// 1 GiB. Less than sixteen times 64 KiB is taken as that.
	MaxSize int64
	// MaxAge bounds how much older than the newest event an event may be, in
	// time that the sensor ran. 0: no bound.
	MaxAge time.Duration
	// MinFree is what must stay free of the file system. 0: a twentieth of it,
	// at most 1 GiB. Negative: no bound.
	MinFree int64
	// Sync is when what is written is made durable. Zero value: every second.
	Sync Sync
	Log  *slog.Logger     // nil: nowhere
	Now  func() time.Time // nil: time.Now
	// Incident is told what an operator should know, one after the other in a
	// goroutine of its own: it may take time, and may call the journal.
	Incident func(Incident)

	small *sizes // of tests; nil: as the above says
}

// Sync says when written events are made durable against a loss of power.
// Against the end of the process, however it comes, they always are.
type Sync struct {
	always, never bool
	every         time.Duration
}

// Always syncs in each Append, before it returns.
func Always() Sync { return Sync{always: true} }

// Never leaves it to the kernel.
func Never() Sync { return Sync{never: true} }

// Interval syncs every d.
func Interval(d time.Duration) Sync {
	if d <= 0 {
		return Always()
	}
	return Sync{every: d}
}

// Bounds that follow from the options.
const (
	largestSegment = 16 << 20
	minSegment     = 64 << 10
	maxAuto        = 1 << 30
	memoryLimit    = 16 << 20
	memorySegment  = 1 << 20
	longestSegment = 24 * time.Hour // stamps are 32 bits of milliseconds
)

// sizes are the bounds in bytes.
type sizes struct {
	max, free       int64
	segment         int64
	memory, memPart int64 // in all, one segment
}

func (o *Options) sizes(total int64) sizes {
	if o.small != nil {
		return *o.small
	}
	s := sizes{max: o.MaxSize, free: o.MinFree, memory: memoryLimit, memPart: memorySegment}
	switch {
	case s.max > 0:
	case total > 0:
		s.max = min(maxAuto, total/10)
	default:
		s.max = maxAuto / 4 // nobody knows
	}
	s.max = max(s.max, 16*minSegment)
	if s.free == 0 {
		s.free = min(maxAuto, total/20)
	}
	s.segment = max(min(s.max/8, largestSegment), minSegment)
	return s
}
