package csv

import (
	"bytes"
	"compress/gzip"
	"context"
	stdcsv "encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"trailhound/agent/event"
	"trailhound/outputs"
	"trailhound/outputs/format"
)

var _ outputs.Output = (*Output)(nil)

// batch makes n events numbered from the given sequence number on.
func batch(from, n int) []event.Event {
	list := make([]event.Event, n)
	for i := range list {
		list[i] = event.Event{Time: time.Unix(1771234567, 0), Type: event.DNS, Code: event.TrailDNS, Trail: "bad.test", Info: "lumma (malware)",
			Reference: "(static)", Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("192.0.2.2"), Protocol: "UDP", Seq: uint64(from + i)}
	}
	return list
}

// A bench is an output over a directory of its own, with a clock to set.
type bench struct {
	*Output
	t     *testing.T
	path  string
	clock time.Time
	said  *bytes.Buffer // the log
}

func newBench(t *testing.T, path string, change func(*Options)) *bench {
	t.Helper()
	b := &bench{t: t, path: path, clock: time.Now().UTC(), said: new(bytes.Buffer)}
	opt := Defaults()
	opt.Path = path
	opt.Log = slog.New(slog.NewTextHandler(b.said, nil))
	if change != nil {
		change(&opt)
	}
	o, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	o.now = func() time.Time { return b.clock }
	b.Output = o
	t.Cleanup(func() { o.Close() })
	return b
}

func (b *bench) send(from, n int) {
	b.t.Helper()
	r, err := b.Send(context.Background(), batch(from, n))
	if err != nil {
		b.t.Fatal(err)
	}
	for _, got := range r.Outcomes {
		if got != outputs.Delivered {
			b.t.Fatalf("%v", r.Outcomes)
		}
	}
}

// seqs reads all files of the directory, the oldest first, and gives the sequence numbers. Each
// file must be valid CSV with one header on top.
func seqs(t *testing.T, path string) []string {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	slices.SortFunc(files, func(a, b string) int { // the rotated ones before the present one
		if (a == path) != (b == path) {
			if a == path {
				return 1
			}
			return -1
		}
		return strings.Compare(a, b)
	})
	var list []string
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, ".gz") {
			z, err := gzip.NewReader(bytes.NewReader(data))
			if err != nil {
				t.Fatal(name, err)
			}
			if data, err = io.ReadAll(z); err != nil {
				t.Fatal(name, err)
			}
		}
		if len(data) == 0 {
			continue
		}
		if data[len(data)-1] != '\n' {
			t.Errorf("%s ends in a torn line", name)
		}
		rows, err := stdcsv.NewReader(bytes.NewReader(data)).ReadAll()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		column := slices.Index(rows[0], "seq")
		if column < 0 {
			t.Fatalf("%s has no header", name)
		}
		for _, row := range rows[1:] {
			list = append(list, row[column])
		}
	}
	return list
}

func numbers(from, n int) []string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprint(from+i))
	}
	return list
}

func files(t *testing.T, path string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func TestWriteAndReopen(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o077)) // the mode is what was configured, whatever the umask
	path := filepath.Join(t.TempDir(), "log", "events.csv")
	b := newBench(t, path, nil)
	b.send(1, 3)
	b.send(4, 2)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	newBench(t, path, nil).send(6, 1)
	if got := seqs(t, path); !slices.Equal(got, numbers(1, 6)) {
		t.Errorf("%v", got)
	}
	info, _ := os.Stat(path)
	dir, _ := os.Stat(filepath.Dir(path))
	if info.Mode().Perm() != 0o640 || dir.Mode().Perm()&^0o750 != 0 {
		t.Errorf("modes %v %v", info.Mode(), dir.Mode())
	}
	if b.Guarantee() != outputs.Acknowledged {
		t.Error(b.Guarantee())
	}
}

func TestTornLineAtEveryByte(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events.csv")
	newBench(t, path, nil).send(1, 3)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for cut := range whole {
		if err := os.WriteFile(path, whole[:cut], 0o640); err != nil {
			t.Fatal(err)
		}
		b := newBench(t, path, nil)
		b.send(9, 1)
		torn := cut > 0 && whole[cut-1] != '\n'
		if b.Torn() != map[bool]uint64{true: 1}[torn] || strings.Contains(b.said.String(), "torn last line") != torn {
			t.Fatalf("cut at %d: %d torn lines, log %q", cut, b.Torn(), b.said)
		}
		want := append(numbers(1, max(bytes.Count(whole[:cut], []byte("\n"))-1, 0)), "9")
		if got := seqs(t, path); !slices.Equal(got, want) {
			t.Fatalf("cut at %d: %v, want %v", cut, got, want)
		}
		b.Close()
	}
	// A torn line longer than what is read at once, and zeros as a power loss leaves them.
	for _, tail := range []string{strings.Repeat("x", 200<<10), strings.Repeat("\x00", 4096)} {
		os.WriteFile(path, append(slices.Clone(whole), tail...), 0o640)
		newBench(t, path, nil).send(4, 1)
		if got := seqs(t, path); !slices.Equal(got, numbers(1, 4)) {
			t.Errorf("%v", got)
		}
	}
}

func TestRotateBySize(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events.csv")
	b := newBench(t, path, func(o *Options) { o.MaxSize = 2000; o.MaxFiles = 100 })
	b.clock = time.Date(2026, 2, 16, 9, 36, 7, 0, time.UTC)
	b.send(1, 40) // one batch, many files, all in one second
	if got := seqsUnordered(t, path); !slices.Equal(got, numbers(1, 40)) {
		t.Errorf("%v", got)
	}
	list := files(t, path)
	if !slices.Contains(list, "events-20260216T093607Z.csv.gz") || !slices.Contains(list, "events-20260216T093607Z.2.csv.gz") {
		t.Errorf("%v", list)
	}
	if b.Rotations() != uint64(len(list)-1) {
		t.Errorf("%d rotations, %v", b.Rotations(), list)
	}
	info, _ := os.Stat(path)
	if info.Size() > 2000 {
		t.Errorf("%d bytes", info.Size())
	}
	small := newBench(t, filepath.Join(t.TempDir(), "events.csv"), func(o *Options) { o.MaxSize = 10; o.MaxFiles = 100 })
	small.send(1, 3) // each record is larger than a file may be: one file each, no endless loop
	if got := seqsUnordered(t, small.path); !slices.Equal(got, numbers(1, 3)) || small.Rotations() != 2 {
		t.Errorf("%v %d", got, small.Rotations())
	}
}

func seqsUnordered(t *testing.T, path string) []string {
	list := seqs(t, path)
	slices.SortFunc(list, func(a, b string) int {
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return strings.Compare(a, b)
	})
	return list
}

func TestRotateByDay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events.csv")
	b := newBench(t, path, func(o *Options) { o.MaxFiles = 2 })
	for i := range 5 {
		b.send(2*i+1, 2)
		b.clock = b.clock.Add(24 * time.Hour)
	}
	list := files(t, path)
	if len(list) != 3 || b.Rotations() != 4 {
		t.Errorf("%d rotations, %v", b.Rotations(), list)
	}
	if got := seqs(t, path); !slices.Equal(got, numbers(5, 6)) {
		t.Errorf("%v", got)
	}
	b.clock = b.clock.Add(-72 * time.Hour)
	b.send(11, 1) // a clock that steps back rotates nothing
	if b.Rotations() != 4 {
		t.Error("rotated by a step back")
	}
	b.Close()

	// After a restart the day is that of the file's last write, and the limit on files holds.
	old := b.clock.Add(-240 * time.Hour)
	os.Chtimes(path, old, old)
	c := newBench(t, path, func(o *Options) { o.MaxFiles = 1 })
	c.clock = b.clock.Add(240 * time.Hour)
	c.send(12, 1)
	if list := files(t, path); len(list) != 2 || c.Rotations() != 1 {
		t.Errorf("%d rotations, %v", c.Rotations(), list)
	}
	off := newBench(t, filepath.Join(t.TempDir(), "e.csv"), func(o *Options) { o.Daily = false; o.Compress = false })
	off.send(1, 1)
	off.clock = off.clock.Add(48 * time.Hour)
	off.send(2, 1)
	if off.Rotations() != 0 {
		t.Error("rotated by day although that is off")
	}
}

func TestCrashWhileCompressing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events.csv")
	b := newBench(t, path, func(o *Options) { o.Compress = false })
	b.clock = time.Date(2026, 2, 16, 0, 0, 0, 0, time.UTC)
	b.send(1, 1)
	os.Chtimes(path, b.clock, b.clock)
	b.clock = b.clock.Add(24 * time.Hour)
	b.send(2, 1)
	b.Close()
	rotated := filepath.Join(filepath.Dir(path), "events-20260217T000000Z.csv")
	if !exists(rotated) {
		t.Fatal(files(t, path))
	}
	os.WriteFile(rotated+".gz.tmp", []byte("half"), 0o640)
	other := filepath.Join(filepath.Dir(path), "events-of-my-own.csv.gz.tmp")
	os.WriteFile(other, []byte("not ours"), 0o640)
	c := newBench(t, path, nil)
	c.send(3, 1)
	os.Remove(other)
	if exists(rotated) || !exists(rotated+".gz") || exists(rotated+".gz.tmp") {
		t.Errorf("%v", files(t, path))
	}
	c.Close()
	// A crash between renaming the compressed form and removing the original.
	os.WriteFile(rotated, []byte("half removed"), 0o640)
	newBench(t, path, nil).send(4, 1)
	if got := seqs(t, path); !slices.Equal(got, numbers(1, 4)) {
		t.Errorf("%v", got)
	}
}

func TestRenamedRemovedEmptied(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events.csv")
	b := newBench(t, path, nil)
	b.send(1, 1)
	os.Rename(path, path+".1")
	b.send(2, 1)
	if got := seqs(t, path); !slices.Equal(got, numbers(1, 2)) {
		t.Errorf("renamed: %v", got)
	}
	os.Remove(path)
	b.send(3, 1)
	os.Truncate(path, 0) // logrotate's copytruncate
	b.send(4, 1)
	if got := seqs(t, path); !slices.Equal(got, []string{"1", "3", "4"}) { // 3 may have come after the copy was made
		t.Errorf("emptied: %v", got)
	}
	os.Rename(path, path+".2")
	b.send(5, 1)
	if got := seqs(t, path); !slices.Equal(got, []string{"1", "3", "4", "5"}) { // nothing is repeated into a new file
		t.Errorf("renamed after that: %v", got)
	}
	os.Remove(path + ".2")
	os.RemoveAll(filepath.Dir(path))
	b.send(6, 1)
	if got := seqs(t, path); !slices.Equal(got, []string{"6"}) {
		t.Errorf("directory removed: %v", got)
	}
}

// TestColumnsChanged: rows never come under a header that is not theirs. What
// was there is kept as it is, under a name that the log tells.
func TestColumnsChanged(t *testing.T) {
	var now strings.Builder
	now.Write(format.AppendCSVHeader(nil))
	for _, c := range []struct {
		name, format, there string
		aside               bool
	}{
		{"of an older version", "csv", "time,sensor,src_ip\nx,y,z\n", true},
		{"of a newer version", "csv", strings.TrimSuffix(now.String(), "\n") + ",more\nx,y\n", true},
		{"of csv-all", "csv", string(format.AppendAllCSVHeader(nil)) + "x,y\n", true},
		{"in another order", "csv", "sensor,time\nx,y\n", true},
		{"no header", "csv", "{\"some\": \"json\"}\n", true},
		{"its own", "csv", now.String(), false},
		{"its own, cut off", "csv", now.String()[:40], false},
		{"JSON under a header", "json", now.String(), true},
		{"CEF under a header", "cef", "time,sensor,src_ip\n", true},
		{"JSON after JSON", "json", "{}\n", false},
		{"nothing", "csv", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "events.csv")
			if err := os.WriteFile(path, []byte(c.there), 0o640); err != nil {
				t.Fatal(err)
			}
			b := newBench(t, path, func(o *Options) { o.Compress, o.Format = false, c.format })
			b.send(1, 1)
			b.send(2, 1)
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			want := ""
			if c.format == "csv" {
				want = now.String()
			}
			if !strings.HasPrefix(string(data), want) || c.aside && strings.Contains(string(data), "x,y") || strings.Count(string(data), "time,sensor,src_ip") != len(want)/max(len(want), 1) {
				t.Errorf("the file is now:\n%s", data)
			}
			old, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "events-*.csv"))
			if !c.aside {
				if len(old) != 0 || b.Rotations() != 0 || strings.Contains(b.said.String(), "columns") {
					t.Errorf("put aside as %v: %s", old, b.said.String())
				}
				return
			}
			if len(old) != 1 || b.Rotations() != 1 || strings.Count(b.said.String(), "columns") != 1 || !strings.Contains(b.said.String(), old[0]) {
				t.Fatalf("put aside as %v: %s", old, b.said.String())
			}
			if kept, _ := os.ReadFile(old[0]); string(kept) != c.there {
				t.Errorf("what was there became:\n%s", kept)
			}
		})
	}
}

func TestNotAFile(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	os.WriteFile(filepath.Join(dir, "file"), nil, 0o600)
	for _, path := range []string{dir, pipe, filepath.Join(dir, "file", "events.csv")} {
		b := newBench(t, path, nil)
		if err := b.Check(context.Background()); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
		r, err := b.Send(context.Background(), batch(1, 2))
		if err == nil || r.Outcomes[0] != outputs.Retry || r.Outcomes[1] != outputs.Retry {
			t.Errorf("%s: %v %v", path, r, err)
		}
		for _, err := range []error{b.Check(context.Background()), err} {
			if got := outputs.ClassOf(err); got != outputs.Disk {
				t.Errorf("%s: class %v: %v", path, got, err)
			}
		}
	}
}

func TestPermissionDenied(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events.csv")
	b := newBench(t, path, nil)
	b.open = func(path string, flag int, mode fs.FileMode) (file, error) {
		return nil, &fs.PathError{Op: "open", Path: path, Err: syscall.EACCES}
	}
	r, err := b.Send(context.Background(), batch(1, 1))
	if !errors.Is(err, fs.ErrPermission) || r.Outcomes[0] != outputs.Retry {
		t.Errorf("%v %v", r, err)
	}
	b.open = openFile
	b.send(1, 1)
	if got := seqs(t, path); !slices.Equal(got, numbers(1, 1)) {
		t.Errorf("%v", got)
	}
}

func TestCancelled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events.csv")
	b := newBench(t, path, nil)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if r, err := b.Send(ctx, batch(1, 1)); !errors.Is(err, context.Canceled) || r.Outcomes[0] != outputs.Retry {
		t.Error(r, err)
	}
	if b.Check(ctx) == nil {
		t.Error("Check does not honour its context")
	}
}

func BenchmarkSend(b *testing.B) {
	opt := Defaults()
	opt.Path, opt.MaxSize, opt.Compress = filepath.Join(b.TempDir(), "events.csv"), 1<<40, false
	o, err := New(opt)
	if err != nil {
		b.Fatal(err)
	}
	defer o.Close()
	events := batch(1, 1000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := o.Send(context.Background(), events); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/event")
}

// TestNoRecord: maltrail lines have no health events; those count as delivered,
// cost no rotation, and leave the file as it is.
func TestNoRecord(t *testing.T) {
	b := newBench(t, filepath.Join(t.TempDir(), "events.log"), func(o *Options) { o.Format, o.MaxSize = "maltrail", 1000 })
	list := batch(1, 3)
	list[0] = event.NewHealth(list[0].Time, event.HealthHeartbeat, "up", event.HealthFacts{State: event.Metric})
	list[1].Trail = strings.Repeat("x", 1000) // a file of its own
	list[2] = list[0]
	for _, l := range [][]event.Event{list, list[:1], list} {
		r, err := b.Send(context.Background(), l)
		if err != nil || len(r.Outcomes) != len(l) {
			t.Fatal(r, err)
		}
		for _, got := range r.Outcomes {
			if got != outputs.Delivered {
				t.Fatal(r.Outcomes)
			}
		}
	}
	if b.Rotations() != 1 {
		t.Errorf("%d rotations, want 1", b.Rotations())
	}
	data, err := os.ReadFile(b.path)
	if err != nil || bytes.Count(data, []byte("\n")) != 1 || !bytes.Contains(data, []byte("xxx")) {
		t.Errorf("%d lines, %v", bytes.Count(data, []byte("\n")), err)
	}
}
