package elasticsearch

import (
	"bytes"

	"github.com/klauspost/compress/gzip"

	"trailhound/agent/event"
	"trailhound/outputs/format"
)

// A body is a bulk request in the making: for each event the line that says
// what to do and the line of its document. The buffers are used again.
type body struct {
	text []byte
	ends []int // where each event ends in text

	zip       *gzip.Writer // nil: not compressed
	zipped    bytes.Buffer
	documents [2]*format.ECS // of detections, of health events
	health    string         // how the action of a health event begins
}

const action = `{"create":{"_id":"`

func newBody(k *Keys, id *event.Identity) (*body, error) {
	b := &body{health: `{"create":{"_index":"` + k.stream(k.HealthDataset) + `","_id":"`}
	for i, dataset := range []string{k.Dataset, k.HealthDataset} {
		b.documents[i] = format.NewECS(id, format.ECSOptions{Dataset: dataset, Namespace: k.Namespace, NoEnrichments: !k.Enrichments})
	}
	if k.Gzip > 0 {
		var err error
		if b.zip, err = gzip.NewWriterLevel(&b.zipped, k.Gzip); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// fill takes events from the front of the batch until limit bytes are full, at
// least one, and says how many.
func (b *body) fill(batch []event.Event, limit int) int {
	b.text, b.ends = b.text[:0], b.ends[:0]
	for i := range batch {
		start := len(b.text)
		b.add(&batch[i])
		if len(b.text) > limit && i > 0 {
			b.text = b.text[:start]
			break
		}
		b.ends = append(b.ends, len(b.text))
	}
	return len(b.ends)
}

func (b *body) add(e *event.Event) {
	begin, doc := action, b.documents[0]
	if e.Code.IsHealth() {
		begin, doc = b.health, b.documents[1]
	}
	b.text = append(b.text, begin...)
	b.text = event.AppendID(b.text, e.ID)
	b.text = append(b.text, "\"}}\n"...)
	b.text = doc.Append(b.text, e)
	b.text = append(b.text, '\n')
}

// part gives the lines of the events from..to.
func (b *body) part(from, to int) []byte {
	start := 0
	if from > 0 {
		start = b.ends[from-1]
	}
	return b.text[start:b.ends[to-1]]
}

// compress gives text compressed, valid until the next call.
func (b *body) compress(text []byte) []byte {
	b.zipped.Reset()
	b.zip.Reset(&b.zipped)
	b.zip.Write(text) // a buffer takes everything
	b.zip.Close()
	return b.zipped.Bytes()
}
