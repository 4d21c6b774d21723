package config

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"

	"trailhound/agent/suppress"
)

var update = flag.Bool("update", false, "rewrite docs/configuration.md")

const referenceFile = "../../docs/configuration.md"

func TestReference(t *testing.T) {
	var b bytes.Buffer
	if err := WriteReference(&b, KeysOf("suppress.rules[]", suppress.Rule{})...); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(referenceFile, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(referenceFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, b.Bytes()) {
		t.Errorf("%s is not what the structs say: go test ./agent/config -run Reference -update", referenceFile)
	}
}

func TestKeysAreDocumented(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range Keys() {
		if seen[k.Path] {
			t.Errorf("%s is listed twice", k.Path)
		}
		seen[k.Path] = true
		if k.Doc == "" || strings.ContainsAny(k.Doc, "\n|") {
			t.Errorf("%s: help %q is not one line", k.Path, k.Doc)
		}
		if k.Type == "" {
			t.Errorf("%s has no type", k.Path)
		}
	}
	for _, path := range []string{"capture.interfaces[].alias", "detection.roles.nat", "outputs[].health", "trails.update.from", "state"} {
		if !seen[path] {
			t.Errorf("%s is missing", path)
		}
	}
}
