package journal

import "time"

// Configure takes other bounds and another policy of syncing from opt: MaxSize,
// MaxAge, MinFree and Sync. All else stays as it was opened. What is beyond a
// smaller bound goes within moments, as always: the oldest first, and counted
// for each cursor that had not delivered it. The segment that is appended to is
// never given up, so a journal of a few large segments may be above a much smaller
// MaxSize until the next event.
func (j *Journal) Configure(opt Options) {
	j.writing.Lock()
	total, err := int64(0), errNoPath
	if j.opt.Path != "" {
		_, total, err = j.disk.Space(j.opt.Path)
	}
	j.mu.Lock()
	if err == nil {
		j.total = total
	}
	j.opt.MaxSize, j.opt.MaxAge, j.opt.MinFree, j.opt.Sync, j.opt.small = opt.MaxSize, opt.MaxAge, opt.MinFree, opt.Sync, opt.small
	if j.opt.Sync == (Sync{}) {
		j.opt.Sync = Interval(time.Second)
	}
	was := j.sizes.segment
	j.sizes = j.opt.sizes(j.total)
	is := j.sizes.segment
	j.mu.Unlock()
	if is != was {
		j.resize(is < was)
	}
	j.writing.Unlock()
	select {
	case j.rolled <- struct{}{}: // the keeper sees to the bounds
	default:
	}
}

// resize gives the active segment and the spare one the blocks of the present
// size of a segment: what can be had of them when it is larger. The caller holds
// writing.
func (j *Journal) resize(smaller bool) {
	if s := j.active; s != nil && s.file != nil {
		// As when a segment ends: what stands behind the records is of no use.
		if smaller && s.file.Truncate(s.end) == nil {
			s.stale = min(s.stale, s.end)
		}
		j.allocate(s.file)
	}
	sp := j.spare
	if sp == nil {
		return
	}
	if smaller && sp.f.Truncate(0) == nil {
		sp.stale = 0
	}
	j.allocate(sp.f)
}

// allocate takes the blocks of a segment for a file, if there are enough.
func (j *Journal) allocate(f file) {
	if err := f.Allocate(j.sizes.segment); isFull(err) {
		j.setFull(err)
	}
}

// policy gives what the keeper goes by.
func (j *Journal) policy() (sync Sync, maxAge time.Duration) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.opt.Sync, j.opt.MaxAge
}
