package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trailhound/outputs/elasticsearch"
)

// testReplay takes a capture with the program itself to a node: every sequence
// number that its journal gave is a document, once, byte for byte what the
// program's own export of the journal shows.
func testReplay(t *testing.T, n *searchNode, namespace string, count int) {
	events, _ := dataStreams(elasticsearch.Keys{Namespace: namespace})
	program, dir := buildTrailhound(t), t.TempDir()
	capture, kept := filepath.Join(dir, "listed.pcap"), filepath.Join(dir, "journal")
	listedCapture(t, capture, count)
	for name, text := range map[string]string{
		"trails.csv": "trail,info,reference\nevil.example,lumma (malware),(static)\n",
		"config.yaml": fmt.Sprintf("state: %s\nsensor: {name: edge-1, labels: {site: berlin}}\noutputs:\n"+
			"  - {name: node, type: elasticsearch, addresses: [%q], namespace: %s, setup: true}\n", dir, n.URL, namespace),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(args ...string) (out, errs string) {
		t.Helper()
		var stdout, stderr bytes.Buffer
		cmd := exec.CommandContext(t.Context(), program, append(args, "-c", filepath.Join(dir, "config.yaml"))...)
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if err := cmd.Run(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, stderr.String())
		}
		return stdout.String(), stderr.String()
	}
	start := time.Now()
	_, said := run("replay", "--every", "--deliver", "--journal", kept, "--trails", filepath.Join(dir, "trails.csv"), "--whitelist", "none", capture)
	if want := fmt.Sprintf("node: %d delivered (acknowledged), 0 rejected, 0 filtered, 0 pending", count); !strings.Contains(said, want) {
		t.Errorf("it says %s, want %s", said, want)
	}
	t.Logf("%d events in %v", count, time.Since(start).Round(time.Millisecond))

	start = time.Now()
	exported, said := run("journal", "export", "--journal", kept, "--format", "json")
	if said != "" {
		t.Errorf("the export says %s", said)
	}
	left := map[string]string{}
	lines := bufio.NewScanner(strings.NewReader(exported))
	for lines.Buffer(nil, 1<<20); lines.Scan(); {
		var doc struct {
			Event struct {
				ID       string
				Sequence int
			}
		}
		if err := json.Unmarshal(lines.Bytes(), &doc); err != nil || doc.Event.Sequence != len(left)+1 || left[doc.Event.ID] != "" {
			t.Fatalf("%v: event %d of the journal is %s", err, len(left)+1, lines.Text())
		}
		// The namespace is the output's matter.
		left[doc.Event.ID] = strings.Replace(lines.Text(), `"namespace":"default"`, `"namespace":"`+namespace+`"`, 1)
	}
	if len(left) != count {
		t.Errorf("%d events in the journal of %d packets that raise one each", len(left), count)
	}
	documents, wrong := 0, 0
	n.each(events, func(d *stored) {
		documents++
		if left[d.ID] != string(d.Source) {
			if wrong++; wrong < 4 {
				t.Errorf("document %s is of no event, another than its event, or there twice:\n%s\n%s", d.ID, d.Source, left[d.ID])
			}
		}
		delete(left, d.ID)
	})
	if wrong > 0 || len(left) > 0 || documents != count {
		t.Errorf("%d documents, %d of them wrong, %d events are missing", documents, wrong, len(left))
	}
	n.hasNoOtherFields(events)
	t.Logf("compared in %v", time.Since(start).Round(time.Millisecond))
}
