package e2e

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"trailhound/agent/event"
	"trailhound/outputs"
	file "trailhound/outputs/csv"
)

// turnstile lets somebody else stand between two batches of an output.
type turnstile struct {
	outputs.Output
	mu    sync.Mutex
	after func() // called under mu when the next batch has been written
}

func (s *turnstile) Send(ctx context.Context, batch []event.Event) (outputs.Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer func() {
		if s.after != nil {
			s.after()
			s.after = nil
		}
	}()
	return s.Output.Send(ctx, batch)
}

// rowsOf reads a CSV file of this program and gives its rows without the header,
// which has to be there.
func rowsOf(t testing.TB, path string) (columns []string, rows [][]string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err = csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	if rows[0][0] != "time" {
		t.Fatalf("%s begins with %q", path, rows[0])
	}
	return rows[0], rows[1:]
}

// sameRow compares a row with what the event says.
func sameRow(t testing.TB, columns, row []string, e *event.Event) {
	t.Helper()
	port := func(n uint16) string {
		if n == 0 {
			return "-"
		}
		return strconv.Itoa(int(n))
	}
	src := sourceOf(e)
	for name, want := range map[string]string{"time": e.Time.Format("2006-01-02T15:04:05.000000Z"), "sensor": "edge-1", "src_ip": src, "src_port": port(e.SrcPort),
		"dst_ip": e.Dst.String(), "dst_port": port(e.DstPort), "protocol": e.Protocol, "type": string(e.Type), "trail": e.Trail, "info": e.Info,
		"reference": e.Reference, "confidence": strconv.Itoa(int(e.Confidence)), "code": string(e.Code), "event_id": event.IDString(e.ID)} {
		want = strings.Map(func(r rune) rune {
			if r == '\r' || r == '\n' || r == 0 {
				return -1
			}
			return r
		}, want)
		if at := slices.Index(columns, name); at < 0 || row[at] != want {
			t.Errorf("event %d: %s is %q, want %q", e.Seq, name, row, want)
		}
	}
}

// TestCSVUnderLogrotate: another program rotates the file while events come, in
// both ways that logrotate knows. Nothing is missing, and in the first way
// nothing comes twice. Copying and emptying a file loses what is written between
// the two; one batch there is the output's matter, more are logrotate's.
func TestCSVUnderLogrotate(t *testing.T) {
	for _, way := range []string{"rename", "copytruncate"} {
		t.Run(way, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "events.csv")
			opt := file.Defaults()
			opt.Path, opt.Daily, opt.MaxSize, opt.Identity, opt.Log = path, false, 4<<30, edge(), slog.New(slog.DiscardHandler)
			rows, err := file.New(opt)
			if err != nil {
				t.Fatal(err)
			}
			gate := &turnstile{Output: rows}
			l := newDeliveryLine(t, gate, outputs.Settings{Batch: 200})
			var old []string
			rotate := func() {
				to := fmt.Sprintf("%s.%d", path, len(old)+1)
				old = append(old, to)
				if way == "rename" {
					if err := os.Rename(path, to); err != nil && !errors.Is(err, os.ErrNotExist) {
						t.Error(err)
					}
					return
				}
				gate.mu.Lock()
				defer gate.mu.Unlock()
				if err := copyFile(path, to); err != nil {
					t.Error(err)
				}
				empty := func() {
					if err := os.Truncate(path, 0); err != nil {
						t.Error(err)
					}
				}
				if len(old)%2 == 0 {
					empty()
				} else {
					gate.after = empty
				}
			}
			for l.appended < enough() {
				l.feed(5000)
				rotate()
			}
			l.add(1) // the next one shows that the file was emptied
			l.end()
			seen := make(times)
			for _, p := range append(old, path) {
				if !exists(p) {
					continue
				}
				columns, rows := rowsOf(t, p)
				at := slices.Index(columns, "seq")
				for _, row := range rows {
					seq, err := strconv.ParseUint(row[at], 10, 64)
					if err != nil || seq == 0 {
						t.Fatalf("%q", row)
					}
					e := variedEvent(int(seq - 1))
					sameRow(t, columns, row, &e)
					if seen[seq]++; t.Failed() {
						return
					}
				}
			}
			twice := seen.check(t, l.appended)
			t.Logf("%d events, %d files, %d came twice, %d times repeated", l.appended, len(old)+1, twice, rows.Repeats())
			if (twice > 0) != (way == "copytruncate") || twice > 200*len(old) || int(rows.Repeats()) > len(old) {
				t.Errorf("%d of %d came twice in %d rotations", twice, l.appended, len(old))
			}
		})
	}
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
