package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"trailhound/agent/config"
)

// Exit codes (sysexits.h for 64, 77 and 78).
const (
	exitDone       = 0
	exitFailed     = 1
	exitUsage      = 64
	exitPrivilege  = 77
	exitConfig     = 78
	exitInterrupt  = 130
	hintUsage      = "run %q for the usage"
	programCommand = "trailhound"
)

// usageError is a wrong command line.
type usageError struct {
	err  error
	hint string
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// usagef makes a usageError.
func usagef(format string, args ...any) error {
	return &usageError{err: fmt.Errorf(format, args...)}
}

// named wants arguments that name a thing or more of a kind, or just one of it.
func named(kind string, one bool) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return usagef("no %s is named", kind)
		case one && len(args) > 1:
			return usagef("one %s is wanted, %d are named", kind, len(args))
		}
		return nil
	}
}

// errReported ends a command with exit code 1 when everything there is to say
// has been said.
var errReported = errors.New("failed")

// exitCode says what went wrong on w, one line a problem, and gives the code.
func exitCode(w io.Writer, err error) int {
	var usage *usageError
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errReported):
		return exitFailed
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(w, "trailhound: interrupted")
		return exitInterrupt
	case errors.As(err, new(*privilegeError)):
		complain(w, err)
		return exitPrivilege
	case errors.Is(err, syscall.EPIPE):
		return exitFailed // the reader has gone: nobody is there to be told
	case errors.As(err, &usage):
		complain(w, usage.err)
		if usage.hint != "" {
			fmt.Fprintln(w, usage.hint)
		}
		return exitUsage
	case isConfig(err):
		complain(w, err)
		return exitConfig
	}
	complain(w, err)
	return exitFailed
}

// complain writes an error, each line of it led by the program's name.
func complain(w io.Writer, err error) {
	for _, line := range strings.Split(strings.TrimRight(err.Error(), "\n"), "\n") {
		fmt.Fprintf(w, "trailhound: %s\n", line)
	}
}

// warn says what does not change the outcome: into the log of a service, else on
// standard error.
func (a *app) warn(format string, args ...any) {
	if a.log != nil {
		a.log.Warn(fmt.Sprintf(format, args...))
		return
	}
	fmt.Fprintf(a.err, "trailhound: warning: "+format+"\n", args...)
}

// isConfig says whether an error is about the configuration.
func isConfig(err error) bool {
	var one *config.Error
	return errors.As(err, &one)
}
