package filter

import "trailhound/agent/packet"

// A graph is a program before it has an order: tests that lead to tests. A
// test's successors are made before it, so they have smaller numbers, there are
// no cycles, and counting down from the root meets every test before its
// successors.
type graph struct {
	nodes []node // the first two are the verdicts
	full  bool   // maxNodes were not enough
}

type node struct {
	test    test
	yes, no int
}

// The verdicts.
const (
	reject = iota
	accept
	verdicts
)

// maxNodes bounds the graph before simplification, which leaves out much of it.
const maxNodes = 1 << 16

func newGraph() *graph { return &graph{nodes: make([]node, verdicts)} }

// add makes a test that leads to yes or no.
func (g *graph) add(t test, yes, no int) int {
	if len(g.nodes) >= maxNodes {
		g.full = true
		return reject
	}
	g.nodes = append(g.nodes, node{t, yes, no})
	return len(g.nodes) - 1
}

// build makes the tests of a condition; the first of them is returned.
func (g *graph) build(c *cond, yes, no int) int {
	if g.full {
		return reject
	}
	switch c.op {
	case and:
		for i := len(c.kids) - 1; i >= 0; i-- {
			yes = g.build(c.kids[i], yes, no)
		}
		return yes
	case or:
		for i := len(c.kids) - 1; i >= 0; i-- {
			no = g.build(c.kids[i], yes, no)
		}
		return no
	case not:
		return g.build(c.kids[0], no, yes)
	}
	switch {
	case !c.fixed:
		return g.add(c.test, yes, no)
	case c.value:
		return yes
	}
	return no
}

// frames makes the tests of an expression for frames of a link type. An
// expression with vlan is built twice, once for frames whose outer tag the
// kernel has taken out: so every offset is a constant, and whatever the
// expression does with the tag, both are right.
func (g *graph) frames(tree *expr, link packet.LinkType) int {
	if tree == nil {
		return accept
	}
	root := g.build(tree.lower(view{link: link}), accept, reject)
	if link != packet.LinkEthernet || !tree.asksVLAN() {
		return root
	}
	taken := g.build(tree.lower(view{link: link, untagged: true}), accept, reject)
	present := load{from: ancillary, offset: adVLANTagPresent, size: 4}
	return g.add(test{load: present, op: equal, value: 0}, root, taken)
}
