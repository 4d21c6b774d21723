package delivery

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trailhound/tests/receivers/elasticsearch"
	"trailhound/tests/receivers/node"
)

// stream is where the documents go.
const stream = "logs-trailhound.event-default"

// searchNode is a real Elasticsearch node whose templates are those of the
// program.
type searchNode struct {
	*testing.T
	*node.Node
}

// startNode gives nil and the reason when there cannot be one.
func (b *bench) startNode(t *testing.T) (*searchNode, error) {
	cache := os.Getenv(envCache)
	if !filepath.IsAbs(cache) {
		cache = ""
	}
	n, err := elasticsearch.Start(t.Context(), node.Options{Home: t.TempDir(), Cache: cache, Heap: "2g", Fast: true})
	if err != nil {
		return nil, err
	}
	t.Cleanup(n.Kill)
	b.must(t, "-c", b.configure(t, t.TempDir(), `type: elasticsearch, addresses: ["`+n.URL+`"]`), "setup", "elasticsearch", "--apply")
	return &searchNode{t, n}, nil
}

// ask sends a request and decodes the answer into one.
func (n *searchNode) ask(method, path string, answer any) (status int) {
	n.Helper()
	r, err := http.NewRequest(method, n.URL+path, nil)
	if err != nil {
		n.Fatal(err)
	}
	client := http.Client{Timeout: 2 * time.Minute}
	got, err := client.Do(r)
	if err != nil {
		n.Fatalf("%v\n%s", err, n.Log())
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		n.Fatal(err)
	}
	if answer != nil && got.StatusCode == http.StatusOK {
		if err := json.Unmarshal(text, answer); err != nil {
			n.Fatalf("%s %s: %v: %s", method, path, err, text)
		}
	}
	return got.StatusCode
}

// empty removes the data stream, if it is there: the first document that comes
// makes it anew.
func (n *searchNode) empty() {
	n.Helper()
	if status := n.ask("DELETE", "/_data_stream/"+stream, nil); status != http.StatusOK && status != http.StatusNotFound {
		n.Fatalf("cannot remove the data stream: %d", status)
	}
}

// indexed is how many documents the node has taken, whether or not a search
// would find them yet.
func (n *searchNode) indexed() int {
	n.Helper()
	var told struct {
		All struct {
			Primaries struct{ Indexing struct{ Index_total int } }
		} `json:"_all"`
	}
	if status := n.ask("GET", "/"+stream+"/_stats/indexing", &told); status != http.StatusOK && status != http.StatusNotFound {
		n.Fatalf("the node does not tell its counts: %d", status)
	}
	return told.All.Primaries.Indexing.Index_total
}

// holds checks that a search finds exactly so many documents.
func (n *searchNode) holds(want int) {
	n.Helper()
	n.ask("POST", "/"+stream+"/_refresh", nil)
	var told struct{ Count int }
	if n.ask("GET", "/"+stream+"/_count", &told); told.Count != want {
		n.Fatalf("%d documents are there, %d were sent", told.Count, want)
	}
}

// output is the configuration of the program's output to the node.
func (n *searchNode) output(more ...string) string {
	return `type: elasticsearch, addresses: ["` + n.URL + `"], ` + strings.Join(more, ", ")
}
