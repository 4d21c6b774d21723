package device

import (
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ethtool makes ioctl(SIOCETHTOOL) requests; all of those used here are open to
// every user (dev_ethtool in net/ethtool/ioctl.c).
type ethtool struct {
	fd   int
	name string
}

// newEthtool opens a socket to ask about the device of that name in the calling
// thread's namespace.
func newEthtool(name string) (*ethtool, error) {
	if len(name) == 0 || len(name) >= unix.IFNAMSIZ {
		return nil, unix.ENODEV
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		// A host without IPv4 answers on netlink.
		fd, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_GENERIC)
	}
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	return &ethtool{fd, name}, nil
}

func (e *ethtool) close() { unix.Close(e.fd) }

// do has the kernel work on request: a structure of linux/ethtool.h that starts
// with its command, as long as the command may make it.
func (e *ethtool) do(request []byte) error {
	// struct ifreq of linux/if.h with the member ifr_data of its union; the
	// kernel copies all 40 bytes.
	var ifreq struct {
		name [unix.IFNAMSIZ]byte
		data unsafe.Pointer
		rest [16]byte
	}
	copy(ifreq.name[:unix.IFNAMSIZ-1], e.name)
	ifreq.data = unsafe.Pointer(unsafe.SliceData(request))
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(e.fd), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&ifreq)))
	runtime.KeepAlive(request)
	if errno != 0 {
		return errno
	}
	return nil
}
