package pattern

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// An oracle is what a Set must be equal to: one alternation of the standard
// library, in order.
type oracle struct {
	re     *regexp.Regexp
	groups []int // the group around each pattern
	index  []int
}

// newOracle is nil if the standard library cannot make one.
func newOracle(t testing.TB, patterns []string, problems []Problem, fold bool) *oracle {
	t.Helper()
	bad := map[int]bool{}
	for _, p := range problems {
		bad[p.Index] = true
	}
	o := &oracle{}
	var all []string
	group := 1
	for i, p := range patterns {
		if bad[i] {
			continue
		}
		text, backtracks, err := translate(p)
		if err != nil {
			t.Fatalf("%q was taken: %v", p, err)
		}
		one, err := regexp.Compile(text)
		if backtracks || err != nil {
			return nil
		}
		all = append(all, "("+text+")")
		o.groups = append(o.groups, group)
		o.index = append(o.index, i)
		group += 1 + one.NumSubexp()
	}
	flags := ""
	if fold {
		flags = "(?i)"
	}
	re, err := regexp.Compile(flags + strings.Join(all, "|"))
	if err != nil || len(all) == 0 {
		return nil
	}
	o.re = re
	return o
}

func (o *oracle) find(text []byte) (index, start, end int, ok bool) {
	at := o.re.FindSubmatchIndex(text)
	if at == nil {
		return 0, 0, 0, false
	}
	for i, g := range o.groups {
		if at[2*g] >= 0 {
			return o.index[i], at[0], at[1], true
		}
	}
	panic("a match without a group")
}

func (o *oracle) check(t *testing.T, s *Set, patterns []string, text string) {
	t.Helper()
	wi, ws, we, wok := o.find([]byte(text))
	i, from, to, ok := s.Find([]byte(text))
	if i != wi || from != ws || to != we || ok != wok {
		t.Fatalf("%q\n got %d %q [%d:%d] %v\nwant %d %q [%d:%d] %v", text,
			i, patterns[i], from, to, ok, wi, patterns[wi], ws, we, wok)
	}
}

func readLines(t testing.TB, path string) []string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			lines = append(lines, line)
		}
	}
	return lines
}

// agentLists gives the lists of the test data, and the real one if it is named.
func agentLists(t testing.TB) map[string][]string {
	t.Helper()
	lists := map[string][]string{}
	files := map[string]string{"testdata": "testdata/agents.txt"}
	if path := os.Getenv("TRAILHOUND_UA_FILE"); path != "" {
		files["real"] = path
	}
	for name, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		lists[name] = UserAgentPatterns(data)
	}
	return lists
}

func mustCompile(t testing.TB, patterns []string, fold bool) *Set {
	t.Helper()
	s, problems := Compile(patterns, Options{Fold: fold})
	for _, p := range problems {
		t.Fatal(p)
	}
	return s
}
