package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"strings"
)

// capNetRaw is CAP_NET_RAW of linux/capability.h.
const capNetRaw = 13

// privileges is what this process may do (proc_pid_status(5)).
type privileges struct {
	uid                           int
	user                          string // name or number
	binary                        string // path of the program
	effective, permitted, bounded bool   // CAP_NET_RAW is in that set
	noNewPrivs                    bool
	fileCapability                bool // the binary carries CAP_NET_RAW itself
	unit                          bool // the service's unit is installed
}

func readPrivileges() (p privileges) {
	p.uid, p.user = os.Geteuid(), userName(os.Geteuid())
	if p.binary, _ = os.Executable(); p.binary == "" {
		p.binary = programCommand
	}
	status, _ := os.ReadFile("/proc/thread-self/status")
	has := func(set string) bool {
		bits, err := strconv.ParseUint(statusField(status, set), 16, 64)
		return err == nil && bits>>capNetRaw&1 == 1
	}
	p.effective, p.permitted, p.bounded = has("CapEff"), has("CapPrm"), has("CapBnd")
	p.noNewPrivs = statusField(status, "NoNewPrivs") == "1"
	p.fileCapability = hasFileCapability("/proc/self/exe", capNetRaw)
	for _, dir := range []string{"/etc/systemd/system/", "/usr/lib/systemd/system/", "/lib/systemd/system/"} {
		unit, err := os.ReadFile(dir + programCommand + ".service")
		if p.unit = err == nil && grantsNetRaw(string(unit)); p.unit || !errors.Is(err, fs.ErrNotExist) {
			break // the first one that is there counts (systemd.unit(5))
		}
	}
	return p
}

// grantsNetRaw says whether a unit gives its process the capability.
func grantsNetRaw(unit string) bool {
	for line := range strings.Lines(unit) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), "AmbientCapabilities="); ok && strings.Contains(value, "CAP_NET_RAW") {
			return true
		}
	}
	return false
}

// statusField gives the value of a line of /proc/PID/status.
func statusField(status []byte, name string) string {
	for line := range bytes.Lines(status) {
		if value, ok := bytes.CutPrefix(line, []byte(name+":")); ok {
			return string(bytes.TrimSpace(value))
		}
	}
	return ""
}

func userName(uid int) string {
	id := strconv.Itoa(uid)
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return id
}

// checkPrivileges judges what the process has by what it got: socket is the
// error of opening a packet socket.
func checkPrivileges(p privileges, socket error) finding {
	f := finding{Check: "privileges", Status: statusOK}
	switch {
	case socket == nil && p.uid == 0:
		f.Detail = "CAP_NET_RAW is effective (user root, which the service need not be)"
	case socket == nil:
		f.Detail = fmt.Sprintf("CAP_NET_RAW is effective (user %s)", p.user)
	case p.effective:
		f.Status = statusFail
		f.Detail = fmt.Sprintf("CAP_NET_RAW is effective (user %s), but the kernel refuses a packet socket: %v", p.user, socket)
		f.Action = "look for a seccomp filter or security module that forbids AF_PACKET, or a user namespace that does not own the network (container: --security-opt seccomp=..., --userns=host)"
	default:
		f.Status = statusFail
		f.Detail = fmt.Sprintf("CAP_NET_RAW is missing (user %s)%s", p.user, whyMissing(p))
		f.Action = howToGrant(p)
		if p.unit && p.bounded {
			f.Status = statusWarn
			f.Detail += "; the service's unit grants it to the service"
			f.Action = "run as root for a full check: sudo " + programCommand + " doctor"
		}
	}
	return f
}

// whyMissing says what keeps the process from having what it could have.
func whyMissing(p privileges) string {
	switch {
	case !p.bounded:
		return ": it is not in the bounding set, no program here can have it"
	case p.permitted:
		return ": it is permitted, but not effective"
	case p.fileCapability && p.noNewPrivs:
		return ": the binary carries it, but no_new_privs is set"
	case p.fileCapability:
		return ": the binary carries it, but its file system is mounted nosuid or the capability is not effective (+p without e)"
	}
	return ""
}

func howToGrant(p privileges) string {
	if !p.bounded {
		return "let the container or unit have it: --cap-add NET_RAW, or CapabilityBoundingSet=CAP_NET_RAW"
	}
	if p.fileCapability && p.noNewPrivs {
		return "start it without no_new_privs, or by systemd with AmbientCapabilities=CAP_NET_RAW"
	}
	return fmt.Sprintf("one of: setcap cap_net_raw+ep %s; systemd AmbientCapabilities=CAP_NET_RAW; run as root", p.binary)
}
