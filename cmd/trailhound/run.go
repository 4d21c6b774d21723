package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"trailhound/agent/capture/live"
)

// runFlags are the flags of run.
type runFlags struct {
	trails    []string
	whitelist []string
	user      string
}

// serviceUser is whom a service started as root becomes.
const serviceUser = "trailhound"

func (a *app) runCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run the sensor: capture, detect, deliver",
		Long: "Run captures on the configured interfaces until it is told to end. SIGTERM and SIGINT end it after what it holds\n" +
			"has been delivered; SIGHUP loads the configuration again. It needs CAP_NET_RAW to start and gives up every\n" +
			"capability before the first packet; started as root, but not by systemd, it also becomes the user " + serviceUser + "\n" +
			"if there is one. Exit codes: 77 without the privilege, 78 for a wrong configuration.",
		Example: "  trailhound run\n" +
			"  trailhound run -c trailhound.yaml --set 'capture.interfaces=[eth1]'\n" +
			"  trailhound run --trails trails.thd --set 'outputs=[{name: console, type: stdout, format: table}]'",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.run(cmd.Context(), f)
		},
	}
	cmd.Flags().StringArrayVar(&f.trails, "trails", nil, "trails to match: a compiled table, a merged CSV, a directory or a plain list (`path`, repeatable; replaces the configured ones)")
	cmd.Flags().StringArrayVar(&f.whitelist, "whitelist", nil, "whitelist `file` (repeatable; replaces the configured ones; none: no whitelist)")
	cmd.Flags().StringVar(&f.user, "user", serviceUser, "become this `user` when started as root without systemd; empty: stay root, without capabilities")
	return cmd
}

// run is the life of the service.
func (a *app) run(ctx context.Context, f runFlags) error {
	signals := catch()
	defer signals.release()
	debug.SetGCPercent(50) // see replay
	c, err := a.load()
	if err != nil {
		return err
	}
	_, tty := terminal(a.err)
	aside := newAsideWriter(a.err)
	defer aside.close(time.Second)
	s := newService(a, f, c)
	s.log = newLog(aside, tty, c.Log.Format, &s.level)
	a.log = s.log
	if err := s.start(ctx); err != nil {
		s.abort()
		return startError(err)
	}
	stop, err := s.serve(ctx, signals)
	if stop != nil {
		s.log.Info("ending", "reason", stop.Error())
	}
	if endErr := s.end(signals.end); err == nil {
		err = endErr
	}
	return err
}

// signals are what the service is told by others. The two have channels of
// their own, because the runtime drops a signal for which a channel has no room:
// many orders to reload must not cost the one to end. One order to reload that
// waits stands for all that come meanwhile.
type signals struct {
	reload, end chan os.Signal
	released    chan struct{}
}

// catch is called before anything is open: no signal may end the program
// half-way. A pipe that nobody reads any more, behind standard output or
// standard error, is the matter of whoever writes to it.
func catch() signals {
	signal.Ignore(syscall.SIGPIPE)
	s := signals{reload: make(chan os.Signal, 1), end: make(chan os.Signal, 2), released: make(chan struct{})}
	all := make(chan os.Signal, 4)
	signal.Notify(s.reload, syscall.SIGHUP)
	signal.Notify(all, syscall.SIGTERM, os.Interrupt)
	go s.pass(all)
	return s
}

const (
	// oneOrder is how long a second order to end is taken for the first one:
	// service managers and terminals send it to the process and to its group.
	oneOrder = time.Second
	// lastWait is how long the end may take beyond what it allows itself, and how
	// long after a second order: what blocks then, such as a log that nobody
	// reads, is not waited for.
	lastWait = 3 * time.Second
)

// pass hands on orders to end, and sees that they are obeyed.
func (s signals) pass(all chan os.Signal) {
	defer signal.Stop(all)
	var first time.Time
	var over <-chan time.Time
	for {
		select {
		case sig := <-all:
			switch {
			case first.IsZero():
				first, over = time.Now(), time.After(drainTime+lastWait)
			case time.Since(first) < oneOrder:
				continue
			default:
				over = time.After(lastWait)
			}
			select {
			case s.end <- sig:
			default:
			}
		case <-over:
			os.Exit(exitFailed)
		case <-s.released:
			return
		}
	}
}

func (s signals) release() {
	signal.Stop(s.reload)
	close(s.released)
}

// serve handles signals until one ends the service, ctx is over, or capture
// has failed. Why says which; the error is what went wrong.
func (s *service) serve(ctx context.Context, signals signals) (why, err error) {
	for {
		select {
		case <-signals.reload:
			s.reload()
		case sig := <-signals.end:
			return fmt.Errorf("signal %v", sig), nil
		case <-ctx.Done():
			return context.Cause(ctx), nil
		case <-s.live.Ended():
			err := s.live.Err()
			if err == nil {
				err = errors.New("the capture has ended by itself")
			}
			return err, err
		}
	}
}

// privilegeError is a start without the privilege to capture.
type privilegeError struct{ error }

func (e *privilegeError) Unwrap() error { return e.error }

// captureError tells a missing privilege from other reasons.
func captureError(err error) error {
	if errors.Is(err, live.ErrPrivilege) {
		return &privilegeError{err}
	}
	return err
}

// startError says of a start that ran out of descriptors where their number is
// set.
func startError(err error) error {
	switch {
	case errors.Is(err, syscall.EMFILE):
		return fmt.Errorf("%w: raise LimitNOFILE= in the systemd unit, or ulimit -n, or lower capture.workers and capture.spare_sockets", err)
	case errors.Is(err, syscall.ENFILE):
		return fmt.Errorf("%w: all processes together have too many: raise fs.file-max (sysctl)", err)
	}
	return err
}

const (
	// filesDescriptors are enough for the journal, trail tables, what watches
	// interfaces and files, and the status endpoint with all its connections.
	filesDescriptors = 96
	// outputDescriptors are enough for an output: its connections, look-ups of
	// names, certificates, dead letters.
	outputDescriptors = 8
)

// checkDescriptors is a start's look at what the rings have left for all else.
// Later nothing would end the sensor any more, but it could neither write its
// journal nor deliver.
func (s *service) checkDescriptors() error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("cannot read RLIMIT_NOFILE: %w", err)
	}
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		if errors.Is(err, syscall.EMFILE) {
			return err
		}
		return nil // no /proc: not known
	}
	need := uint64(filesDescriptors + outputDescriptors*len(s.config.Outputs))
	if used := uint64(len(open)); used+need > limit.Cur {
		return fmt.Errorf("%d descriptors are open after the rings, and journal, outputs and status endpoint may take %d more, but %d are allowed: %w", used, need, limit.Cur, syscall.EMFILE)
	}
	return nil
}
