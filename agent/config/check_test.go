package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Whatever is wrong is said in one run: what the types say, the checks of this
// package, and those of others. What follows from another problem is not.
func TestCheckTogetherWithAllElse(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.yaml")
	text := "captur: 1\nlog: {level: loud}\ndetection: {disable: [nothing.such]}\noutputs:\n- {name: a, type: kafka}\n- {name: b, type: csv, batch: x}\n- {name: c, type: csv, key: '${env:NONE}'}\n"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	plain := errors.New("no place of its own")
	var whole []bool
	c, err := Load(Options{File: file, Explicit: true, Codes: []string{"dns.long"}, OutputTypes: []string{"csv"}, Check: func(c *Config) error {
		for i := range c.Outputs {
			whole = append(whole, c.Outputs[i].Whole())
		}
		return errors.Join(c.ErrorAt("log.format", "own"), c.ErrorAt("log.level", "a consequence"), &Error{Key: "outputs.b", Problem: "of the type"},
			errors.Join(&Error{Key: "outputs.b.batch.x", Problem: "a consequence"}), plain)
	}})
	if c != nil || err == nil {
		t.Fatal(c, err)
	}
	for _, want := range []string{"captur: unknown key", `log.level: "loud"`, "detection.disable[0]: ", `outputs.a.type: "kafka" is not an output type, there are csv`,
		`outputs.b.batch: "x"`, "outputs.c.key: ", "log.format: own", "outputs.b: of the type"} {
		if strings.Count(err.Error(), want) != 1 {
			t.Errorf("no %q, or twice, in\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "consequence") || !errors.Is(err, plain) || strings.Count(err.Error(), "\n") != 8 {
		t.Errorf("%v", err)
	}
	if len(whole) != 3 || !whole[0] || !whole[1] || whole[2] {
		t.Errorf("whole: %v", whole)
	}
	one := &Error{Key: "log.level", Problem: "alone"}
	if _, err := Load(Options{Check: func(*Config) error { return one }}); err != error(one) {
		t.Errorf("%T %v", err, err)
	}
}

// A part that could not be read is not said to be missing as well.
func TestNoConsequences(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.yaml")
	for _, text := range []string{"capture: {interfaces: {a: b}, silence: {eth0: 1m}}\n", "outputs:\n- {name: a}\n", "trails: {update: {from: [a]}}\n"} {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(Options{File: file, Explicit: true, OutputTypes: []string{"csv"}}); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
