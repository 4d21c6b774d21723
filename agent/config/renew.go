package config

import (
	"fmt"
	"path/filepath"
)

// Renew reads what ${...} brings into the type's own keys again, for a receiver
// that refuses credentials that were exchanged in their file. It gives the entry
// with the values of now, and whether one of them is another; o stays as it is.
// The error names the key and never holds a value. Any goroutine may call it.
func (o *Output) Renew() (renewed *Output, changed bool, err error) {
	if o.rest == nil || o.expand == nil { // made by hand, not loaded
		return o, false, nil
	}
	r := renewal{expand: o.expand, left: maxExpanded}
	rest := r.tree(o.rest, "outputs."+o.Name)
	if err := r.errs.err(); err != nil {
		return o, false, err
	}
	if !r.changed {
		return o, false, nil
	}
	next := *o
	next.rest, next.Node = rest, rest.yaml()
	return &next, true, nil
}

// renewal is one run over a tree.
type renewal struct {
	expand  *expander // its bound is of the load
	left    int       // bytes that may still come in
	changed bool
	errs    problems
}

// tree copies what is below n, with every scalar that holds ${...} expanded
// anew.
func (r *renewal) tree(n *node, path string) *node {
	copied := *n
	switch {
	case n.template != "":
		text, _, problem := r.expand.text(n.template, filepath.Dir(n.at.file))
		if r.left -= len(text); r.left < 0 {
			problem = fmt.Sprintf("all ${...} together bring in more than %d bytes", maxExpanded)
		}
		if problem != "" {
			r.errs.add(n.at, path, problem, "")
			return &copied
		}
		r.changed = r.changed || text != n.text
		copied.text = text
	case n.kind == mapping:
		copied.items = make([]*node, len(n.items))
		for i, item := range n.items {
			copied.items[i] = r.tree(item, join(path, n.keys[i].text))
		}
	case n.kind == list:
		copied.items = make([]*node, len(n.items))
		for i, item := range n.items {
			copied.items[i] = r.tree(item, element(path, i, item))
		}
	}
	return &copied
}
