// Package node builds and runs real search nodes for tests: Java programs of one
// class that start a node on loopback, from a folder with a pom.xml, a run.sh and
// sources. It is used by the packages of the receivers, which hold those.
package node

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Options say how a node runs.
type Options struct {
	Home     string   // its directory; what is in Home/data outlives the node
	Cache    string   // where built nodes are kept; empty: in the user's cache
	Settings []string // "thread_pool.write.queue_size=2"
	Heap     string   // "1g"; empty: 512m
	Fast     bool     // compile all the way: slower to start, for measurements
}

// A Node is a node on loopback. It ends with Stop or Kill, and when this process
// ends.
type Node struct {
	URL string

	dist  string
	opt   Options
	ports [2]int // HTTP, transport

	cmd   *exec.Cmd
	stdin io.Closer
	done  chan struct{}

	mu  sync.Mutex
	log []string // its last lines
}

// startTime is how long a node may take to answer, on a machine that is busy.
const startTime = 3 * time.Minute

// keptLines is how much of a node's log an error shows.
const keptLines = 30

// Start builds the node of the folder if that was not done yet, starts it, and
// waits until it answers.
func Start(ctx context.Context, name string, folder fs.FS, opt Options) (*Node, error) {
	dist, err := build(ctx, name, folder, opt.Cache)
	if err != nil {
		return nil, err
	}
	n := &Node{dist: dist, opt: opt}
	for i := range n.ports {
		if n.ports[i], err = freePort(); err != nil {
			return nil, err
		}
	}
	n.URL = "http://127.0.0.1:" + strconv.Itoa(n.ports[0])
	return n, n.Restart(ctx)
}

// Restart starts a node that was stopped or killed again, with the same data and
// the same address. Settings, if any, take the place of those before.
func (n *Node) Restart(ctx context.Context, settings ...string) error {
	if settings != nil {
		n.opt.Settings = settings
	}
	script := filepath.Join(n.dist, "run.sh")
	args := append([]string{script, n.dist, n.opt.Home, strconv.Itoa(n.ports[0]), strconv.Itoa(n.ports[1])}, n.opt.Settings...)
	n.cmd = exec.Command("sh", args...)
	n.cmd.Env = os.Environ()
	if n.opt.Heap != "" {
		n.cmd.Env = append(n.cmd.Env, "HEAP="+n.opt.Heap)
	}
	if n.opt.Fast {
		n.cmd.Env = append(n.cmd.Env, "TIER=4")
	}
	in, err := n.cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := n.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	n.cmd.Stderr = n.cmd.Stdout
	n.stdin, n.done = in, make(chan struct{})
	if err := n.cmd.Start(); err != nil {
		return fmt.Errorf("cannot start java: %w", err)
	}
	ready := make(chan struct{})
	go n.follow(out, ready)
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	select {
	case <-ready:
		return nil
	case <-n.done:
		return fmt.Errorf("the node ended before it was ready:\n%s", n.Log())
	case <-ctx.Done():
		n.Kill()
		return fmt.Errorf("the node is not ready (%w):\n%s", ctx.Err(), n.Log())
	}
}

// follow reads what the node prints until it ends.
func (n *Node) follow(out io.Reader, ready chan struct{}) {
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "READY") {
			close(ready)
			continue
		}
		n.mu.Lock()
		n.log = append(n.log, lines.Text())
		n.log = n.log[max(0, len(n.log)-keptLines):]
		n.mu.Unlock()
	}
	io.Copy(io.Discard, out) // behind a line that was too long
	n.cmd.Wait()
	close(n.done)
}

// Log gives the last lines that the node printed.
func (n *Node) Log() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return strings.Join(n.log, "\n")
}

// Stop ends the node in order.
func (n *Node) Stop() {
	n.stdin.Close()
	select {
	case <-n.done:
	case <-time.After(30 * time.Second):
		n.Kill()
	}
}

// Kill ends the node by SIGKILL.
func (n *Node) Kill() {
	n.cmd.Process.Kill()
	<-n.done
	n.stdin.Close()
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
