package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"

	"trailhound/agent"
	"trailhound/agent/capture/live"
	"trailhound/agent/config"
	"trailhound/agent/detect"
	"trailhound/agent/event"
	"trailhound/agent/generation"
	"trailhound/agent/health"
	"trailhound/agent/heuristic"
	"trailhound/agent/privilege"
	"trailhound/agent/self"
	"trailhound/agent/status"
	"trailhound/agent/suppress"
	"trailhound/outputs/journal"
	"trailhound/trails/whitelist"
)

// service is a running sensor: what joins the agent to the outputs.
type service struct {
	*app
	flags    runFlags
	log      *slog.Logger
	level    slog.LevelVar
	started  time.Time
	stateDir string // another one needs a restart
	// booted is the configuration of the start: the keys that need a restart
	// have its values until there is one.
	booted *config.Config

	capture *live.Capture
	live    *agent.Live
	keeper  *generation.Keeper
	journal *journal.Journal
	own     *self.Registry
	monitor *health.Monitor
	status  *status.Server
	notify  *notifier
	fault   chan generationFault
	windows *checkpoint
	retro   *hindsight   // nil: nothing is remembered
	opened  live.Options // what the rings were opened with

	swapping sync.Mutex // held while rules are prepared and set
	judging  sync.Mutex // held while the health of outputs is judged; taken before mu

	mu       sync.Mutex
	config   *config.Config
	pending  []string // keys of config that wait for a restart
	id       *event.Identity
	reloaded status.Reload
	loaded   time.Time
	filter   status.CaptureFilter
	white    *whitelist.List
	// suppression is what the gate takes out or keeps back, beside white.
	suppression *suppression
	current     *generation.Generation
	addresses   []netip.Addr // of this host, as the rules have them
	trails      status.Reloads
	deliveries  []*delivery
	broken      []*brokenOutput // entries of which no output can be made
	state       string
	hash        string        // of config
	known       lastRun       // what the last health.config.changed left
	early       []event.Event // of health, before there was a pipeline

	background sync.WaitGroup // what ends with cancel
	cancel     context.CancelFunc
}

// generationFault is a table that could no longer be read.
type generationFault struct {
	rules *detect.Rules
	err   error
}

func newService(a *app, f runFlags, c *config.Config) *service {
	s := &service{app: a, flags: f, config: c, booted: c, stateDir: c.State, started: time.Now(), loaded: time.Now(), own: self.New(),
		fault: make(chan generationFault, 1), state: status.Starting}
	s.level.UnmarshalText([]byte(c.Log.Level))
	s.log = slog.New(slog.DiscardHandler) // run sets it
	s.reloaded = status.Reload{OK: true, At: s.loaded}
	s.hash = c.Hash()
	s.monitor = health.New(healthOptions(c))
	return s
}

// start opens everything, in an order in which the privilege is gone before
// anything else is touched: packet sockets, the privilege, all else. So files and
// the socket of the status endpoint belong to the user that the sensor runs as,
// started as root or not.
func (s *service) start(ctx context.Context) (err error) {
	s.notify = newNotifier(s.log)
	if err := s.openCapture(); err != nil {
		return err
	}
	if err := s.checkDescriptors(); err != nil {
		return err
	}
	if err := s.drop(); err != nil {
		return err
	}
	if err := s.listen(); err != nil {
		return err
	}
	ctx, s.cancel = context.WithCancel(ctx)
	s.id = s.identity()
	rules, err := s.openRules()
	if err != nil {
		return err
	}
	rulesOfGate, err := openSuppression(s.config, s.id, nil)
	if err != nil {
		return err
	}
	s.setSuppression(rulesOfGate)
	if err := s.openJournal(); err != nil {
		return err
	}
	s.openOutputs()
	gate := suppress.New(s.gateOptions())
	s.restoreGate(gate)
	board, seed := newBoard(rules)
	s.retro = s.openRetro()
	pipeline := agent.NewLive(agent.LiveOptions{
		Sources: s.sources(), Rules: rules, Board: board, Seed: seed, Retro: s.retro.memory(), Self: s.own,
		Gate: gate, Sink: s.deliver, Fault: s.faulted,
	})
	pipeline.Start()
	s.mu.Lock()
	s.live = pipeline
	early := s.early
	s.early = nil
	s.mu.Unlock()
	pipeline.Take(early...)
	s.retro.start(ctx, pipeline, s.current, rules)
	s.windows = &checkpoint{path: filepath.Join(s.stateDir, checkpointFile), gate: gate, live: pipeline, log: s.log}
	s.spawn(func() { s.capture.Watch(ctx) })
	s.spawn(func() { s.keeper.Watch(ctx, s.swap) })
	s.spawn(func() { s.followAddresses(ctx) })
	s.spawn(func() { s.observe(ctx) })
	s.spawn(func() { s.canaries(ctx) })
	s.spawn(func() { s.expiries(ctx) })
	s.spawn(func() { s.checkpoints(ctx, s.windows) })
	s.spawn(func() { s.heartbeats(ctx) })
	s.spawn(func() { s.watchdog(ctx) })
	s.spawn(func() { s.faults(ctx) })
	if s.status != nil {
		s.spawn(func() { s.status.Serve(ctx) })
	}
	s.mu.Lock()
	s.state = status.Running
	s.mu.Unlock()
	s.report()
	s.notify.ready()
	s.changedRun()
	return nil
}

// newBoard makes the board with a secret seed, so that nobody outside can choose
// what it forgets.
func newBoard(rules *detect.Rules) (*heuristic.Board, uint64) {
	seed := rand.Uint64()
	opt := rules.Board()
	opt.Seed = seed
	return heuristic.NewBoard(opt), seed
}

func (s *service) spawn(f func()) {
	s.background.Add(1)
	go func() {
		defer s.background.Done()
		f()
	}()
}

// drop gives up what opening the sockets needed.
func (s *service) drop() error {
	if s.flags.user != "" && !privilege.UnderSystemd() {
		changed, err := privilege.ChangeUser(s.flags.user)
		switch {
		case errors.Is(err, privilege.ErrUnknownUser) && s.flags.user == serviceUser:
			s.log.Info("still root, but without capabilities: there is no user "+serviceUser, "user", "root")
		case errors.Is(err, privilege.ErrUnknownUser):
			return usagef("--user %s: %w", s.flags.user, privilege.ErrUnknownUser)
		case err != nil:
			return fmt.Errorf("cannot become user %s: %w", s.flags.user, err)
		case changed:
			s.log.Info("running as another user", "user", s.flags.user)
		}
	}
	if err := privilege.Drop(); err != nil {
		if !errors.Is(err, errors.ErrUnsupported) {
			return fmt.Errorf("cannot give up capabilities: %w", err)
		}
		s.log.Warn("capabilities are kept: this binary was built with cgo, which the released ones are not")
	}
	return nil
}

// listen binds the status endpoint, which serves once there is a state.
func (s *service) listen() error {
	address := s.config.Status.Listen
	if address == "" {
		return nil
	}
	server := status.New(status.Options{Listen: address, Snapshot: s.snapshot, Log: s.log})
	if err := server.Listen(); err != nil {
		return err
	}
	s.status = server
	return nil
}

// report says in the log what was started.
func (s *service) report() {
	snapshot := s.capture.Snapshot()
	var bytes int64
	for _, r := range snapshot.Rings {
		bytes += r.Bytes
	}
	s.mu.Lock()
	g := s.current // the keeper runs: it may be another one by now
	s.mu.Unlock()
	from := g.Source
	if g.Starter {
		from = "starter set"
	}
	args := []any{"version", version, "sensor", s.id.Name, "workers", len(s.capture.Sources()), "rings", len(snapshot.Rings), "ring_bytes", bytes,
		"trails", g.Table.Len(), "trails_from", from, "outputs", len(s.deliveries),
		"ready_after", time.Since(s.started).Round(100 * time.Microsecond).String()}
	if s.status != nil {
		args = append(args, "status", s.status.Addr().String())
	}
	s.log.Info("capturing", args...)
}

// end drains: frames in the rings, events in the queues, what outputs hold. A
// second signal, or a receiver that does not take it, cuts that short.
func (s *service) end(signals <-chan os.Signal) error {
	s.notify.stopping()
	s.mu.Lock()
	s.state = status.Draining
	s.mu.Unlock()
	limit, done := context.WithTimeout(context.Background(), drainTime)
	defer done()
	go func() {
		for {
			select {
			case sig := <-signals:
				s.log.Warn("ending without what is left", "reason", fmt.Sprintf("signal %v", sig))
				done()
			case <-limit.Done():
				return
			}
		}
	}()
	var all []error
	all = append(all, s.capture.Close())
	flushed := true
	select {
	case <-s.live.Done():
	case <-limit.Done():
		flushed = false
		all = append(all, errors.New("not everything in the rings was looked at"))
	}
	s.cancel()
	s.background.Wait()
	all = append(all, s.closeOutputs(limit))
	if flushed {
		all = append(all, s.windows.remove(), s.retro.end()) // all windows are told
	}
	s.final()
	return errors.Join(all...)
}

// drainTime is how long the end may take: well below what service managers
// allow (systemd: 90 s).
const drainTime = 15 * time.Second

// abort lets go of what a start that failed had opened.
func (s *service) abort() {
	if s.cancel != nil {
		s.cancel()
	}
	if s.status != nil {
		s.status.Close()
	}
	if s.capture != nil {
		s.capture.Close()
	}
	if s.journal != nil {
		over, done := context.WithCancel(context.Background())
		done()
		s.closeOutputs(over)
	}
}

// final says what the run came to.
func (s *service) final() {
	var packets, events, dropped uint64
	for _, w := range s.live.Traffic() {
		packets += w.Former.Packets
		for _, seen := range w.Seen {
			packets += seen.Packets
		}
		events += w.Events
		dropped += w.Dropped
	}
	snapshot := s.capture.Snapshot()
	kernel := snapshot.Closed.Drops // most rings are closed by now
	for _, r := range snapshot.Rings {
		kernel += r.Drops
	}
	t := s.live.Tally()
	s.log.Info("ended", "packets", packets, "kernel_drops", kernel, "events", events, "queue_drops", dropped,
		"suppressed", t.Gate.Suppressed, "folded", t.Gate.Folded, "passed", t.Gate.Passed, "summaries", t.Gate.Summaries, "follow_ups", t.Gate.FollowUps)
}
