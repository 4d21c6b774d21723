package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestDescriptorsRunOut: at whatever step a start runs out of descriptors, it
// says where their number is set.
func TestDescriptorsRunOut(t *testing.T) {
	c := newClinic(t)
	_, _, dir := c.nobody(t)
	socket := filepath.Join(dir, "limit.sock")
	config := filepath.Join(c.dir, "limit", "c.yaml")
	writeTest(t, filepath.Join(c.dir, "limit", "conf.d", "x.yaml"), "capture: {spare_sockets: 4}\n")
	configure(t, config, "state: %s\noutputs: []\nstatus: {listen: \"unix:%s\"}\n", dir, socket)
	failed := 0
	for limit := 8; ; limit += 1 + limit/16 {
		if limit > 256 {
			t.Fatal("it does not start with 256 descriptors")
		}
		cmd := exec.Command("sh", "-c", fmt.Sprintf(`ulimit -n %d && exec "$@"`, limit), "sh", c.binary, "run", "-c", config, "--user", "nobody")
		cmd.Dir, cmd.Env = "/", []string{"PATH=" + os.Getenv("PATH")}
		said := lines{want: "\"capturing\"", found: func() { cmd.Process.Signal(syscall.SIGTERM) }}
		cmd.Stderr = &said
		if err := c.in(c.here, cmd.Start); err != nil {
			t.Fatal(err)
		}
		late := time.AfterFunc(patience, func() { cmd.Process.Kill() })
		err := cmd.Wait()
		late.Stop()
		text := string(said.text)
		if strings.Contains(text, said.want) {
			if strings.Contains(text, "too many open files") {
				t.Errorf("it starts with %d descriptors and has too few: %s", limit, text)
			}
			break
		}
		failed++
		if err == nil || !strings.Contains(text, "LimitNOFILE=") || !strings.Contains(text, "ulimit -n") {
			t.Errorf("with %d descriptors: %v: %s", limit, err, text)
		}
	}
	if failed < 3 {
		t.Errorf("%d starts ran out of descriptors", failed)
	}
}

// lines keeps what a program says and tells once when something is among it.
type lines struct {
	text  []byte
	want  string
	found func()
}

func (l *lines) Write(b []byte) (int, error) {
	l.text = append(l.text, b...)
	if l.found != nil && strings.Contains(string(l.text), l.want) {
		l.found()
		l.found = nil
	}
	return len(b), nil
}
