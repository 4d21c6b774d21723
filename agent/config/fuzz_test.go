package config

import (
	"errors"
	"io"
	"strings"
	"testing"

	"trailhound"
)

// loadBytes loads one file from memory.
func loadBytes(data []byte, opt Options) (*Config, error) {
	var errs problems
	left := maxValues
	tree := parse("config.yaml", data, &left, &errs)
	if err := errs.err(); err != nil {
		return nil, err
	}
	return build([]layer{{tree: tree}}, opt)
}

// FuzzLoad: any bytes give a configuration that can be shown, loaded from what is
// shown, and compared, or errors with a file; never a panic.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(trailhound.ConfigYAML), "")
	f.Add([]byte(secretFile), "outputs.elk.x.y=1")
	for _, s := range []string{
		"capture:\n  workrs: 3\n", "a: &a [*a]", "x: &a {<<: *a}", "<<: [1]", "outputs: [{name: x, type: csv, <<: {a: 1}}]", "? ? a\n: b", "- - - -",
		"capture: {silence: {default: 5m, eth3: 12h}}", "state: '${env:X}${file:y}${'", "%TAG ! a:\n---\n!x y", "0: [:!00 \xef", "a: !!binary 0", "\"\\u0000\": 1",
		"outputs: [{name: x, type: csv, a: ! b, c: !!float 1}]", "#\n- #\n  #", "a: |\n  b\n\n", "journal: {fsync: 1h}", "!!map {a: !!seq [b]}", "{}: {}", "? \n: a",
	} {
		f.Add([]byte(s), "log.level=debug")
	}
	opt := Options{Getenv: func(name string) (string, bool) { return "v" + name, len(name) > 2 }, Codes: testCodes}
	f.Fuzz(func(t *testing.T, data []byte, arg string) {
		if len(data) > 1<<16 || strings.Contains(string(data), "file:") || strings.Contains(arg, "file:") {
			return // no reading of files here
		}
		var errs problems
		left := maxValues
		tree, over := parse("config.yaml", data, &left, &errs), setTree(arg, &left, &errs)
		again := append([]layer(nil), layer{tree: tree}, layer{tree: tree, dropIn: true}, layer{tree: over, dropIn: true})
		for _, layers := range [][]layer{again[:1], again} {
			c, err := build(layers, opt)
			if err != nil {
				checkErrors(t, err)
				continue
			}
			if err := c.Show(io.Discard, true); err != nil {
				t.Fatal(err)
			}
			if len(Changed(c, c)) != 0 {
				t.Fatal("a configuration differs from itself")
			}
			if text := c.String(); !strings.Contains(text, Mask) {
				shown, err := loadBytes([]byte(text), Options{})
				if err != nil {
					t.Fatalf("what is shown does not load: %v\n%s", err, text)
				}
				if again := shown.String(); again != text {
					t.Fatalf("shown\n%s\nthen\n%s", text, again)
				}
			}
			for i := range c.Outputs {
				var into struct {
					Address string            `key:"address" required:"yes"`
					Secret  Secret            `key:"api_key"`
					Size    Size              `key:"size" default:"1MiB" max:"2MiB"`
					More    map[string]string `key:"headers"`
				}
				c.Outputs[i].Decode(&into)
			}
			c.Unbuilt(func(string) bool { return false })
		}
		if err := errs.err(); err != nil {
			checkErrors(t, err)
		}
	})
}

func checkErrors(t *testing.T, err error) {
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("%T is no *Error", err)
	}
	if text := err.Error(); len(text) > 64<<10 || strings.Contains(text, "cannot be read (") {
		t.Fatalf("error %.300q", text)
	}
}

// Hostile files are refused before they cost much. The sizes are such that
// quadratic work would run into the test's time limit.
func TestHostileFiles(t *testing.T) {
	if testing.Short() {
		t.Skip("long inputs")
	}
	const size = 1 << 20
	for name, unit := range map[string]string{
		"lists": "- ", "flow lists": "[", "flow maps": "{a: ", "keys": "? ", "list entries": "- a\n", "anchors": "- &a a\n", "comments": "#\n", "blank": "\n", "text": "x", "quotes": "'", "tabs": "\t",
	} {
		data := []byte(strings.Repeat(unit, size/len(unit)))
		if _, err := loadBytes(data, Options{}); err == nil && name != "comments" && name != "blank" {
			t.Errorf("%s are accepted", name)
		}
	}
	var b strings.Builder
	b.WriteString("outputs: [{name: x, type: csv, k: {")
	for i := range 40_000 {
		b.WriteString("k")
		b.WriteString(strings.Repeat("0", i%7))
		b.WriteString(string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676%26)) + string(rune('a'+i/17576)) + ": 1, ")
	}
	b.WriteString("}}]")
	c, err := loadBytes([]byte(b.String()), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Show(io.Discard, true); err != nil {
		t.Fatal(err)
	}
}
