// Command trailhound is a network sensor that forwards what it finds to a
// SIEM. Each subcommand has a file of its own; this package is the only one
// that joins the sensor to the outputs.
package main

import (
	"context"
	"os"
)

func main() {
	os.Exit(execute(context.Background(), &streams{in: os.Stdin, out: os.Stdout, err: os.Stderr}, os.Args[1:]))
}
