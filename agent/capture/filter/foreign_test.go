package filter

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"trailhound/agent/packet"
)

// fakeTcpdump is a shell script in the place of tcpdump, where every user may
// run it. The directory, which the script has in $0, may be written to.
func fakeTcpdump(t *testing.T, script string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "thfl-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	// Written by another process: a descriptor for writing that a child of a
	// parallel test inherits would make the script busy.
	path := filepath.Join(dir, "tcpdump")
	cmd := exec.Command("sh", "-c", `umask 022; cat >"$1" && chmod 755 "$1"`, "sh", path)
	cmd.Stdin = strings.NewReader("#!/bin/sh\n" + script)
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	return path
}

// acceptAll is a program as tcpdump prints it.
const acceptAll = `printf '1\n6 0 0 262144\n'`

func TestTcpdumpAnswers(t *testing.T) {
	for _, c := range []struct{ name, script, want string }{
		{"right", acceptAll, ""},
		{"nothing", "true", "no program"},
		{"a word", "echo hello", "no program"},
		{"count too great", `printf '2\n6 0 0 1\n'`, "no program"},
		{"count too small", `printf '1\n6 0 0 1\n6 0 0 1\n'`, "no program"},
		{"negative", `printf '1\n6 0 0 -1\n'`, "no program"},
		{"five numbers", `printf '1\n6 0 0 1 1\n'`, "no program"},
		{"jump out", `printf '2\n21 9 0 0\n6 0 0 1\n'`, "not fit for use: instruction 0 leads behind the end"},
		{"loop", `printf '2\n5 0 0 4294967295\n6 0 0 1\n'`, "not fit for use: instruction 0 leads back"},
		{"slot", `printf '2\n2 0 0 16\n6 0 0 1\n'`, "no slot 16"},
		{"unknown code", `printf '1\n255 0 0 1\n'`, "not known"},
		{"fails", "echo 'tcpdump: some reason' >&2; echo more >&2; exit 1", `tcpdump says "some reason"`},
		{"fails silently", "exit 3", "tcpdump failed: exit status 3"},
		{"control characters", `printf '\033[2J' >&2; exit 1`, `says "\x1b[2J"`},
		{"too much", "while :; do echo 1; done", "printed more than 65536 bytes"},
		{"too much complaint", `i=0; while [ $i -lt 2000 ]; do echo 'much too much' >&2; i=$((i+1)); done; exit 1`, `says "much too much"`},
		{"too long a program", `echo 4097; i=0; while [ $i -lt 4097 ]; do echo 6 0 0 1; i=$((i+1)); done`, "has 4097 instructions"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f, err := New("ip[0] = ip[1]", Options{Tcpdump: fakeTcpdump(t, c.script), Timeout: time.Minute})
			if c.want == "" {
				if err != nil || f.Compiler() != "tcpdump" || f.String() != "ip[0] = ip[1]" {
					t.Fatal(f, err)
				}
				code, err := f.Program(packet.LinkRaw, 99)
				if err != nil || len(code) != 1 || code[0].K != 99 {
					t.Fatal(code, err)
				}
				return
			}
			var e *Error
			if !errors.As(err, &e) || !strings.Contains(err.Error(), c.want) || e.Column == 0 {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// TestTcpdumpAsItIsCalled looks at the process from the inside.
func TestTcpdumpAsItIsCalled(t *testing.T) {
	expression := "-ip[0] < ip[1] && (port 80 || port 90) | ip[2] > 7 - len"
	path := fakeTcpdump(t, `d=${0%/*}
[ -e $d/args ] && { `+acceptAll+`; exit; }
for a; do echo "[$a]"; done >$d/args
env >$d/env
cat /proc/self/status >$d/status
cat /proc/$$/stat >$d/stat
pwd >$d/pwd
`+acceptAll)
	t.Setenv("SECRET", "must not be seen")
	if _, err := New(expression, Options{Tcpdump: path, Timeout: time.Minute}); err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join(filepath.Dir(path), name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if got, want := read("args"), "[-O]\n[-ddd]\n[-y]\n[EN10MB]\n[--]\n["+expression+"]\n"; got != want {
		t.Errorf("arguments %q, want %q", got, want)
	}
	for line := range strings.Lines(read("env")) {
		name, _, _ := strings.Cut(line, "=")
		switch name {
		case "LC_ALL", "PATH", "PWD", "_", "SHLVL", "OLDPWD": // the first two; the others are the shell's
		default:
			t.Errorf("environment: %s", line)
		}
	}
	if got := read("pwd"); got != "/\n" {
		t.Errorf("working directory %q", got)
	}
	status := map[string]string{}
	for line := range strings.Lines(read("status")) {
		key, value, _ := strings.Cut(line, ":")
		status[key] = strings.Join(strings.Fields(value), " ")
	}
	if status["NoNewPrivs"] != "1" {
		t.Errorf("NoNewPrivs %s", status["NoNewPrivs"])
	}
	for _, set := range []string{"CapEff", "CapPrm", "CapAmb"} {
		if strings.Trim(status[set], "0") != "" {
			t.Errorf("%s %s", set, status[set])
		}
	}
	if os.Geteuid() == 0 {
		c := unprivileged()
		if want := strings.TrimSpace(strings.Repeat(fmt.Sprint(c.Uid, " "), 4)); status["Uid"] != want || c.Uid == 0 || status["Groups"] != "" {
			t.Errorf("user %s, want %s, groups %q", status["Uid"], want, status["Groups"])
		}
	}
	// pid (comm) state ppid pgrp
	stat := strings.Fields(read("stat"))
	if stat[0] != stat[4] {
		t.Errorf("process %s is in group %s", stat[0], stat[4])
	}
}

// TestTcpdumpHangs: what does not end is killed, with all that it started.
func TestTcpdumpHangs(t *testing.T) {
	path := fakeTcpdump(t, "d=${0%/*}\nsleep 1000 &\necho $! >$d/child.new; mv $d/child.new $d/child\nwait\n")
	_, err := New("ip[0] = ip[1]", Options{Tcpdump: path, Timeout: 300 * time.Millisecond})
	if err == nil || !strings.Contains(err.Error(), "not ready after 300ms") {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(filepath.Dir(path), "child"))
	if err != nil {
		t.Skip("the script did not get as far as its child within the time: ", err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	// The signal was sent before New returned; dying takes the process a moment.
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return // dead and reaped
	}
	defer unix.Close(fd)
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 10_000)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if n != 1 || err != nil {
			t.Errorf("process %d is alive: %v", pid, err)
		}
		return
	}
}

func TestFindTcpdump(t *testing.T) {
	fake := fakeTcpdump(t, acceptAll)
	t.Setenv("PATH", ".:relative:"+filepath.Dir(fake))
	if got, err := findTcpdump(""); err != nil || got != fake {
		t.Errorf("in PATH: %q, %v", got, err)
	}
	if got, err := findTcpdump(fake); err != nil || got != fake {
		t.Errorf("by path: %q, %v", got, err)
	}
	for _, path := range []string{"-", "/nowhere/tcpdump", "tcpdump", filepath.Dir(fake), "/etc/passwd"} {
		if got, err := findTcpdump(path); err == nil {
			t.Errorf("%q: %q", path, got)
		}
	}
}
