package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trailhound/agent/config"
)

// TestFilterThatFitsNothing: a filter that would let nothing pass is an error of
// the configuration, with its line.
func TestFilterThatFitsNothing(t *testing.T) {
	for filter, want := range map[string]string{
		`codes: [trail.*, dns.long]`:   "",
		`severity: low`:                "",
		`codes: [trail.*, "nosuch.*"]`: `.yaml:2:`,
		`codes: ["health.*"]`:          "see the key health",
		`severity: info`:               `.yaml:5:`,
	} {
		file := filepath.Join(t.TempDir(), "c.yaml")
		text := "outputs:\n  - name: x\n    type: csv\n    path: /tmp/x.csv\n    filter: {" + filter + "}\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := config.Load(config.Options{File: file, Explicit: true, Codes: codes(), OutputTypes: outputTypes()})
		if err == nil {
			err = checkOutputs(c)
		}
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", filter, err, want)
		}
	}
}
