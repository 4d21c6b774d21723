package outputs

import "time"

// remakeEvery is how often, at most, credentials are looked at again.
const remakeEvery = time.Minute

// remake puts an output with other credentials in the place of one whose own are
// not accepted, if there are others by now: an API key that was exchanged in its
// file works without a word to the sensor. It says whether it did.
func (d *Delivery) remake(err error) bool {
	now := time.Now()
	if d.set.Remake == nil || !wantsCredentials(err) || !d.asked.IsZero() && now.Sub(d.asked) < remakeEvery {
		return false
	}
	d.asked = now
	out, err := d.set.Remake()
	if err != nil {
		if d.warned.IsZero() || now.Sub(d.warned) >= repeatLog {
			d.log.Warn("cannot read the credentials again, the old ones stay in use", "error", err)
			d.warned = now
		}
		return false
	}
	if out == nil {
		return false
	}
	if err := d.out.Close(); err != nil {
		d.log.Warn("output was not closed well", "error", err)
	}
	counted := countersOf(d.out) // with what it did to close
	d.mu.Lock()
	d.past = d.past.plus(counted)
	d.out = out
	d.counts.Remade++
	d.mu.Unlock()
	d.log.Info("the credentials have changed: the output was made anew")
	return true
}
