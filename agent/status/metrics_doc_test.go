package status

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

var update = flag.Bool("update", false, "write the table of metrics")

// The manual lists every metric, with what its help says.
func TestMetricsAreDocumented(t *testing.T) {
	const page = "../../docs/running.md"
	const begin, end = "<!-- metrics: go test ./agent/status -run Documented -update -->\n", "<!-- end of metrics -->\n"
	var table strings.Builder
	table.WriteString("| metric | type | labels | meaning |\n| --- | --- | --- | --- |\n")
	for _, f := range families() {
		kind := "gauge"
		switch {
		case f.histogram != nil:
			kind = "histogram"
		case f.kind == prometheus.CounterValue:
			kind = "counter"
		}
		fmt.Fprintf(&table, "| `%s%s` | %s | %s | %s |\n", prefix, f.name, kind, strings.Join(f.labels, ", "), strings.TrimSuffix(f.help, "."))
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(text), begin)
	have, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the table of metrics", page)
	}
	if *update {
		if err := os.WriteFile(page, []byte(head+begin+table.String()+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if have != table.String() {
		t.Errorf("%s lists other metrics than there are: run the test with -update", page)
	}
}
