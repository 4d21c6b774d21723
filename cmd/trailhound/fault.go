package main

import (
	"fmt"
	"io"
)

// guardFaults makes a fault of mapped memory an error of the command: a trail
// table that is truncated while it is read is somebody's mistake, not a reason
// for a stack trace. It is for commands that read tables on this goroutine;
// replay's workers look after themselves. Call it deferred.
func guardFaults(w io.Writer, code *int) {
	v := recover()
	if v == nil {
		return
	}
	fault, ok := v.(interface {
		error
		Addr() uintptr
	})
	if !ok {
		panic(v)
	}
	complain(w, fmt.Errorf("a mapped file was cut off while it was read (fault at %#x)", fault.Addr()))
	*code = exitFailed
}
