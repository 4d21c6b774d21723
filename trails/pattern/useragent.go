package pattern

import (
	"bytes"
	"regexp"
	"strings"
)

// UserAgentPatterns reads a list of user agents, one on a line; blank lines
// and those that start with "#" say nothing. What comes back is ready for
// Compile with Fold, and each of it compiles.
func UserAgentPatterns(list []byte) []string {
	var patterns []string
	for line := range bytes.Lines(list) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		patterns = append(patterns, UserAgentPattern(string(line)))
	}
	return patterns
}

// UserAgentPattern gives the pattern that one line of such a list means. Many
// are whole user agents in which the brackets are text: a line with
// " (compatible" is literal. Any other is a regular expression if it is one,
// else literal.
func UserAgentPattern(line string) string {
	if strings.Contains(line, " (compatible") {
		return regexp.QuoteMeta(line)
	}
	if _, err := parse(line, true); err != nil {
		return regexp.QuoteMeta(line)
	}
	return line
}
