package filter

import "sync"

// A Compiler is New with a memory for one expression: what has compiled once
// needs no tcpdump again, which a reload may find removed. The zero value is
// ready. Any number of goroutines may use it.
type Compiler struct {
	Options Options // not changed once Compile has been called

	mu   sync.Mutex
	last *Filter // the last one that compiled; nil: none
}

// Compile is New, or the Filter of the last expression that compiled if this is
// the same.
func (c *Compiler) Compile(expression string) (*Filter, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last != nil && c.last.expression == expression {
		return c.last, nil
	}
	f, err := New(expression, c.Options)
	if err != nil {
		return nil, err
	}
	c.last = f
	return f, nil
}
