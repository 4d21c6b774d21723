package source

import (
	"bytes"
	"os"
	"regexp"
	"testing"

	"trailhound/trails"
)

func compiles(expression string) error {
	_, err := regexp.Compile(expression)
	return err
}

func TestRealTreeAndCSV(t *testing.T) {
	tree, csv := os.Getenv("TRAILHOUND_TREE"), os.Getenv("TRAILHOUND_CSV")
	if tree == "" || csv == "" {
		t.Skip("TRAILHOUND_TREE and TRAILHOUND_CSV do not name the reference's static tree and its merged CSV")
	}
	opt := Options{CheckPattern: compiles}
	fromTree := &counted{keys: map[string]uint32{}}
	r, err := Read(tree, fromTree, opt)
	t.Logf("tree: %d files, %d lines, %d trails, %d distinct, %d provenances, %d malformed, %v", r.Files, r.Lines, r.Trails, len(fromTree.keys), fromTree.provenances, r.Malformed, r.ByKind)
	for _, p := range r.Problems {
		t.Log(p)
	}
	if err != nil || r.Malformed > 100 {
		t.Fatal(err)
	}
	// The counts of the tree of August 2026 with its one custom address, less
	// 9 malformed lines, 4 names that end in a number and 22 impossible ports.
	if want := [trails.Kinds]int{0, 1371561, 25296, 285128, 1100, 169314, 27}; r.Lines == 2227973 && r.ByKind != want {
		t.Errorf("kinds %v, want %v", r.ByKind, want)
	}
	fromCSV := &counted{keys: map[string]uint32{}}
	r, err = Read(csv, fromCSV, opt)
	t.Logf("csv: %d lines, %d trails, %d distinct, %d provenances, %d malformed, %v", r.Lines, r.Trails, len(fromCSV.keys), fromCSV.provenances, r.Malformed, r.ByKind)
	for _, p := range r.Problems {
		t.Log(p)
	}
	if err != nil || r.Malformed > 100 {
		t.Fatal(err)
	}
	if want := [trails.Kinds]int{0, 1160113, 24715, 279344, 1092, 165508, 27}; r.Lines == 1630834 && r.ByKind != want {
		t.Errorf("kinds %v, want %v", r.ByKind, want)
	}
	distinct := func(c *counted) (n [trails.Kinds]int) {
		for k := range c.keys {
			n[k[0]]++
		}
		return n
	}
	t.Logf("distinct: tree %v, csv %v", distinct(fromTree), distinct(fromCSV))
	missing, other, shown := 0, 0, map[string]int{}
	for k, p := range fromCSV.keys {
		q, ok := fromTree.keys[k]
		switch {
		case !ok:
			if missing++; missing <= 20 {
				t.Logf("in the CSV only: %s", trails.Text(trails.Kind(k[0]), []byte(k[1:])))
			}
		case fromCSV.pairs[p] != fromTree.pairs[q]:
			other++
			shown[fromCSV.pairs[p]+" -> "+fromTree.pairs[q]]++
		}
	}
	if missing > 50 {
		t.Errorf("%d keys of the CSV are not in the tree", missing)
	}
	t.Logf("%d keys in the CSV only, %d with another info", missing, other)
	for s, n := range shown {
		if n > 20 {
			t.Log(n, s)
		}
	}
}

func BenchmarkReadCSV(b *testing.B) {
	csv := os.Getenv("TRAILHOUND_CSV")
	if csv == "" {
		b.Skip("TRAILHOUND_CSV does not name a merged CSV")
	}
	data, err := os.ReadFile(csv)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(data)))
	rows := 0
	for b.Loop() {
		r, err := ReadCSV(bytes.NewReader(data), "x.csv", &counted{}, Options{})
		if err != nil {
			b.Fatal(err)
		}
		rows += r.Lines
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(rows), "ns/row")
}

func BenchmarkReadTree(b *testing.B) {
	tree := os.Getenv("TRAILHOUND_TREE")
	if tree == "" {
		b.Skip("TRAILHOUND_TREE does not name a static tree")
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ReadTree(tree, &counted{}, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
