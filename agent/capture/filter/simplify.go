package filter

const (
	// maxSteering bounds how many tests simplify looks at. Beyond it the program
	// is longer than it could be, but right.
	maxSteering = 1 << 20
	// maxRounds bounds how often what was left out is used to leave out more.
	maxRounds = 4
)

// simplify leaves out tests whose outcome is known on the way to them, and
// tests that do not matter. Most of what a filter asks has been asked before:
// each port wants to know once more whether the frame is IPv4. Tests to which
// no way leads any more stay in the graph; assemble passes over them.
func (g *graph) simplify(root int) {
	budget := maxSteering
	for range maxRounds {
		if !g.drop(root, g.lead(root, &budget)) {
			return
		}
	}
}

// lead leads every way past the tests whose outcome is known on it. It returns
// the tests whose load has been done before on all ways to them.
func (g *graph) lead(root int, budget *int) (loaded []bool) {
	known := make([]facts, root+1)
	reached := make([]bool, root+1)
	loaded = make([]bool, root+1)
	reached[root] = true
	for at := root; at >= verdicts; at-- {
		if !reached[at] {
			continue
		}
		n := &g.nodes[at]
		loaded[at] = known[at].about(n.test.load) != nil
		for _, outcome := range [...]bool{true, false} {
			next := &n.no
			if outcome {
				next = &n.yes
			}
			f := known[at].after(n.test, outcome)
			*next = g.steer(f, *next, budget)
			if *next < verdicts {
				continue
			}
			if reached[*next] {
				f = known[*next].meet(f)
			}
			known[*next], reached[*next] = f, true
		}
		known[at] = nil
	}
	return loaded
}

// steer goes on from a test for as long as outcomes are known.
func (g *graph) steer(f facts, at int, budget *int) int {
	for ; at >= verdicts && *budget > 0; *budget-- {
		value, ok := f.decides(g.nodes[at].test)
		if !ok {
			break
		}
		if value {
			at = g.nodes[at].yes
		} else {
			at = g.nodes[at].no
		}
	}
	return at
}

// drop leads past the tests that lead to one place whatever their outcome, and
// from tests that are there twice to one of them. It says whether there were
// any. Of the first kind only tests of what has been loaded before count: else
// the load itself, which fails on a short frame, would matter.
func (g *graph) drop(root int, loaded []bool) (dropped bool) {
	instead := make([]int, root+1)
	same := make(map[node]int)
	for at := range instead {
		instead[at] = at
		if at < verdicts {
			continue
		}
		n := &g.nodes[at]
		n.yes, n.no = instead[n.yes], instead[n.no]
		if n.yes == n.no && loaded[at] {
			instead[at], dropped = n.yes, true
		} else if first, ok := same[*n]; ok {
			instead[at], dropped = first, true
		} else {
			same[*n] = at
		}
	}
	return dropped
}
