package status

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Bounds of the server. A connection serves one request, so none is held by
// who asks nothing.
const (
	MaxConnections = 64 // at once; for more, the oldest are closed
	MaxPerAddress  = 48 // of them, so that no address takes all; of IPv6 a /64
	maxHeader      = 8 << 10
	readTimeout    = 5 * time.Second // for the whole request
	writeTimeout   = 10 * time.Second
	closeTimeout   = time.Second // for requests in hand at the end
)

// DefaultMaxAge is how old an answer may be unless Options say otherwise.
const DefaultMaxAge = time.Second

// Options of a Server.
type Options struct {
	// Listen is the address, see Address.
	Listen string
	// Snapshot gives the present state. It is called by one goroutine at a
	// time, at most once per MaxAge. What it returns is the server's: lists and
	// maps in it must not be changed afterwards.
	Snapshot func() Snapshot
	// MaxAge is how old an answer may be; 0: DefaultMaxAge.
	MaxAge time.Duration
	Log    *slog.Logger // nil: none
}

// Server answers questions about the sensor's state over HTTP. It only reads.
type Server struct {
	address string
	names   map[string]bool // see ownNames
	sampler sampler
	metrics *exporter
	http    http.Server

	mu       sync.Mutex
	listener *limited
	closed   bool
}

// New makes a server. It does not listen yet.
func New(opt Options) *Server {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.MaxAge == 0 {
		opt.MaxAge = DefaultMaxAge
	}
	s := &Server{address: opt.Listen, names: ownNames(opt.Listen), metrics: newExporter()}
	s.sampler = sampler{maxAge: opt.MaxAge, log: opt.Log, take: func() Snapshot {
		now := opt.Snapshot()
		now.Endpoint = s.endpoint()
		return now
	}}
	s.http = http.Server{
		Handler:           http.HandlerFunc(s.serve),
		MaxHeaderBytes:    maxHeader,
		ReadHeaderTimeout: readTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		ErrorLog:          slog.NewLogLogger(opt.Log.Handler(), slog.LevelWarn),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, connection{}, c)
		},
	}
	s.http.SetKeepAlivesEnabled(false)
	return s
}

// Listen opens the socket, so that what is wrong with it is known at once.
// Connections wait until Serve. A unix socket gets mode 0660, and one that a dead
// process left is replaced. It belongs to the user and group of the process: one
// that changes its user does so first, or its group cannot ask and it cannot
// remove the socket at the end.
func (s *Server) Listen() error {
	l, err := listen(s.address)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.listener != nil {
		l.Close()
		return errors.New("BUG: the status server listens already or is closed")
	}
	s.listener = newLimited(l, s.sampler.log)
	return nil
}

// Addr is where the server listens; nil before Listen.
func (s *Server) Addr() net.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener == nil {
		return nil
	}
	return s.listener.Addr()
}

// Serve answers until ctx ends or the server is closed, which is no error. It
// returns when all connections are closed.
func (s *Server) Serve(ctx context.Context) error {
	s.mu.Lock()
	l := s.listener
	s.mu.Unlock()
	if l == nil {
		return errors.New("BUG: the status server does not listen")
	}
	stop := context.AfterFunc(ctx, func() { s.Close() })
	defer stop()
	if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return s.Close() // waits for the requests in hand
}

// Close ends the server: requests in hand are given a second. A unix socket is
// removed. It may be called at any time and again.
func (s *Server) Close() error {
	s.mu.Lock()
	l, first := s.listener, !s.closed
	s.closed = true
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = s.http.Close()
	}
	if l != nil && first {
		l.Close() // Shutdown knows it only if Serve was called
	}
	if errors.Is(err, net.ErrClosed) {
		err = nil
	}
	return err
}

// endpoint is what the server says of itself.
func (s *Server) endpoint() (e Endpoint) {
	s.mu.Lock()
	l := s.listener
	s.mu.Unlock()
	if l != nil {
		e.Connections, e.Evicted = l.counts()
	}
	return e
}

// connection is the key of a request's connection in its context.
type connection struct{}

func slotOf(r *http.Request) *slotted {
	c, _ := r.Context().Value(connection{}).(*slotted)
	return c
}

// serve answers one request.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if c := slotOf(r); c != nil {
		c.asks()
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	if s.foreign(r) {
		answer(w, http.StatusMisdirectedRequest, textType, []byte(misdirected))
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		answer(w, http.StatusMethodNotAllowed, textType, []byte("only GET and HEAD\n"))
		return
	}
	if r.ContentLength != 0 {
		answer(w, http.StatusRequestEntityTooLarge, textType, []byte("no body is taken\n"))
		return
	}
	switch r.URL.Path {
	case "/":
		answer(w, http.StatusOK, textType, []byte(index))
	case "/healthz":
		answer(w, http.StatusOK, textType, []byte("ok\n"))
	case "/readyz", "/status", "/metrics":
		s.sampled(w, r)
	default:
		answer(w, http.StatusNotFound, textType, []byte("not found; there is:\n"+index))
	}
}

// sampled answers from a snapshot.
func (s *Server) sampled(w http.ResponseWriter, r *http.Request) {
	c := slotOf(r)
	if c != nil {
		c.waits() // a sensor that is stuck must not keep out who asks whether it lives
	}
	sample, err := s.sampler.get(r.Context())
	if c != nil {
		c.works()
	}
	if err != nil {
		answer(w, http.StatusServiceUnavailable, textType, []byte(err.Error()+"\n"))
		return
	}
	var body []byte
	code, kind := http.StatusOK, jsonType
	switch r.URL.Path {
	case "/readyz":
		if body, err = sample.readyPage(); !sample.Ready {
			code = http.StatusServiceUnavailable
		}
	case "/status":
		body, err = sample.statusPage()
	case "/metrics":
		kind = metricsType
		body, err = sample.metrics.draw(func() ([]byte, error) { return s.metrics.draw(&sample.Snapshot) })
	}
	if err != nil {
		s.sampler.log.Error("cannot draw a page of the status endpoint", "path", r.URL.Path, "error", err)
		answer(w, http.StatusInternalServerError, textType, []byte("the page cannot be drawn, the log says why\n"))
		return
	}
	answer(w, code, kind, body)
}

const (
	textType = "text/plain; charset=utf-8"
	jsonType = "application/json"
	index    = `/healthz  200: the process lives
/readyz   200: the sensor is ready; 503: it is not, with reasons
/status   everything, as JSON
/metrics  everything that is a number, for Prometheus
`
)

func answer(w http.ResponseWriter, code int, kind string, body []byte) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(code)
	w.Write(body)
}
