package main

import (
	"context"
	"fmt"
	"os"
	"slices"

	"trailhound/agent/config"
	"trailhound/agent/event"
	"trailhound/outputs"
	"trailhound/outputs/csv"
	"trailhound/outputs/format"
	"trailhound/outputs/stdout"
)

// openOutputs starts the loop of every output. One that cannot work is left
// out with a word about it: the others have to.
func (s *service) openOutputs() {
	for i := range s.config.Outputs {
		d, err := s.openOutput(&s.config.Outputs[i])
		if err != nil {
			s.log.Error("output cannot be used", "output", s.config.Outputs[i].Name, "error", err)
			continue
		}
		s.deliveries = append(s.deliveries, d)
		go d.run()
	}
	if len(s.deliveries) == 0 {
		s.log.Warn("no output: events are counted and go nowhere")
	}
}

// stdoutKeys are the keys of a stdout output.
type stdoutKeys struct {
	Format string `key:"format" default:"json" oneof:"csv maltrail json cef table" doc:"format of the events"`
}

// newOutput makes the output of an entry. It is nil for a type that a later
// version brings, which the start has warned of.
func (s *service) newOutput(o *config.Output) (outputs.Output, error) {
	switch o.Type {
	case "csv":
		opt, err := csv.Decode(o.Node)
		if err != nil {
			return nil, outputError(o, err)
		}
		opt.Identity, opt.Log = s.id, s.log.With("output", o.Name)
		return csv.New(opt)
	case "stdout":
		var keys stdoutKeys
		if err := o.Decode(&keys); err != nil {
			return nil, err
		}
		width, tty := terminal(s.out)
		return stdout.New(s.out, stdout.Options{Format: keys.Format, Identity: s.id,
			Layout: format.Options{Table: format.TableOptions{Width: width, Color: tty && os.Getenv("NO_COLOR") == ""}}})
	}
	return nil, fmt.Errorf("outputs of type %s are not in this version", o.Type)
}

// openOutput makes the loop of an output. It queues from now on and delivers
// once it is run.
func (s *service) openOutput(o *config.Output) (*delivery, error) {
	out, err := s.newOutput(o)
	if err != nil {
		return nil, err
	}
	d := &delivery{Delivery: outputs.NewDelivery(o.Name, o.Type, out, s.log), entry: o}
	d.ctx, d.stop = context.WithCancel(context.Background())
	return d, nil
}

func (d *delivery) run() { d.Run(d.ctx) }

// deliver takes what passed the gate to every output. It runs on the gate's
// goroutine.
func (s *service) deliver(e event.Event) {
	health := e.Code.IsHealth()
	for _, d := range s.deliveries {
		if !health || d.entry.Health {
			d.Offer(e)
		}
	}
}

// reopenOutputs makes the outputs those of a new configuration. What did not
// change goes on untouched. What is new queues at once and delivers when those
// that go have delivered what they held: two may mean the same file. All are
// new when the sensor goes by another name.
func (s *service) reopenOutputs(c *config.Config, all bool) {
	old := slices.Clone(s.deliveries)
	var next, fresh []*delivery
	for i := range c.Outputs {
		o := &c.Outputs[i]
		if at := slices.IndexFunc(old, func(d *delivery) bool { return d.entry.Equal(o) }); at >= 0 && !all {
			next = append(next, old[at])
			old = slices.Delete(old, at, at+1)
			continue
		}
		d, err := s.openOutput(o)
		if err != nil {
			s.log.Error("output cannot be used", "output", o.Name, "error", err)
			continue
		}
		next, fresh = append(next, d), append(fresh, d)
	}
	s.live.Do(func() {
		s.mu.Lock()
		s.deliveries = next
		s.mu.Unlock()
	})
	s.spawn(func() {
		limit, done := context.WithTimeout(context.Background(), drainTime)
		defer done()
		for _, d := range old {
			if err := d.Close(limit, d.stop); err != nil {
				s.log.Error("output ended with a loss", "output", d.Name, "error", err)
			}
		}
		for _, d := range fresh {
			go d.run()
		}
	})
}
