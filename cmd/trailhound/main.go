// Command trailhound is a network sensor that forwards what it finds to a
// SIEM. Each subcommand has a file of its own; this package is the only one
// that joins the sensor to the outputs.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the program at once: the first one waits for a read
	// from a terminal or a pipe, which may never return.
	context.AfterFunc(ctx, stop)
	code := execute(ctx, &streams{in: os.Stdin, out: os.Stdout, err: os.Stderr}, os.Args[1:])
	stop()
	os.Exit(code)
}
