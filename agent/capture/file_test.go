package capture

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"trailhound/agent/packet"
)

// many makes n frames of odd sizes, enough to cross the buffer's end.
func many(n int) []sample {
	all := make([]sample, n)
	for i := range all {
		data := bytes.Repeat([]byte{byte(i), byte(i >> 8)}, 1+i*37%900)
		all[i] = sample{sec: int64(i), nano: int64(i) * 1000, data: data, length: len(data)}
	}
	return all
}

func TestCompressed(t *testing.T) {
	for name, file := range map[string][]byte{"pcap": pcapBytes(classic{}, samples()), "pcapng": pcapngBytes(true, samples())} {
		for how, packed := range map[string][]byte{
			"gzip":               gzipBytes(file),
			"gzip in two parts":  join(gzipBytes(file[:50]), gzipBytes(file[50:])),
			"zstd":               zstdBytes(file),
			"zstd in two frames": join(zstdBytes(file[:50]), zstdBytes(file[50:])),
			"zstd after a skip":  join([]byte("\x50\x2a\x4d\x18\x03\x00\x00\x00abc"), zstdBytes(file)),
			"gzip in zstd":       zstdBytes(gzipBytes(file)),
		} {
			t.Run(name+" in "+how, func(t *testing.T) {
				frames, err := readBytes(t, packed, FileOptions{})
				if err != nil {
					t.Fatal(err)
				}
				check(t, frames, samples(), 1)
			})
		}
	}
	_, err := readBytes(t, gzipBytes(gzipBytes(gzipBytes(nil))), FileOptions{})
	if err == nil || !strings.Contains(err.Error(), "compressed more than 2 times") {
		t.Error(err)
	}
}

func TestCompressedTruncated(t *testing.T) {
	file := pcapBytes(classic{}, many(400))
	for name, pack := range map[string]func([]byte) []byte{"gzip": gzipBytes, "zstd": zstdBytes} {
		t.Run(name, func(t *testing.T) {
			packed, most := pack(file), 0
			for cut := 4; cut < len(packed); cut += 1 + len(packed)/97 {
				frames, err := readBytes(t, packed[:cut], FileOptions{})
				d := damageOf(t, err)
				if !strings.Contains(d.Problem, name) || !errors.Is(err, io.ErrUnexpectedEOF) || d.Frames != uint64(len(frames)) {
					t.Fatalf("cut at %d: %v", cut, err)
				}
				check(t, frames, many(400)[:len(frames)], 1)
				most = max(most, len(frames))
			}
			// zstd gives whole blocks of 128 KiB only.
			if most < 200 {
				t.Errorf("at most %d frames of 400 were read", most)
			}
		})
	}
}

func TestCompressedCorrupt(t *testing.T) {
	packed := gzipBytes(pcapBytes(classic{}, samples()))
	packed[len(packed)-6]++ // the checksum
	frames, err := readBytes(t, packed, FileOptions{})
	if d := damageOf(t, err); len(frames) != len(samples()) || !strings.Contains(d.Problem, "cannot decompress gzip") {
		t.Errorf("%d frames, %v", len(frames), err)
	}
}

// However the bytes arrive, the frames are the same.
func TestReaders(t *testing.T) {
	want := many(3000) // about 2.7 MiB
	file := pcapBytes(classic{}, want)
	for name, r := range map[string]io.Reader{
		"whole":     bytes.NewReader(file),
		"halves":    iotest.HalfReader(bytes.NewReader(file)),
		"one byte":  iotest.OneByteReader(bytes.NewReader(file)),
		"with EOF":  iotest.DataErrReader(bytes.NewReader(file)),
		"as a pipe": struct{ io.Reader }{io.MultiReader(bytes.NewReader(file[:70000]), bytes.NewReader(file[70000:]))},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := OpenFile("-", FileOptions{Stdin: r})
			if err != nil {
				t.Fatal(err)
			}
			frames, err := drain(t, s)
			if err != nil {
				t.Fatal(err)
			}
			check(t, frames, want, 1)
		})
	}
}

func TestReadErrors(t *testing.T) {
	file, broken := pcapBytes(classic{}, samples()), errors.New("the disk is gone")
	for _, cut := range []int{2, 10, 24, 30, len(file)} {
		s, err := OpenFile("-", FileOptions{Stdin: io.MultiReader(bytes.NewReader(file[:cut]), iotest.ErrReader(broken))})
		if err != nil {
			t.Fatal(err)
		}
		frames, err := drain(t, s)
		if d := damageOf(t, err); d.Problem != broken.Error() || !errors.Is(err, broken) || d.Offset > int64(cut) {
			t.Errorf("cut at %d: %d frames, %v", cut, len(frames), err)
		}
	}
	// A reader that never gives anything does not hang the sensor.
	s, err := OpenFile("-", FileOptions{Stdin: io.MultiReader(bytes.NewReader(file), silent{})})
	if err != nil {
		t.Fatal(err)
	}
	if frames, err := drain(t, s); len(frames) != len(samples()) || !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("%d frames, %v", len(frames), err)
	}
}

type silent struct{}

func (silent) Read([]byte) (int, error) { return 0, nil }

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	put := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	secret := put("secret.pcap", "x")
	if err := os.Chmod(secret, 0); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		path, text string
		is         error
	}{
		"missing":   {filepath.Join(dir, "no.pcap"), "cannot open capture %s: no such file or directory", fs.ErrNotExist},
		"forbidden": {secret, "cannot open capture %s: permission denied", fs.ErrPermission},
		"directory": {dir, "capture %s is a directory", nil},
		"empty":     {put("empty.pcap", ""), "capture %s is empty", nil},
		"empty gz":  {put("empty.pcap.gz", string(gzipBytes(nil))), "capture %s is empty", nil},
		"tiny":      {put("tiny.pcap", "\x1b["), `capture %s is not a capture file: it is only "\x1b["`, nil},
		"text":      {put("t.txt", "caf\u00e9 \x1b[31m\u202e and more of it"), `capture %s is not a capture file: it begins with "caf\u00e9 \x1b[31m\u202e a"`, nil},
		"xz":        {put("x.xz", "\xfd7zXZ\x00 "), "capture %s is xz-compressed, which cannot be read: convert it first", nil},
		"odd name":  {put("a\nb\x1b", ""), "capture %s is empty", nil},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "forbidden" && os.Geteuid() == 0 {
				t.Skip("root may read every file")
			}
			s, err := OpenFile(c.path, FileOptions{})
			if err == nil {
				s.Close()
				t.Fatal("it opened")
			}
			if want := strings.Replace(c.text, "%s", fmt.Sprintf("%q", c.path), 1); err.Error() != want {
				t.Errorf("error %q, want %q", err, want)
			}
			if c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("error %v is not %v", err, c.is)
			}
			if strings.ContainsAny(err.Error(), "\n\x1b") {
				t.Errorf("error %q would reach a terminal raw", err)
			}
		})
	}
}

func TestDamageText(t *testing.T) {
	path := write(t, pcapBytes(classic{}, samples())[:70])
	s, err := OpenFile(path, FileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	_, err = drain(t, s)
	if want := fmt.Sprintf("capture %q is damaged at byte 63: the file ends after 7 of the 16 bytes of a record header; 1 frame was read", path); err == nil || err.Error() != want {
		t.Errorf("%v, want %v", err, want)
	}
	_, err = readBytes(t, pcapBytes(classic{}, nil)[:9], FileOptions{})
	if want := "capture on standard input is damaged at byte 0: the file ends after 9 of the 24 bytes of its header; 0 frames were read"; err == nil || err.Error() != want {
		t.Errorf("%v, want %v", err, want)
	}
}

// Workers that select disjoint frames of one file together see it all, with
// the numbers that a single reader gives.
func TestSelect(t *testing.T) {
	want := many(5000)
	for name, file := range map[string][]byte{"pcap": pcapBytes(classic{}, want), "pcapng": pcapngBytes(false, want)} {
		t.Run(name, func(t *testing.T) {
			path, workers := write(t, file), 3
			all := make([]got, len(want))
			for worker := range workers {
				s, err := OpenFile(path, FileOptions{Select: func(link packet.LinkType, data []byte) bool {
					return link == 1 && int(data[0])%workers == worker
				}})
				if err != nil {
					t.Fatal(err)
				}
				frames, err := drain(t, s)
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range frames {
					if all[f.Number-1].Number != 0 {
						t.Errorf("frame %d was given twice", f.Number)
					}
					all[f.Number-1] = f
				}
				if n, latest := s.(Progress).Progress(); n != uint64(len(want)) || latest.Unix() != want[len(want)-1].sec {
					t.Errorf("progress %d, %v", n, latest)
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}
			check(t, all, want, 1)
		})
	}
}

// A source of which nothing is selected still tells how far it is.
func TestSelectNothing(t *testing.T) {
	s, err := OpenFile(write(t, pcapBytes(classic{}, many(5000))), FileOptions{Select: func(packet.LinkType, []byte) bool { return false }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	calls, last := 0, uint64(0)
	for {
		batch, err := s.Next()
		if err == io.EOF {
			break
		}
		n, _ := s.(Progress).Progress()
		if err != nil || len(batch) != 0 || n <= last {
			t.Fatal(len(batch), n, err)
		}
		calls, last = calls+1, n
	}
	if calls < 3 || last != 5000 {
		t.Errorf("%d batches, %d frames", calls, last)
	}
}

func TestSnaplen(t *testing.T) {
	seen := 0
	frames, err := readBytes(t, pcapBytes(classic{}, samples()), FileOptions{Snaplen: 5,
		Select: func(_ packet.LinkType, data []byte) bool { seen = max(seen, len(data)); return true }})
	if err != nil {
		t.Fatal(err)
	}
	want := samples()
	for i, f := range want {
		want[i].data = f.data[:min(5, len(f.data))]
	}
	check(t, frames, want, 1)
	if seen != 5 {
		t.Errorf("Select saw %d bytes", seen)
	}
	// Appending to a frame must not write into the next one.
	s, _ := OpenFile("-", FileOptions{Stdin: bytes.NewReader(pcapBytes(classic{}, samples()))})
	batch, _ := s.Next()
	for _, f := range batch {
		if cap(f.Data) != len(f.Data) {
			t.Errorf("frame %d has capacity %d for %d bytes", f.Number, cap(f.Data), len(f.Data))
		}
	}
}

func TestClose(t *testing.T) {
	s, err := OpenFile(write(t, zstdBytes(pcapBytes(classic{}, samples()))), FileOptions{Batch: 1})
	if err != nil {
		t.Fatal(err)
	}
	if batch, err := s.Next(); len(batch) != 1 || err != nil {
		t.Fatal(batch, err)
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Error(err)
	}
	if _, err := s.Next(); !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
}

func TestMemory(t *testing.T) {
	given := []Frame{{Data: []byte("a")}, {Data: []byte("b"), Number: 9}}
	given = append(given, make([]Frame, 1000)...)
	frames, err := drain(t, NewMemory(given))
	if err != nil || len(frames) != 1002 {
		t.Fatal(len(frames), err)
	}
	if frames[0].Number != 1 || frames[1].Number != 9 || frames[1001].Number != 1002 || given[0].Number != 0 {
		t.Error("wrong numbers")
	}
	if _, err := NewMemory(nil).Next(); err != io.EOF {
		t.Error(err)
	}
}

func TestNextAllocatesNothing(t *testing.T) {
	want := many(30000)
	for name, file := range map[string][]byte{"pcap": pcapBytes(classic{}, want), "pcapng": pcapngBytes(false, want)} {
		t.Run(name, func(t *testing.T) {
			s, err := OpenFile(write(t, file), FileOptions{Batch: 256})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			frames := 0
			if n := testing.AllocsPerRun(100, func() {
				batch, err := s.Next()
				if err != nil {
					t.Fatal(err)
				}
				frames += len(batch)
			}); n != 0 {
				t.Errorf("%v allocations in a call of Next", n)
			}
			if frames < 20000 {
				t.Errorf("only %d frames", frames)
			}
		})
	}
}

// The end of a damaged source is its damage, also for those who select.
func TestDamageIsSeenByEachWorker(t *testing.T) {
	path := write(t, pcapBytes(classic{}, samples())[:100])
	var errs []error
	for worker := range 2 {
		s, err := OpenFile(path, FileOptions{Select: func(_ packet.LinkType, d []byte) bool { return len(d)%2 == worker }})
		if err != nil {
			t.Fatal(err)
		}
		_, err = drain(t, s)
		errs = append(errs, err)
		s.Close()
	}
	if !reflect.DeepEqual(errs[0], errs[1]) || damageOf(t, errs[0]).Frames != 3 {
		t.Error(errs)
	}
}
