package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestDocumentedOutputs checks every YAML example of these documents as
// `config check` does, with the files it names made in a directory of the test.
func TestDocumentedOutputs(t *testing.T) {
	root := filepath.Join("..", "..")
	example := regexp.MustCompile("(?s)```yaml\n(.*?)```")
	dir := t.TempDir()
	for _, name := range []string{"ca.pem", "siem-ca.pem", "es-ca.pem", "logstash-ca.pem"} {
		writeTest(t, filepath.Join(dir, name), certificate(t))
	}
	writeTest(t, filepath.Join(dir, "elk.key"), "id:key\n")
	for document, want := range map[string]struct {
		examples int
		types    []string
	}{
		"README.md":       {4, []string{"syslog", "elasticsearch", "logstash"}},
		"docs/outputs.md": {1, []string{"csv", "syslog"}},
	} {
		text, err := os.ReadFile(filepath.Join(root, document))
		if err != nil {
			t.Fatal(err)
		}
		found := example.FindAllStringSubmatch(string(text), -1)
		if len(found) != want.examples {
			t.Errorf("%s has %d examples, want %d", document, len(found), want.examples)
		}
		var all strings.Builder
		for _, f := range found {
			all.WriteString(f[1])
			state := t.TempDir()
			writeTest(t, filepath.Join(state, "config.yaml"), strings.ReplaceAll(f[1], "/etc/trailhound/", dir+"/"))
			code, out, errs := trailsRun(t, state, "config", "check")
			if code != exitDone || errs != "" || !strings.Contains(out, "configuration is valid") {
				t.Errorf("%s: %d %s%s in\n%s", document, code, out, errs, f[1])
			}
		}
		for _, typ := range want.types {
			if !strings.Contains(all.String(), "type: "+typ+"\n") {
				t.Errorf("%s has no example of type %s", document, typ)
			}
		}
	}
}

// certificate makes one that signs itself, in PEM.
func certificate(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}
