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
		ID       string
		Code     string
		Sequence uint64
	}
	Trailhound struct {
		Health struct {
			Cause    string // the output
			Measures settledRange
		}
	}
}

// gaps is the query of docs/journal.md for one output: it finds, from documents
// that arrived and nothing else, the ranges of numbers in which something is
// missing or of which no heartbeat tells, and how far the heartbeats reach.
func gaps(docs []arrivedDocument, output string) (missing []settledRange, through uint64) {
	arrived := make(map[uint64]bool)
	var beats []settledRange
	for i := range docs {
		beat := docs[i].Event.Code == string(event.HealthHeartbeat)
		if beat && docs[i].Trailhound.Health.Cause != output {
			continue
		}
		arrived[docs[i].Event.Sequence] = true
		if beat {
			beats = append(beats, docs[i].Trailhound.Health.Measures)
		}
	}
	for _, b := range beats {
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
// when the sensor was started again between two heartbeats, and when two outputs
// lead to one index.
func TestHeartbeatsShowWhatIsMissing(t *testing.T) {
	dir := t.TempDir()
	least := map[string]event.Severity{"all": event.Info, "medium": event.Medium}
	names := []string{"all", "medium"}
	states := map[string]journal.CursorState{}
	for life := range 4 {
		j := journal.Open(journal.Options{Path: filepath.Join(dir, "journal"), MaxSize: 16 << 20, MinFree: -1})
		var loops []*outputs.Delivery
		for _, name := range names {
			opt := file.Defaults()
			opt.Path, opt.Format = filepath.Join(dir, name+".json"), "json"
			out, err := file.New(opt)
			if err != nil {
				t.Fatal(err)
			}
			loops = append(loops, deliveryLoop(t, j, name, out, outputs.Settings{Batch: 7, Filter: outputs.Filter{Severity: least[name]}}))
		}
		for beat := range 5 {
			batch := deliveryEvents(30 + beat)
			for i := range batch {
				if i%3 == 0 {
					batch[i].Severity = event.Low // the filter of one output keeps it here
				}
			}
			j.Append(append(batch, event.NewHealth(time.Now(), event.HealthHeartbeat, "alive", event.HealthFacts{State: event.Metric})))
		}
		j.Append(deliveryEvents(10 * life)) // behind the last heartbeat of this life
		j.End()
		for i, d := range loops {
			d.Run(t.Context())
			states[names[i]] = d.State()
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
	// The index has one document of an id.
	var docs []arrivedDocument
	known := map[string]bool{}
	for _, name := range names {
		lines := 0
		f, err := os.Open(filepath.Join(dir, name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for scan := bufio.NewScanner(f); scan.Scan(); lines++ {
			var doc arrivedDocument
			if err := json.Unmarshal(scan.Bytes(), &doc); err != nil {
				t.Fatalf("%v: %s", err, scan.Bytes())
			}
			if !known[doc.Event.ID] {
				docs = append(docs, doc)
			}
			known[doc.Event.ID] = true
		}
		if lines != int(states[name].Delivered) {
			t.Errorf("%s has %d documents of %+v", name, lines, states[name])
		}
	}
	slices.SortStableFunc(docs, func(a, b arrivedDocument) int { return int(a.Event.Sequence) - int(b.Event.Sequence) })
	reach := uint64(0)
	for _, name := range names {
		missing, through := gaps(docs, name)
		if len(missing) > 0 || through < states[name].LastSeq-60 || (states[name].Filtered == 0) != (name == "all") {
			t.Fatalf("%s: %d documents, %+v, through %d of %+v", name, len(docs), missing, through, states[name])
		}
		reach = through
	}
	for i := range docs {
		seq := docs[i].Event.Sequence
		if seq > reach {
			break // the next heartbeat tells of it
		}
		gone, found := slices.Delete(slices.Clone(docs), i, i+1), false
		for _, name := range names {
			missing, _ := gaps(gone, name)
			found = found || len(missing) > 0
		}
		if !found {
			t.Errorf("number %d is gone, and nobody knows", seq)
		}
	}
}
