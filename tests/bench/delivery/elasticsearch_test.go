package delivery

import "testing"

// TestElasticsearch brings the same events to one real node in several ways,
// each of them some times and in turn, so that what else the machine does hits
// all of them alike. The index is new for each run.
func TestElasticsearch(t *testing.T) {
	b := newBench(t)
	b.generate(t)
	journal := b.journalOf(t)
	n, err := b.startNode(t)
	if err != nil {
		t.Skipf("not measured: %v", err)
	}
	detect := &row{name: "trailhound replay, nothing delivered"}
	type way struct {
		*row
		run func() cost
	}
	timed := func(run func() cost) func() cost {
		return func() cost {
			c := run()
			n.holds(b.events)
			return c
		}
	}
	ways := []way{
		{detect, func() cost { return b.detect(t) }},
		{&row{name: "trailhound, from its journal"}, timed(func() cost { return b.deliver(t, journal, n.output("gzip: 0")) })},
		{&row{name: "trailhound, from its journal, gzip 1"}, timed(func() cost { return b.deliver(t, journal, n.output("gzip: 1")) })},
		{&row{name: "trailhound replay --deliver", base: detect}, timed(func() cost { return b.replay(t, n.output("gzip: 0")) })},
	}
	var rows []*row
	for _, w := range ways {
		rows = append(rows, w.row)
	}
	if err := missing("omelasticsearch", "rsyslog-elasticsearch"); err != nil {
		rows = append(rows, &row{name: "rsyslog omelasticsearch", why: err.Error()})
	} else {
		documents := b.documents(t, journal)
		read := &row{name: "rsyslog imfile, nothing delivered"}
		bulk := way{&row{name: "rsyslog omelasticsearch, batches of 4,000", base: read}, timed(func() cost { return b.bulk(n, documents) })}
		zipped := way{&row{name: "rsyslog omelasticsearch, compress", base: read}, timed(func() cost { return b.bulk(n, documents, `compress="on"`) })}
		ways = append(ways, way{read, func() cost { return b.read(t, documents) }}, bulk, zipped)
		rows = append(rows, read, bulk.row, zipped.row)
	}
	b.deliver(t, journal, n.output("gzip: 0")) // the node is warm afterwards
	for range b.rounds {
		for _, w := range ways {
			n.empty()
			w.add(t, w.run())
		}
	}
	b.print("Into one Elasticsearch node", rows)
}
