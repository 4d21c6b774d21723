package syslog

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"trailhound/agent/event"
	"trailhound/outputs"
	"trailhound/outputs/remote"
)

// socketWait bounds the wait for a receiver on this host that is busy.
const socketWait = 5 * time.Second

// socket sends to a datagram socket of this host that is not its own syslog's.
type socket struct {
	*writer
	*counts
	path     string
	conn     net.Conn // nil: none
	buf      []byte
	connects atomic.Uint64
}

func (s *socket) send(ctx context.Context, batch []event.Event, r *outputs.Result) error {
	for i := range batch {
		var v verdict
		if s.buf, v = s.message(s.buf[:0], &batch[i]); s.settle(v, i, s.size, r) {
			continue
		}
		err := s.write(ctx)
		if err != nil && ctx.Err() == nil {
			// A receiver that was restarted has a new socket under the old name.
			s.close()
			err = s.write(ctx)
		}
		if err != nil {
			s.close()
			return fmt.Errorf("cannot write to %s: %w", s.path, err)
		}
		s.sent(v, i, r)
	}
	return nil
}

func (s *socket) write(ctx context.Context) (err error) {
	if s.conn == nil {
		if s.conn, err = (&net.Dialer{}).DialContext(ctx, "unixgram", s.path); err != nil {
			s.conn = nil
			return err
		}
		s.connects.Add(1)
	}
	until := time.Now().Add(socketWait)
	if end, ok := ctx.Deadline(); ok && end.Before(until) {
		until = end
	}
	if err = s.conn.SetWriteDeadline(until); err != nil {
		return err
	}
	_, err = s.conn.Write(s.buf)
	return err
}

func (s *socket) check(ctx context.Context) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "unixgram", s.path)
	if err != nil {
		return fmt.Errorf("cannot reach %s: %w", s.path, err)
	}
	return conn.Close()
}

func (s *socket) stats() remote.StreamStats {
	return remote.StreamStats{Stats: remote.Stats{Connects: s.connects.Load()}}
}

func (s *socket) close() error {
	if s.conn == nil {
		return nil
	}
	err := s.conn.Close()
	s.conn = nil
	return err
}
