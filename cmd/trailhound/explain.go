package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"

	"github.com/spf13/cobra"

	"trailhound/agent"
	"trailhound/agent/capture"
	"trailhound/agent/detect"
	"trailhound/agent/heuristic"
	"trailhound/agent/suppress"
)

// explainFlags are the flags of explain.
type explainFlags struct {
	packet    uint64
	trails    []string
	whitelist []string
	json      bool
}

func (a *app) explainCommand() *cobra.Command {
	var f explainFlags
	cmd := &cobra.Command{
		Use:   "explain CAPTURE... -p NUMBER",
		Short: "Say what was decoded, looked up, matched and suppressed for one packet of a capture",
		Long: "Explain replays a capture up to a packet, so that caches, windows of heuristics and aggregates are what they were, and\n" +
			"says what the sensor makes of that packet: what it decoded and read, each look-up with its result, what held an event\n" +
			"back, the events and what the gate did with each, and what the packet counts for in which heuristic. Packets are\n" +
			"numbered from 1, as in tcpdump and Wireshark. Several captures are one stream; the packet is one of the last.\n\n" +
			"Exit codes: 0 done, whatever came of the packet; 1 there is no such packet, or the capture cannot be read so far;\n" +
			"64 wrong usage; 78 the configuration is wrong.",
		Example: "  trailhound explain capture.pcap -p 17\n" +
			"  trailhound explain --trails trails.csv --json capture.pcap.gz -p 17",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("no capture is named")
			}
			if f.packet == 0 {
				return usagef("no packet is named: its number, from 1, follows -p")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt)
			defer stop()
			context.AfterFunc(ctx, stop) // as in replay
			return a.explain(ctx, f, args)
		},
	}
	cmd.Flags().Uint64VarP(&f.packet, "packet", "p", 0, "`number` of the packet in the capture, from 1")
	trailsFlag(cmd, &f.trails)
	whitelistFlag(cmd, &f.whitelist)
	cmd.Flags().BoolVar(&f.json, "json", false, "print one JSON object")
	return cmd
}

func (a *app) explain(ctx context.Context, f explainFlags, files []string) error {
	c, err := a.load()
	if err != nil {
		return err
	}
	t, what, err := a.openTrails(c, f.trails)
	if err != nil {
		return err
	}
	defer t.Close()
	white, err := a.openWhitelist(c, f.whitelist)
	if err != nil {
		return err
	}
	held, err := a.openSuppressionOf(c)
	if err != nil {
		return err
	}
	rules := detect.NewRules(t, white, detectOptions(c))
	r := &agent.Replay{
		Files: files, Stdin: a.in, Snaplen: int(c.Capture.Snaplen), Rules: rules, Board: heuristic.NewBoard(rules.Board()),
		Gate:     suppress.New(gateOptions(c, held, white, c.Suppress.Aggregate)),
		Fallback: func(fault error) *detect.Rules { return fallbackRules(c, white) },
	}
	x, err := r.Explain(ctx, f.packet)
	if err != nil {
		if damage := new(capture.DamageError); errors.As(err, &damage) {
			err = fmt.Errorf("packet %d is not reached: %w", f.packet, err)
		}
		return err
	}
	out := bufio.NewWriter(a.out)
	form := explainedOf(x, files[len(files)-1], white)
	if f.json {
		e := json.NewEncoder(out)
		e.SetEscapeHTML(false) // URLs are to be read
		err = e.Encode(form)
	} else {
		printExplained(out, form, what)
	}
	if flushErr := out.Flush(); err == nil {
		err = flushErr
	}
	for _, d := range x.Damaged {
		complain(a.err, d)
	}
	if err == nil && len(x.Damaged) > 0 {
		err = errReported
	}
	if x.Fault != nil {
		complain(a.err, fmt.Errorf("%w; the rest was matched against the starter set", x.Fault))
		if err == nil {
			err = errReported
		}
	}
	return err
}
