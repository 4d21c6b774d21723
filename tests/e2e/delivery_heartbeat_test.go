package e2e

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"trailhound/agent/event"
	"trailhound/outputs"
	file "trailhound/outputs/csv"
	"trailhound/outputs/journal"
)

// settledRange is what a heartbeat says at the receiver.
type settledRange struct {
	From      uint64 `json:"output_from_seq"`
	Through   uint64 `json:"output_through_seq"`
	Delivered uint64 `json:"output_delivered"`
}

// arrivedDocument is what the query reads of a document.
type arrivedDocument struct {
	Event struct {
		Code     string
		Sequence uint64
	}
	Trailhound struct {
		Health struct{ Measures settledRange }
	}
}

// gaps is the query of docs/journal.md: it finds, from documents that arrived and
// nothing else, the ranges of numbers in which something is missing or of which
// no heartbeat tells, and how far the heartbeats reach.
func gaps(docs []arrivedDocument) (missing []settledRange, through uint64) {
	arrived := make(map[uint64]bool)
	for i := range docs {
		arrived[docs[i].Event.Sequence] = true
	}
	for i := range docs {
		if docs[i].Event.Code != string(event.HealthHeartbeat) {
			continue
		}
		b := docs[i].Trailhound.Health.Measures
		if b.From > through+1 {
			missing = append(missing, settledRange{From: through + 1, Through: b.From - 1})
		}
		through = max(through, b.Through)
		n := uint64(0)
		for seq := b.From; seq <= b.Through; seq++ {
			if arrived[seq] {
				n++
			}
		}
		if n < b.Delivered {
			missing = append(missing, b)
		}
	}
	return missing, through
}

// TestHeartbeatsShowWhatIsMissing: an event that is taken away from what
// arrived is found by the sums of the heartbeats alone, a heartbeat too, and also
// when the sensor was started again between two heartbeats.
func TestHeartbeatsShowWhatIsMissing(t *testing.T) {
	dir := t.TempDir()
	opt := file.Defaults()
	opt.Path, opt.Format = filepath.Join(dir, "events.json"), "json"
	var s journal.CursorState
	for life := range 4 {
		j := journal.Open(journal.Options{Path: filepath.Join(dir, "journal"), MaxSize: 16 << 20, MinFree: -1})
		out, err := file.New(opt)
		if err != nil {
			t.Fatal(err)
		}
		d := deliveryLoop(t, j, "out", out, outputs.Settings{Batch: 7, Filter: outputs.Filter{Severity: event.Medium}})
		for beat := range 5 {
			batch := deliveryEvents(30 + beat)
			for i := range batch {
				if i%3 == 0 {
					batch[i].Severity = event.Low // the filter keeps it here
				}
			}
			j.Append(append(batch, event.NewHealth(time.Now(), event.HealthHeartbeat, "alive", event.HealthFacts{State: event.Metric})))
		}
		j.Append(deliveryEvents(10 * life)) // behind the last heartbeat of this life
		j.End()
		d.Run(t.Context())
		s = d.State()
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
	var docs []arrivedDocument
	f, err := os.Open(opt.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for scan := bufio.NewScanner(f); scan.Scan(); {
		var doc arrivedDocument
		if err := json.Unmarshal(scan.Bytes(), &doc); err != nil {
			t.Fatalf("%v: %s", err, scan.Bytes())
		}
		docs = append(docs, doc)
	}
	missing, through := gaps(docs)
	if len(missing) > 0 || through < s.LastSeq-60 || len(docs) != int(s.Delivered) || s.Filtered == 0 {
		t.Fatalf("%d documents, %+v, through %d of %+v", len(docs), missing, through, s)
	}
	for i := range docs {
		seq := docs[i].Event.Sequence
		if seq > through {
			break // the next heartbeat tells of it
		}
		if missing, _ := gaps(slices.Delete(slices.Clone(docs), i, i+1)); len(missing) == 0 {
			t.Errorf("number %d is gone, and nobody knows", seq)
		}
	}
}
