package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"trailhound/agent/capture/device"
	"trailhound/agent/config"
)

// doctorFlags are the flags of doctor.
type doctorFlags struct {
	trails, whitelist []string
	json, verbose     bool
	watch             time.Duration
}

func (a *app) doctorCommand() *cobra.Command {
	var f doctorFlags
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check whether this host can do what the configuration asks for",
		Long: "Doctor looks at privileges, kernel, capture filter, home networks, interfaces and the traffic on them, offloads, memory, trails,\n" +
			"write access, clock and status endpoint. It changes nothing. One line each: OK; WARN, it works with a loss that\n" +
			"is named; FAIL, the sensor does not start or sees nothing; and behind an arrow what to do.\n\n" +
			"It looks as the user who runs it. The service has other rights: run it as root, which also checks the files for\n" +
			"the user " + serviceUser + ". Exit codes: 0 without a FAIL, 1 with one, 78 for a wrong configuration.",
		Example: "  trailhound doctor\n" +
			"  trailhound doctor --json | jq '.[] | select(.status != \"OK\")'\n" +
			"  trailhound doctor --verbose --set 'capture.interfaces=[eth1]' --set 'capture.filter=not port 9200'",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.watch < 0 || f.watch > time.Minute {
				return usagef("--watch %s is not within 0s and 1m", f.watch)
			}
			return a.doctor(cmd.Context(), f)
		},
	}
	trailsFlag(cmd, &f.trails)
	whitelistFlag(cmd, &f.whitelist)
	cmd.Flags().BoolVar(&f.json, "json", false, "print an array of {check, status, detail, action}")
	cmd.Flags().BoolVar(&f.verbose, "verbose", false, "show the program of the capture filter")
	cmd.Flags().DurationVar(&f.watch, "watch", 2*time.Second, "how long to look at the traffic; 0s: not at all (`duration`)")
	return cmd
}

func (a *app) doctor(ctx context.Context, f doctorFlags) error {
	c, err := a.load()
	if err != nil {
		return err
	}
	if _, _, err := a.captureOptions(c); err != nil {
		return err
	}
	findings := a.examine(ctx, c, f)
	if err := ctx.Err(); err != nil {
		return err
	}
	if f.json {
		err = printFindingsJSON(a.out, findings)
	} else {
		err = printFindings(a.out, findings, a.colour())
	}
	if err == nil && failed(findings) {
		err = errReported
	}
	return err
}

// examine gathers the facts, each from one place, and has the checks judge them.
func (a *app) examine(ctx context.Context, c *config.Config, f doctorFlags) (all []finding) {
	all = append(all, finding{"configuration", statusOK, "valid (" + a.inputs(c) + ")", ""})
	features := device.Probe()
	all = append(all, checkPrivileges(readPrivileges(), features.Socket))
	all = append(all, checkKernel(readKernel(), features)...)
	all = append(all, checkFilter(c, readFilter(c, f.verbose)))
	all = append(all, checkHome(c))

	devices, err := device.List()
	if err != nil {
		all = append(all, finding{"interfaces", statusFail, err.Error(), "allow netlink sockets (AF_NETLINK) to the process"})
	} else {
		ports, findings := choosePorts(c.Capture.Interfaces, devices)
		all = append(all, findings...)
		seen := observe(ctx, c, ports, f.watch)
		all = append(all, checkPorts(ports, seen)...)
		all = append(all, checkSnaplen(int64(c.Capture.Snaplen), ports, device.GetOffloads)...)
	}
	all = append(all, checkMemory(int64(c.Capture.RingTotal), readMemory("/")))
	all = append(all, a.checkTrails(c, f.trails))
	all = append(all, a.checkWhitelist(c, f.whitelist))
	who := whoRuns()
	all = append(all, checkPaths(writtenPaths(c), who)...)
	all = append(all, checkClock(readClock()))
	return append(all, checkEndpoint(ctx, c.Status.Listen, who))
}
