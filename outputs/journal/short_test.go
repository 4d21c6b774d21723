package journal

import (
	"syscall"
	"testing"
)

// shortDisk cannot open files for want of descriptors: the left-th time and, with
// lasting set, from then on.
type shortDisk struct {
	*testDisk
	left    int
	lasting bool
}

func (d *shortDisk) Open(path string, write bool) (file, error) {
	if d.left > 0 {
		if d.left--; d.left == 0 {
			if d.lasting {
				d.left = 1
			}
			return nil, syscall.EMFILE
		}
	}
	return d.testDisk.Open(path, write)
}

// A process without descriptors knows nothing of its files: none is damaged, and
// all that was in them is there when it has some again.
func TestNoDescriptors(t *testing.T) {
	for at := 1; at < 12; at++ {
		d := &shortDisk{testDisk: newTestDisk(1)}
		var met []Incident
		opt := testOptions()
		opt.Incident = func(i Incident) { met = append(met, i) }
		j := open(opt, d, 0)
		c := cursor(t, j, "out")
		j.Append(events(1, 200))
		if seqs, _ := rest(t, c); len(seqs) != 200 {
			t.Fatal("nothing was read")
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		met = nil
		d.left, d.lasting = at, at%2 == 0
		j = open(opt, d, 0)
		j.Append(events(1001, 3))
		d.left, d.lasting = 0, false
		j.Close()
		j = open(opt, d, 0)
		if s := j.State(); s.Degraded != nil || s.Quarantined > 0 || s.Missing > 0 {
			t.Errorf("descriptors ran out at open %d: %+v", at, s)
		}
		for _, i := range met {
			if i.Kind == Damaged || i.Kind == CursorDamaged || i.Kind == Missing {
				t.Errorf("descriptors ran out at open %d: %+v", at, i)
			}
		}
		j.Close()
	}
}
