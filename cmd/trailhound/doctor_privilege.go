package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"strings"

	"trailhound/agent/privilege"
)

// privileges is what this process may do.
type privileges struct {
	privilege.State
	uid    int
	user   string        // name or number
	binary string        // path of the program
	file   privilege.Set // what the binary carries itself
	unit   bool          // the service's unit is installed
}

func readPrivileges() (p privileges) {
	p.uid, p.user = os.Geteuid(), userName(os.Geteuid())
	if p.binary, _ = os.Executable(); p.binary == "" {
		p.binary = programCommand
	}
	p.State, _ = privilege.Read() // it cannot fail but under a filter that forbids asking
	p.file = privilege.OfFile("/proc/self/exe")
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
	case p.Effective.Has(privilege.NetRaw):
		f.Status = statusFail
		f.Detail = fmt.Sprintf("CAP_NET_RAW is effective (user %s), but the kernel refuses a packet socket: %v", p.user, socket)
		f.Action = "look for a seccomp filter or security module that forbids AF_PACKET, or a user namespace that does not own the network (container: --security-opt seccomp=..., --userns=host)"
	default:
		f.Status = statusFail
		f.Detail = fmt.Sprintf("CAP_NET_RAW is missing (user %s)%s", p.user, whyMissing(p))
		f.Action = howToGrant(p)
		if p.unit && p.Bounding.Has(privilege.NetRaw) {
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
	case !p.Bounding.Has(privilege.NetRaw):
		return ": it is not in the bounding set, no program here can have it"
	case p.Permitted.Has(privilege.NetRaw):
		return ": it is permitted, but not effective"
	case p.file.Has(privilege.NetRaw) && p.NoNewPrivs:
		return ": the binary carries it, but no_new_privs is set"
	case p.file.Has(privilege.NetRaw):
		return ": the binary carries it, but its file system is mounted nosuid or the capability is not effective (+p without e)"
	}
	return ""
}

func howToGrant(p privileges) string {
	if !p.Bounding.Has(privilege.NetRaw) {
		return "let the container or unit have it: --cap-add NET_RAW, or CapabilityBoundingSet=CAP_NET_RAW"
	}
	if p.file.Has(privilege.NetRaw) && p.NoNewPrivs {
		return "start it without no_new_privs, or by systemd with AmbientCapabilities=CAP_NET_RAW"
	}
	return fmt.Sprintf("one of: setcap cap_net_raw+ep %s; systemd AmbientCapabilities=CAP_NET_RAW; run as root", p.binary)
}
