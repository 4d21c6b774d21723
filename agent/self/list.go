package self

// list holds flows in the order in which they came. It is under the registry's
// lock.
type list struct {
	root flow // newer: the first; older: the last
	n    int
}

func (l *list) init() { l.root.newer, l.root.older = &l.root, &l.root }

// first is the flow that came first. The list is not empty.
func (l *list) first() *flow { return l.root.newer }

// push appends a flow that is in no list.
func (l *list) push(f *flow) {
	f.list, f.older, f.newer = l, l.root.older, &l.root
	f.older.newer, f.newer.older = f, f
	l.n++
}

func (l *list) remove(f *flow) {
	f.older.newer, f.newer.older = f.newer, f.older
	f.list, f.older, f.newer = nil, nil, nil
	l.n--
}
