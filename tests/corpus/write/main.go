// Write writes the project's own captures to a folder: at least one for each row
// of what the reference detects and for each limit of the reference that a
// capture can show, with the trails that it needs and the events that must come
// of it.
//
//	go run ./tests/corpus/write DIR
package main

import (
	"fmt"
	"os"

	"trailhound/tests/corpus"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go run ./tests/corpus/write DIR")
		os.Exit(64)
	}
	if err := corpus.Write(os.Args[1], append(corpus.Rows(), corpus.Limits()...)); err != nil {
		fmt.Fprintf(os.Stderr, "cannot write the captures: %v\n", err)
		os.Exit(1)
	}
}
