package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"trailhound/agent"
	"trailhound/agent/config"
	"trailhound/agent/detect"
	"trailhound/agent/event"
	"trailhound/agent/heuristic"
	"trailhound/agent/suppress"
	"trailhound/outputs/format"
	"trailhound/trails/starter"
	"trailhound/trails/table"
	"trailhound/trails/whitelist"
)

// replayFlags are the flags of replay.
type replayFlags struct {
	trails    []string
	whitelist []string
	every     bool
	format    string
	output    string
	quiet     bool
	deliver   deliverFlags
}

func (a *app) replayCommand() *cobra.Command {
	var f replayFlags
	cmd := &cobra.Command{
		Use:   "replay CAPTURE...",
		Short: "Detect in capture files: events to standard output, a summary to standard error",
		Long: "Replay reads captures (pcap, pcapng; plain, gzip or zstd; - for standard input) and prints what the\n" +
			"sensor would have raised. Several captures are one stream. The exit code is 1 when one of them is damaged\n" +
			"or cannot be read; everything readable is processed all the same.\n\n" +
			"Events say whether they got through, as far as the capture shows it (suppress.outcomes). Of standard input, which may\n" +
			"be live, each is printed at once, and one of count 0 behind it says so, as the sensor does and as --deliver sends them.\n\n" +
			"With --deliver the events go through a journal to the configured outputs instead, as fast as these take them, and\n" +
			"the exit code is 1 also when something was refused, or not taken within --wait: then the journal stays, and its\n" +
			"directory is named. Events of a replay have the same ids each time, so Elasticsearch keeps one of each.",
		Example: "  trailhound replay capture.pcap\n" +
			"  trailhound replay --trails trails.csv --every --format json capture.pcap.gz\n" +
			"  trailhound replay --deliver --to siem capture.pcap\n" +
			"  tcpdump -w - -i eth0 -c 1000 | trailhound replay -",
		Args: func(cmd *cobra.Command, args []string) error {
			if err := f.deliver.check(cmd); err != nil {
				return err
			}
			if len(args) == 0 && f.deliver.journal == "" { // else what waits in the journal is delivered
				return usagef("no capture is named")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			// A second signal ends the program at once: the first one waits for a
			// read from a terminal or a pipe, which may never return.
			context.AfterFunc(ctx, stop)
			return a.replay(ctx, f, args)
		},
	}
	cmd.Flags().StringArrayVar(&f.trails, "trails", nil, "trails to match: a compiled table, a merged CSV, a directory or a plain list (`path`, repeatable; replaces the configured ones)")
	cmd.Flags().StringArrayVar(&f.whitelist, "whitelist", nil, "whitelist `file` (repeatable; replaces the configured ones; none: no whitelist)")
	cmd.Flags().BoolVar(&f.every, "every", false, "show every event by itself instead of folding repeats")
	cmd.Flags().StringVar(&f.format, "format", "", "`format` of the events: "+strings.Join(format.Names(), ", ")+" (default table on a terminal, else csv)")
	cmd.Flags().StringVarP(&f.output, "output", "o", "", "write the events to `file` instead of standard output")
	cmd.Flags().BoolVarP(&f.quiet, "quiet", "q", false, "no summary")
	f.deliver.add(cmd)
	return cmd
}

func (a *app) replay(ctx context.Context, f replayFlags, files []string) error {
	if f.format != "" && !slices.Contains(format.Names(), f.format) {
		return usagef("unknown format %q: use one of %s", f.format, strings.Join(format.Names(), ", "))
	}
	c, err := a.load()
	if err != nil {
		return err
	}
	if err := f.deliver.checkDirectory(len(files) > 0); err != nil {
		return err
	}
	// Matching allocates nothing, so what the collector would need room for is
	// only the start; a small heap is worth more than a rare collection.
	debug.SetGCPercent(50)
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
	out, deliver, err := a.openDestination(ctx, c, f, t)
	if err != nil {
		return err
	}
	started := time.Now()
	rules := detect.NewRules(t, white, detectOptions(c))
	gate := gateOptions(c, held, white, aggregate(c, f))
	// Who reads a file has time: its events carry their outcome. A stream may be
	// live, and receivers get what the sensor would have sent them.
	gate.Hold = deliver == nil && !slices.Contains(files, "-")
	r := &agent.Replay{
		Files: files, Stdin: a.in, Workers: int(c.Capture.Workers), Snaplen: int(c.Capture.Snaplen),
		Rules: rules, Board: heuristic.NewBoard(rules.Board()),
		Gate: suppress.New(gate),
		Sink: out.take,
	}
	r.Fallback = func(fault error) *detect.Rules { return fallbackRules(c, white) }
	for _, p := range r.Rules.Unusable {
		a.warn("trail is no usable expression: %v", p)
	}
	sum, err := r.Run(ctx)
	took := time.Since(started)
	if closeErr := out.close(err == nil); err == nil {
		err = closeErr
	}
	// When the events could not be written, that alone is said: the sums would
	// be those of a run that was broken off.
	if !f.quiet && (err == nil || errors.Is(err, context.Canceled)) {
		a.printSummary(sum, r.Gate.Counts(), what, took)
	}
	if deliver != nil {
		if undelivered := deliver.report(f.quiet); undelivered != nil {
			complain(a.err, undelivered)
			if err == nil {
				err = errReported
			}
		}
	}
	if n := sum.Undecoded(); n > 0 && n == sum.Packets {
		a.warn("nothing could be decoded: %s passed by%s", count(n, "packet"), passedBy(&sum.Traffic))
	}
	for _, d := range sum.Damaged {
		complain(a.err, d)
	}
	if sum.Fault != nil {
		complain(a.err, fmt.Errorf("%w; the rest was matched against the starter set", sum.Fault))
	}
	if err == nil && (len(sum.Damaged) > 0 || sum.Fault != nil) {
		err = errReported
	}
	return err
}

// destination is where a replay's events go. Close is told whether all of them
// came.
type destination interface {
	take(event.Event) error
	close(good bool) error
}

// openDestination opens what the flags name. The deliverer is nil when the
// events are written only.
func (a *app) openDestination(ctx context.Context, c *config.Config, f replayFlags, t *table.Table) (destination, *deliverer, error) {
	if f.deliver.on {
		d, err := a.openDeliverer(ctx, c, f, t)
		return d, d, err
	}
	w, err := a.openEvents(c, f)
	return w, nil, err
}

// gateOptions are those of a replay's gate.
func gateOptions(c *config.Config, held *suppression, white *whitelist.List, window time.Duration) suppress.Options {
	return suppress.Options{Ignore: held.ignore, Rules: held.rules, Whitelisted: white.Addr,
		Window: window, Inbound: c.Suppress.Inbound, Outcomes: c.Suppress.Outcomes, FollowUps: followUps(c)}
}

// aggregate is the window of the gate.
func aggregate(c *config.Config, f replayFlags) time.Duration {
	if f.every {
		return 0
	}
	return c.Suppress.Aggregate
}

// fallbackRules are those of the starter set, for when the trail table cannot
// be read any more.
func fallbackRules(c *config.Config, white *whitelist.List) *detect.Rules {
	t, err := starterTable()
	if err != nil {
		return nil
	}
	return detect.NewRules(t, white, detectOptions(c))
}

// detectOptions takes from the configuration what detection needs. Own are the
// addresses of the host, where it is its traffic that is looked at.
func detectOptions(c *config.Config, own ...netip.Addr) detect.Options {
	disabled := make(map[event.Code]bool)
	for _, code := range c.Detection.Disable {
		disabled[event.Code(code)] = true
	}
	return detect.Options{
		Heuristics: c.Detection.Heuristics, HostDomains: c.Detection.HostDomains, MissingHost: c.Detection.MissingHost,
		Redact: c.Event.Redact, Disabled: disabled, Home: event.NewHome(c.Detection.HomeNetworks, own), UserAgents: starter.UserAgents(),
		Roles: roles(c), Thresholds: byCode(c.Detection.Thresholds), Windows: byCode(c.Detection.Windows), Memory: int(c.Detection.Memory),
	}
}

// roles are the hosts that trip some heuristics by nature.
func roles(c *config.Config) *event.Roles {
	r := &c.Detection.Roles
	return event.NewRoles(map[event.Role][]netip.Prefix{
		event.Resolver: r.Resolver, event.Scanner: r.Scanner, event.Proxy: r.Proxy, event.Mail: r.Mail, event.NAT: r.NAT,
	})
}

func byCode[V any](m map[string]V) map[event.Code]V {
	to := make(map[event.Code]V, len(m))
	for code, v := range m {
		to[event.Code(code)] = v
	}
	return to
}

// identity says who speaks in the events.
func identity(c *config.Config) *event.Identity {
	host, _ := os.Hostname()
	id := &event.Identity{Name: c.Sensor.Name, Hostname: host, Version: version, Labels: c.Sensor.Labels}
	if id.Name == "" {
		id.Name = host
	}
	return id
}
