package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"trailhound/agent/status"
)

// statusEvery is the time between two pages of --watch.
const statusEvery = 2 * time.Second

// statusFlags are the flags of status.
type statusFlags struct {
	address     string
	watch, json bool
	every       time.Duration
}

func (a *app) statusCommand() *cobra.Command {
	f := statusFlags{every: statusEvery}
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show what a running sensor is doing",
		Long: "Status asks the status endpoint of a running sensor, at status.listen of the configuration unless --address says\n" +
			"otherwise. Rates are those since the start of the sensor; with --watch those since the last page.\n\n" +
			"A configuration that is wrong is only warned of: the sensor may run on with the one before. It is asked at\n" +
			"status.listen as far as that can be read, else at the default address.\n\n" +
			"Exit codes: 0 the sensor is ready, 1 it is not or it does not answer, 64 for a wrong command line, 78 for a wrong --set.",
		Example: "  trailhound status\n" +
			"  trailhound status --watch\n" +
			"  trailhound status --json | jq .capture.interfaces\n" +
			"  trailhound status --address unix:/run/trailhound/status.sock",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.status(cmd.Context(), f) },
	}
	cmd.Flags().StringVar(&f.address, "address", "", "where the sensor answers: address:port or unix:/path (`address`)")
	cmd.Flags().BoolVar(&f.watch, "watch", false, "show it anew every 2 seconds, until interrupted")
	cmd.Flags().BoolVar(&f.json, "json", false, "print the document as the sensor gives it")
	return cmd
}

func (a *app) status(ctx context.Context, f statusFlags) error {
	var warnings []string
	if f.address == "" {
		var err error
		if f.address, warnings, err = a.statusAddress(); err != nil {
			return err
		}
	}
	client, err := status.NewClient(f.address)
	if err != nil {
		a.warnOfConfig(warnings, f, nil)
		return usagef("%v", err)
	}
	now, raw, err := client.Status(ctx)
	a.warnOfConfig(warnings, f, now)
	if err != nil {
		return unreachable(err)
	}
	if err := a.showStatus(f, now, nil, raw); err != nil {
		return err
	}
	if f.watch {
		return a.watchStatus(ctx, f, client, now)
	}
	if !now.Ready {
		return errReported // the page says why
	}
	return nil
}

// watchStatus shows a page every now and then, until ctx ends or nobody reads
// it. A sensor that does not answer may be starting anew: it is asked again.
func (a *app) watchStatus(ctx context.Context, f statusFlags, client *status.Client, before *status.Snapshot) error {
	tick := time.NewTicker(f.every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		now, raw, err := client.Status(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			complain(a.err, errors.New(oneLine(err.Error())))
			before = nil
			continue
		}
		if err := a.showStatus(f, now, before, raw); err != nil {
			return err
		}
		before = now
	}
}

// clearScreen moves to the first column of the first line and erases the
// screen (ECMA-48 CUP and ED).
const clearScreen = "\x1b[H\x1b[2J"

// showStatus writes one page, at once.
func (a *app) showStatus(f statusFlags, now, before *status.Snapshot, raw []byte) error {
	_, tty := terminal(a.out)
	var b bytes.Buffer
	switch {
	case f.json && tty:
		b.WriteString(printable(raw))
	case f.json:
		b.Write(raw)
	default:
		if f.watch && tty {
			b.WriteString(clearScreen)
		} else if before != nil {
			b.WriteByte('\n')
		}
		p := statusPage{w: &b, now: now, before: before, colour: a.colour()}
		p.print()
	}
	_, err := a.out.Write(b.Bytes())
	return err
}

// printable is a JSON document without what moves the cursor. JSON's own
// syntax keeps the C0 controls out of it, not the others.
func printable(raw []byte) string {
	var indented bytes.Buffer
	if err := json.Indent(&indented, raw, "", "  "); err != nil {
		return oneLine(string(raw)) + "\n"
	}
	lines := strings.Split(strings.TrimRight(indented.String(), "\n"), "\n")
	for i, line := range lines {
		lines[i] = oneLine(line)
	}
	return strings.Join(lines, "\n") + "\n"
}

// unreachable adds to an error what may be the reason.
func unreachable(err error) error {
	hint := "is it running (systemctl status trailhound), and is that its status.listen? --address asks elsewhere"
	if errors.Is(err, fs.ErrPermission) {
		hint = "the socket is for the sensor's user and group only"
	}
	return fmt.Errorf("%s\n%s", oneLine(err.Error()), hint)
}
