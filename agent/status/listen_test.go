package status

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestListenErrors(t *testing.T) {
	s, _ := served(t, Options{})
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	used := filepath.Join(dir, "used")
	served(t, Options{Listen: used})
	taken := s.Addr().String()
	for _, c := range []struct{ listen, want string }{
		{taken, fmt.Sprintf("cannot listen on status address %q: address already in use; another trailhound may be running, or set status.listen to a free port", taken)},
		{"192.0.2.1:8339", `cannot listen on status address "192.0.2.1:8339": cannot assign requested address; this host has no such address`},
		{"8339", `status address "8339" is neither address:port nor unix:/path`},
		{"unix:relative", `status address "unix:relative" is not a socket with its whole path, such as unix:/run/trailhound/status.sock`},
		{"/" + strings.Repeat("x", 107), "is longer than the 107 bytes that a socket's path may have"},
		{file, fmt.Sprintf("cannot listen on status socket %q: something else is there that is no socket", file)},
		{used, fmt.Sprintf("cannot listen on status socket %q: another process answers there", used)},
		{filepath.Join(dir, "no", "where"), "no such file or directory"},
	} {
		if err := New(Options{Listen: c.listen, Snapshot: healthy}).Listen(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.listen, err, c.want)
		}
	}
	if _, err := os.Stat(file); err != nil {
		t.Errorf("what is no socket was removed: %v", err)
	}
}

func TestUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.sock")
	// What a process leaves that has died.
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	stale.SetUnlinkOnClose(false)
	stale.Close()

	s := New(Options{Listen: "unix:" + path, Snapshot: healthy})
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != os.ModeSocket|0o660 {
		t.Errorf("mode %v, error %v", info.Mode(), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	for _, address := range []string{path, "unix:" + path} {
		c, err := NewClient(address)
		if err != nil {
			t.Fatal(err)
		}
		if got, _, err := c.Status(t.Context()); err != nil || got.Sensor.Name != "edge-7" {
			t.Errorf("%s: %v %v", address, got, err)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the socket is left: %v", err)
	}
}

func TestCloseWithoutServe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.sock")
	s := New(Options{Listen: path, Snapshot: healthy})
	if s.Addr() != nil {
		t.Error("an address before listening")
	}
	if err := s.Serve(t.Context()); err == nil {
		t.Error("serves without listening")
	}
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	if err := s.Listen(); err == nil {
		t.Error("listens twice")
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the socket is left: %v", err)
	}
	if err := s.Serve(t.Context()); err != nil {
		t.Errorf("serving when closed: %v", err)
	}
	if err := s.Listen(); err == nil {
		t.Error("listens when closed")
	}
}
