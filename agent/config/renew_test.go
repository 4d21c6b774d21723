package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOutputRenew(t *testing.T) {
	dir := t.TempDir()
	key := filepath.Join(dir, "key")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(key, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("first-s3cret\n")
	file := filepath.Join(dir, "config.yaml")
	text := "outputs:\n- name: elk\n  type: x\n  api_key: \"id:${file:key}\"\n  tls: {pin: [\"${env:PIN}\", plain]}\n  user: ${cred:user}\n- {name: other, type: x, user: me}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	creds := t.TempDir()
	if err := os.WriteFile(filepath.Join(creds, "user"), []byte("root"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(Options{File: file, Credentials: creds, Getenv: func(string) (string, bool) { return "a pin", true }})
	if err != nil {
		t.Fatal(err)
	}
	hash := c.Hash()
	type keys struct {
		APIKey string `key:"api_key"`
		User   string `key:"user"`
		TLS    struct {
			Pin []string `key:"pin"`
		} `key:"tls"`
	}
	read := func(o *Output) string {
		t.Helper()
		var k keys
		if err := o.Decode(&k); err != nil {
			t.Fatal(err)
		}
		var byNode struct {
			APIKey string `yaml:"api_key"`
		}
		if err := o.Node.Decode(&byNode); err != nil || byNode.APIKey != k.APIKey {
			t.Errorf("the node has %q, %v", byNode.APIKey, err)
		}
		return fmt.Sprint(k.APIKey, " ", k.User, " ", k.TLS.Pin)
	}
	o := &c.Outputs[0]
	if same, changed, err := o.Renew(); same != o || changed || err != nil {
		t.Errorf("nothing has changed: %v %v", changed, err)
	}
	write("second-s3cret\n")
	next, changed, err := o.Renew()
	if err != nil || !changed {
		t.Fatal(changed, err)
	}
	if got := read(next); got != "id:second-s3cret root [a pin plain]" {
		t.Errorf("%q", got)
	}
	if got := read(o); got != "id:first-s3cret root [a pin plain]" {
		t.Errorf("the old one has become %q", got)
	}
	if c.Hash() != hash || next.Equal(o) || next.Name != "elk" {
		t.Error("the hash has changed, or the entries are the same")
	}
	write("third-s3cret")
	if third, changed, err := next.Renew(); err != nil || !changed || read(third) != "id:third-s3cret root [a pin plain]" {
		t.Error(changed, err)
	}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	same, changed, err := next.Renew()
	if same != next || changed || err == nil || !strings.Contains(err.Error(), "outputs.elk.api_key") || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("without the file: %v %v", changed, err)
	}
	if same, changed, err := c.Outputs[1].Renew(); same != &c.Outputs[1] || changed || err != nil {
		t.Errorf("no ${...}: %v %v", changed, err)
	}
	byHand := &Output{Name: "x"}
	if same, changed, err := byHand.Renew(); same != byHand || changed || err != nil {
		t.Errorf("made by hand: %v %v", changed, err)
	}
}
