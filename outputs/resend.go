package outputs

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"trailhound/agent/event"
	"trailhound/outputs/dead"
)

// resendLook is how often the loop looks for dead letters to be sent again.
const resendLook = 30 * time.Second

// resend sends the dead letters that were marked for it, in batches. What is
// refused again becomes a dead letter again; what cannot be sent now waits for
// the next look. They are not the cursor's matter: they were settled long ago.
func (d *Delivery) resend(ctx context.Context) {
	if d.letters == nil || ctx.Err() != nil {
		return
	}
	path := dead.Again(d.letters.Dir(), d.Name)
	if _, err := os.Lstat(path); err != nil {
		return
	}
	events, _ := d.size()
	var batch []event.Event
	sent, ok := 0, true
	flush := func() bool {
		if len(batch) == 0 {
			return true
		}
		if ctx.Err() != nil { // send would begin all the same: see finishing
			return false
		}
		r, err := d.send(ctx, batch)
		if errors.Is(err, ErrBatch) {
			r, err = d.bisect(ctx, batch, r, err)
		}
		var letters []dead.Letter
		for i := range batch {
			switch {
			case i >= len(r.Outcomes) || r.Outcomes[i] == Retry:
				if err != nil {
					d.log.Warn("dead letters cannot be sent again now", "error", err)
					d.remake(err)
				}
				// Those before it would be sent twice; receivers know them by their id.
				return false
			case r.Outcomes[i] == Rejected:
				letters = append(letters, d.letter(time.Now(), &batch[i], r.Reasons[i]))
			default:
				sent++
			}
		}
		d.bury(letters)
		batch = batch[:0]
		return true
	}
	damaged, err := dead.Read(path, func(l *dead.Letter) bool {
		batch = append(batch, l.Event)
		if len(batch) >= events {
			ok = flush()
		}
		return ok
	})
	if ok = ok && err == nil && flush(); !ok {
		return
	}
	d.mu.Lock()
	d.counts.Resent += uint64(sent)
	d.mu.Unlock()
	if err := os.Remove(path); err != nil {
		d.log.Error("dead letters were sent again, but stay", "file", filepath.Base(path), "error", err)
		return
	}
	d.log.Info("dead letters were sent again", "delivered", sent, "damaged", damaged)
}
