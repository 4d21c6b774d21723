package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestUnreadableDropIns: who may not read conf.d, or a file in it, is told the
// ways out, and gets the exit code of a wrong configuration.
func TestUnreadableDropIns(t *testing.T) {
	c := newClinic(t)
	uid, gid, _ := c.nobody(t)
	dir := filepath.Join(c.dir, "unreadable")
	conf, drop := filepath.Join(dir, "conf.d"), filepath.Join(dir, "conf.d", "x.yaml")
	writeTest(t, filepath.Join(dir, "config.yaml"), "log: {level: info}\n")
	writeTest(t, drop, "log: {level: debug}\n")
	for _, w := range []struct {
		dir, file os.FileMode
		group     int
		code      int
		want      []string
	}{
		{0o700, 0o644, gid, exitConfig, []string{conf + ": cannot be read: permission denied, run this as root, let user ", "mode 0700), or name another file with -c"}},
		{0o750, 0o644, 12345, exitConfig, []string{conf + ": ", "run this as root or as a member of group 12345, let user "}},
		{0o755, 0o600, gid, exitConfig, []string{drop + ": cannot be read: permission denied, run this as root, "}},
		{0o744, 0o644, gid, exitConfig, []string{drop + ": ", "search the directories above it"}},
		{0o755, 0o644, gid, exitDone, nil},
	} {
		if err := errors.Join(os.Chown(conf, 0, w.group), os.Chmod(conf, w.dir), os.Chmod(drop, w.file)); err != nil {
			t.Fatal(err)
		}
		var said bytes.Buffer
		cmd := exec.Command(c.binary, "config", "check", "-c", filepath.Join(dir, "config.yaml"))
		cmd.Dir, cmd.Stderr = "/", &said
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
		err := cmd.Run()
		if code := cmd.ProcessState.ExitCode(); code != w.code {
			t.Errorf("conf.d %v, file %v: code %d, want %d (%v): %s", w.dir, w.file, code, w.code, err, &said)
		}
		for _, want := range w.want {
			if !strings.Contains(said.String(), want) {
				t.Errorf("conf.d %v, file %v: %q is not in %s", w.dir, w.file, want, &said)
			}
		}
	}
}
