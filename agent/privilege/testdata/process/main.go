// Command process does what the tests of package privilege ask of it, in a
// process of its own and without cgo. It prints "ready" and waits for the end
// of its standard input, so that the tests can look at its threads.
package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"

	"trailhound/agent/privilege"
)

func main() {
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(what string, args []string) error {
	threads(16)
	switch what {
	case "stay":
	case "drop":
		if err := privilege.Drop(); err != nil {
			return err
		}
		if err := privilege.Drop(); err != nil {
			return fmt.Errorf("a second time: %w", err)
		}
		if now, err := privilege.Read(); err != nil || now.Effective.Has(privilege.NetRaw) {
			return fmt.Errorf("still has CAP_NET_RAW")
		}
		if c, err := net.ListenPacket("ip4:icmp", "127.0.0.1"); err == nil {
			c.Close()
			return fmt.Errorf("can still open a raw socket")
		}
	case "exec": // a program started afterwards
		if err := privilege.Drop(); err != nil {
			return err
		}
		out, err := exec.Command(args[0], "stay").Output()
		fmt.Printf("%s %v\n", out, err)
		cmd := exec.Command("cat", "/proc/self/status")
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		return cmd.Run()
	case "user":
		changed, err := privilege.ChangeUser(args[0])
		unknown := errors.Is(err, privilege.ErrUnknownUser)
		if err != nil && !unknown {
			return err
		}
		fmt.Println("changed", changed, "unknown", unknown)
		again, err := privilege.ChangeUser(args[0])
		if err != nil && !unknown || changed && again {
			return fmt.Errorf("a second time: %v %w", again, err)
		}
	case "both":
		if _, err := privilege.ChangeUser(args[0]); err != nil {
			return err
		}
		if err := privilege.Drop(); err != nil {
			return err
		}
	case "systemd":
		fmt.Println(privilege.UnderSystemd())
		return nil
	}
	threads(16)
	fmt.Println("ready")
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// threads starts n threads and returns when they all run. Half of them stay in
// a system call, half wait in the runtime.
func threads(n int) {
	started := make(chan struct{})
	for i := range n {
		go func() {
			runtime.LockOSThread()
			started <- struct{}{}
			if i%2 == 0 {
				select {}
			}
			r, _, err := os.Pipe()
			if err != nil {
				panic(err)
			}
			var b [1]byte
			r.Fd() // blocking from here on
			r.Read(b[:])
		}()
	}
	for range n {
		<-started
	}
}
