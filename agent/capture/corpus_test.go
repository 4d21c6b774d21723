package capture

import (
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestForeignCaptures reads the captures of an IDS's test suite and compares
// the number of frames and the damage with what an independent reader found.
func TestForeignCaptures(t *testing.T) {
	shared := os.Getenv("TRAILHOUND_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "..", "..", "shared")
	}
	dir := filepath.Join(shared, "corpus", "captures")
	index, err := os.Open(filepath.Join(dir, "INDEX.csv"))
	if err != nil {
		t.Skipf("no shared captures (set TRAILHOUND_SHARED to where they are): %v", err)
	}
	defer index.Close()
	rows, err := csv.NewReader(index).ReadAll()
	if err != nil || len(rows) < 2 {
		t.Fatal(len(rows), err)
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	for _, row := range rows[1:] {
		name, state := row[column["file"]], row[column["state"]]
		want, err := strconv.Atoi(row[column["packets"]])
		if err != nil {
			t.Fatal(err)
		}
		link, _, _ := strings.Cut(row[column["link_type"]], " ")
		s, err := OpenFile(filepath.Join(dir, name), FileOptions{})
		if err != nil {
			t.Error(err)
			continue
		}
		frames, err := drain(t, s)
		s.Close()
		if len(frames) != want {
			t.Errorf("%s: %d frames, want %d", name, len(frames), want)
		}
		if len(frames) > 0 && strconv.Itoa(int(frames[0].Link)) != link {
			t.Errorf("%s: link type %d, want %s", name, frames[0].Link, link)
		}
		var d *DamageError
		if damaged := errors.As(err, &d); damaged != (state != "whole") || err != nil && !damaged {
			t.Errorf("%s: state %q, error %v", name, state, err)
		}
		if n, ok := strings.CutPrefix(state, "record length "); ok && d != nil && !strings.Contains(d.Problem, n) {
			t.Errorf("%s: state %q, error %v", name, state, err)
		}
	}
}
