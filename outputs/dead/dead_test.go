package dead

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trailhound/agent/event"
)

func letter(n int) Letter {
	return Letter{Time: time.Date(2026, 3, 4, 5, 6, n%60, 0, time.UTC), Output: "siem", Reason: `mapper_parsing_exception: "x"` + "\n",
		Event: event.Event{Seq: uint64(n), Epoch: 7, Type: event.DNS, Code: "trail.dns", Trail: "(www).evil.example", Severity: event.High,
			Src: netip.MustParseAddr("10.0.0.1"), SrcPort: uint16(n), Time: time.Date(2026, 3, 4, 5, 6, 7, 8000, time.UTC)},
		Shown: json.RawMessage(`{"event":{"code":"trail.dns"}}`)}
}

func read(t *testing.T, path string) (seqs []uint64, damaged int) {
	t.Helper()
	damaged, err := Read(path, func(l *Letter) bool {
		want := letter(int(l.Event.Seq))
		if l.Reason != want.Reason || l.Output != "siem" || !l.Time.Equal(want.Time) || l.Event.Trail != want.Event.Trail || l.Event.Epoch != 7 ||
			l.Event.SrcPort != want.Event.SrcPort || !l.Event.Time.Equal(want.Event.Time) || !bytes.Equal(l.Shown, want.Shown) {
			t.Errorf("%+v", l)
		}
		seqs = append(seqs, l.Event.Seq)
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return seqs, damaged
}

func TestLettersComeBack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "dead")
	f := New(dir, "siem", 0)
	for n := 1; n <= 6; n += 2 {
		if err := f.Put([]Letter{letter(n), letter(n + 1)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Put([]Letter{letter(7)}); err != nil {
		t.Fatal(err)
	}
	if seqs, damaged := read(t, Path(dir, "siem")); len(seqs) != 7 || seqs[6] != 7 || damaged != 0 {
		t.Errorf("%v, %d damaged", seqs, damaged)
	}
	if c := f.Counts(); c != (Counts{Letters: 7}) {
		t.Errorf("%+v", c)
	}
	if n, err := Read(filepath.Join(dir, "nobody.jsonl"), nil); n != 0 || err != nil {
		t.Error(n, err)
	}
	stop := 0
	if _, err := Read(Path(dir, "siem"), func(*Letter) bool { stop++; return stop < 2 }); err != nil || stop != 2 {
		t.Error(stop, err)
	}
}

// A crash in the middle of a line, and whatever else stands there, cost no
// letter that is whole.
func TestDamage(t *testing.T) {
	dir := t.TempDir()
	f := New(dir, "siem", 0)
	if err := f.Put([]Letter{letter(1), letter(2)}); err != nil {
		t.Fatal(err)
	}
	f.Close()
	path := Path(dir, "siem")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for cut := range whole {
		if err := os.WriteFile(path, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		if err := f.Put([]Letter{letter(3)}); err != nil {
			t.Fatal(err)
		}
		f.Close()
		seqs, damaged := read(t, path)
		lines := bytes.Count(whole[:cut], []byte{'\n'})
		torn := 0
		if cut > 0 && whole[cut-1] != '\n' {
			torn = 1
		}
		// Cut in front of the last byte, the line is whole again once it is ended.
		if torn == 1 && whole[cut] == '\n' {
			lines, torn = lines+1, 0
		}
		if len(seqs) != lines+1 || damaged != torn || seqs[len(seqs)-1] != 3 {
			t.Fatalf("cut at %d: %v, %d damaged", cut, seqs, damaged)
		}
	}
	long := strings.Repeat("x", 3*maxLine)
	if err := os.WriteFile(path, []byte(long+"\n{}\nnull\n"+string(whole)), 0o600); err != nil {
		t.Fatal(err)
	}
	if seqs, damaged := read(t, path); len(seqs) != 2 || damaged != 3 {
		t.Errorf("%v, %d damaged", seqs, damaged)
	}
}

func TestBound(t *testing.T) {
	dir := t.TempDir()
	one := letter(1)
	line, err := one.line()
	if err != nil {
		t.Fatal(err)
	}
	limit := int64(len(line)) * 20
	f := New(dir, "siem", limit)
	const all = 100
	for n := 1; n <= all; n++ {
		if err := f.Put([]Letter{letter(n)}); err != nil {
			t.Fatal(err)
		}
		var size int64
		for _, path := range []string{Path(dir, "siem"), Older(dir, "siem")} {
			if info, err := os.Stat(path); err == nil {
				size += info.Size()
			}
		}
		if size > limit {
			t.Fatalf("%d bytes after %d letters", size, n)
		}
	}
	old, _ := read(t, Older(dir, "siem"))
	now, _ := read(t, Path(dir, "siem"))
	c := f.Counts()
	if c.Letters != all || c.Evicted+uint64(len(old)+len(now)) != all || now[len(now)-1] != all || old[len(old)-1]+1 != now[0] {
		t.Errorf("%+v, %v %v", c, old, now)
	}
}

func TestResend(t *testing.T) {
	dir := t.TempDir()
	if n, err := Resend(dir, "siem"); n != 0 || err != nil {
		t.Fatal(n, err)
	}
	one := letter(1)
	line, _ := one.line()
	f := New(dir, "siem", int64(len(line))*6)
	for n := 1; n <= 5; n++ {
		if err := f.Put([]Letter{letter(n)}); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := Resend(dir, "siem"); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	// The writer goes on in a new file.
	if err := f.Put([]Letter{letter(6)}); err != nil {
		t.Fatal(err)
	}
	again, _ := read(t, Again(dir, "siem"))
	now, _ := read(t, Path(dir, "siem"))
	if len(again) != 5 || again[0] != 1 || again[4] != 5 || len(now) != 1 || now[0] != 6 {
		t.Errorf("%v %v", again, now)
	}
	if _, err := Resend(dir, "siem"); err == nil {
		t.Error("letters that wait are overwritten")
	}
	if err := os.Remove(Again(dir, "siem")); err != nil {
		t.Fatal(err)
	}
	if n, err := Resend(dir, "siem"); n != 1 || err != nil {
		t.Fatal(n, err)
	}
}

// What a crash in the middle of Resend left is not lost: it goes with the next.
func TestResendAfterACrash(t *testing.T) {
	dir := t.TempDir()
	put := func(path string, n int) {
		t.Helper()
		l := letter(n)
		line, err := l.line()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, line, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put(Again(dir, "siem")+".part", 1)
	put(Path(dir, "siem")+".taken", 2)
	put(Path(dir, "siem"), 3)
	if n, err := Resend(dir, "siem"); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	if again, damaged := read(t, Again(dir, "siem")); len(again) != 3 || damaged != 0 {
		t.Errorf("%v, %d damaged", again, damaged)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("%d files are left", len(left))
	}
}

func TestCannotWrite(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f := New(filepath.Join(file, "dead"), "siem", 0)
	if err := f.Put([]Letter{letter(1), letter(2)}); err == nil {
		t.Error("no error")
	}
	if c := f.Counts(); c.Lost != 2 || c.Letters != 0 {
		t.Errorf("%+v", c)
	}
}
