package pattern

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestUserAgentPatterns(t *testing.T) {
	list := "# a comment\n\n  masscan \r\nMozilla/4.0 (compatible; RMS)\n" +
		"(?i)a|(?i)b\n\\Aagent\\Z\na(b\n\t# another\nlast"
	want := []string{"masscan", `Mozilla/4\.0 \(compatible; RMS\)`, `\(\?i\)a\|\(\?i\)b`, `\Aagent\Z`, `a\(b`, "last"}
	got := UserAgentPatterns([]byte(list))
	if !slices.Equal(got, want) {
		t.Fatalf("%q, want %q", got, want)
	}
	mustCompile(t, got, true)
}

// TestRealList holds the counts of D 12.6 against the reference's own list.
func TestRealList(t *testing.T) {
	path := os.Getenv("TRAILHOUND_UA_FILE")
	if path == "" {
		t.Skip("TRAILHOUND_UA_FILE does not name the reference's list of user agents")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := readLines(t, path)
	got := UserAgentPatterns(data)
	if len(got) != len(lines) {
		t.Fatalf("%d patterns of %d lines", len(got), len(lines))
	}
	byRule, byError := 0, 0
	for i, line := range lines {
		switch {
		case strings.Contains(line, " (compatible"):
			byRule++
		case got[i] != line && got[i] == regexp.QuoteMeta(line):
			byError++
		}
	}
	if byRule != 18 || byError != 1 {
		t.Errorf("%d lines are literal by rule, %d by error, want 18 and 1", byRule, byError)
	}
	s := mustCompile(t, got, true)
	for _, text := range background[:14] {
		if i, start, end, ok := s.Find([]byte(text)); ok {
			t.Logf("%s: %q matches %q", text, got[i], text[start:end])
		}
	}
}
