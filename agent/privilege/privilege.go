// Package privilege gives up what the sensor no longer needs.
//
// A sensor needs CAP_NET_RAW to open its packet sockets, and nothing after
// that. A process that was started as root changes to the service's user first
// (ChangeUser) and then gives up every capability in every thread (Drop). The
// order at the start is: open the files and sockets that need a privilege,
// ChangeUser, Drop, then everything that reads what others sent.
//
// Capabilities belong to threads, not to processes (capabilities(7)), and the
// Go runtime starts threads when it likes. Drop therefore asks the runtime to
// make the system call in all of them; a thread that is started later inherits
// from one that has nothing left. This needs a binary without cgo, whose
// threads the runtime would not know.
package privilege

import (
	"fmt"
	"os"
	"strings"
)

// Set is a set of capabilities: bit n is capability n of
// <linux/capability.h>.
type Set uint64

// NetRaw is CAP_NET_RAW: to open packet sockets.
const NetRaw = 13

// Has says whether capability n is in the set.
func (s Set) Has(n uint) bool { return n < 64 && s&(1<<n) != 0 }

// names are those of <linux/capability.h> by number, up to Linux 5.9
// (CAP_CHECKPOINT_RESTORE).
var names = [...]string{"chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid",
	"setpcap", "linux_immutable", "net_bind_service", "net_broadcast", "net_admin", "net_raw", "ipc_lock", "ipc_owner",
	"sys_module", "sys_rawio", "sys_chroot", "sys_ptrace", "sys_pacct", "sys_admin", "sys_boot", "sys_nice",
	"sys_resource", "sys_time", "sys_tty_config", "mknod", "lease", "audit_write", "audit_control", "setfcap",
	"mac_override", "mac_admin", "syslog", "wake_alarm", "block_suspend", "audit_read", "perfmon", "bpf",
	"checkpoint_restore"}

// String names the capabilities as capabilities(7) does, in lower case; "none"
// and "all" for these two sets.
func (s Set) String() string {
	const all = 1<<len(names) - 1
	switch s & all {
	case 0:
		return "none"
	case all:
		return "all"
	}
	var list []string
	for n, name := range names {
		if s.Has(uint(n)) {
			list = append(list, "cap_"+name)
		}
	}
	return strings.Join(list, ",")
}

// UnderSystemd says whether systemd started this process as a service, and so
// has chosen its user. INVOCATION_ID alone does not show that: a shell started
// by a service hands it on. Ask before the notification code clears the
// environment.
func UnderSystemd() bool {
	if os.Getenv("NOTIFY_SOCKET") != "" {
		return true
	}
	// SYSTEMD_EXEC_PID (systemd 248): the process that it is about.
	return os.Getenv("SYSTEMD_EXEC_PID") == fmt.Sprint(os.Getpid()) ||
		os.Getenv("INVOCATION_ID") != "" && os.Getppid() == 1
}
