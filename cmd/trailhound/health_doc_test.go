package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"trailhound/agent/event"
)

// TestHealthIsDocumented: every health event that anything in the program raises
// is in the manual, with when it is raised and what to do, and no other is.
func TestHealthIsDocumented(t *testing.T) {
	const page = "docs/running.md"
	text, err := os.ReadFile(filepath.Join("..", "..", page))
	if err != nil {
		t.Fatal(err)
	}
	documented := make(map[event.Code]bool)
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "| `health.") {
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		code := event.Code(strings.Trim(cells[0], " `"))
		if len(cells) != 3 || slices.ContainsFunc(cells, func(c string) bool { return strings.TrimSpace(c) == "" }) {
			t.Errorf("%s: %s is not documented with when and what to do", page, code)
		}
		if documented[code] {
			t.Errorf("%s: %s stands there twice", page, code)
		}
		documented[code] = true
	}
	raised := healthRaised(t)
	if len(raised) < 10 {
		t.Fatalf("only %v seem to be raised", raised)
	}
	for code := range raised {
		if !documented[code] {
			t.Errorf("%s does not know %s, which is raised", page, code)
		}
	}
	for code := range documented {
		if !raised[code] {
			t.Errorf("%s knows %s, which nothing raises", page, code)
		}
	}
	if codes := slices.Sorted(maps.Keys(documented)); slices.ContainsFunc(codes, func(c event.Code) bool { return !slices.Contains(event.HealthCodes(), c) }) {
		t.Errorf("%v: not all are codes", codes)
	}
}

// healthRaised finds the codes that the program names outside of the package
// that defines them and of the one that only shows them.
func healthRaised(t *testing.T) map[event.Code]bool {
	names := make(map[string]event.Code) // of the constants
	file := parse(t, filepath.Join("..", "..", "agent", "event", "health.go"))
	ast.Inspect(file, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok && len(v.Names) == 1 && len(v.Values) == 1 {
			if text, ok := v.Values[0].(*ast.BasicLit); ok && text.Kind == token.STRING {
				code, _ := strconv.Unquote(text.Value)
				names[v.Names[0].Name] = event.Code(code)
			}
		}
		return true
	})
	raised := make(map[event.Code]bool)
	for _, room := range []string{"agent", "cmd", "outputs"} {
		err := filepath.WalkDir(filepath.Join("..", "..", room), func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() && (d.Name() == "testdata" || strings.HasSuffix(path, "agent/event") || strings.HasSuffix(path, "agent/status")) {
				return filepath.SkipDir
			}
			if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return nil
			}
			ast.Inspect(parse(t, path), func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok {
					if from, ok := s.X.(*ast.Ident); ok && from.Name == "event" && strings.HasPrefix(string(names[s.Sel.Name]), "health.") {
						raised[names[s.Sel.Name]] = true
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return raised
}

func parse(t *testing.T, path string) *ast.File {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return file
}
