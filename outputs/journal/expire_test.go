package journal

import (
	"testing"
	"time"
)

// closingDisk says when a file that it made is closed, once.
type closingDisk struct {
	*testDisk
	closed func()
}

type closingFile struct {
	file
	disk *closingDisk
}

func (d *closingDisk) Create(path string) (file, error) {
	f, err := d.testDisk.Create(path)
	return closingFile{f, d}, err
}

func (f closingFile) Close() error {
	if closed := f.disk.closed; closed != nil {
		f.disk.closed = nil
		closed()
	}
	return f.file.Close()
}

// TestExpiredNameIsTaken: an output that comes back in the moment in which its old
// cursor is removed keeps the file of its new one.
func TestExpiredNameIsTaken(t *testing.T) {
	d := &closingDisk{testDisk: newTestDisk(1)}
	now := time.Unix(1_700_000_000, 0)
	opt := testOptions()
	opt.MaxAge, opt.Now = 30*time.Minute, func() time.Time { return now }
	j := open(opt, d, 0)
	cursor(t, j, "back").Close()
	taken := false
	for range 40 {
		now = now.Add(time.Minute)
		if len(j.Cursors()) == 1 && !taken {
			d.closed = func() { cursor(t, j, "back"); taken = true }
		}
		j.tick()
	}
	if !taken || len(j.Cursors()) != 1 || d.names["/j/"+cursorFile("back")] == nil {
		t.Errorf("taken: %v, %d cursors, file %v", taken, len(j.Cursors()), d.names["/j/"+cursorFile("back")])
	}
	kill(j)
}
