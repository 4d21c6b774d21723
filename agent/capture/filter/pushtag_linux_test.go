package filter

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// pushTag has the kernel put a VLAN tag on all frames that leave a device, as a
// VLAN device does: beside the frame, not into it. It is an eBPF program at the
// device's exit (TCX, Linux 6.6), for a kernel may lack VLAN devices. The result
// takes it off again.
func pushTag(t *testing.T, device string, etherType, tci uint16) (remove func()) {
	t.Helper()
	const vlanPush = 18 // bpf_skb_vlan_push of linux/bpf.h
	var code bytes.Buffer
	for _, in := range []struct {
		op, registers byte
		offset        int16
		constant      int32
	}{
		{0xb7, 2, 0, int32(networkOrder(etherType))},
		{0xb7, 3, 0, int32(tci)},
		{0x85, 0, 0, vlanPush},
		{0xb7, 0, 0, 0}, // TCX_PASS
		{0x95, 0, 0, 0},
	} {
		binary.Write(&code, binary.NativeEndian, in)
	}
	license := []byte("GPL\x00")
	load := struct {
		kind, count    uint32
		code, license  uint64
		level, logSize uint32
		log            uint64
		rest           [64]byte
	}{kind: unix.BPF_PROG_TYPE_SCHED_CLS, count: uint32(code.Len() / 8),
		code: uint64(uintptr(unsafe.Pointer(&code.Bytes()[0]))), license: uint64(uintptr(unsafe.Pointer(&license[0])))}
	program, _, errno := unix.Syscall(unix.SYS_BPF, unix.BPF_PROG_LOAD, uintptr(unsafe.Pointer(&load)), unsafe.Sizeof(load))
	runtime.KeepAlive(code.Bytes())
	runtime.KeepAlive(license)
	if errno != 0 {
		t.Skip("cannot load an eBPF program that tags frames: ", errno)
	}
	defer unix.Close(int(program))
	attach := struct {
		program, device, point uint32
		rest                   [52]byte
	}{program: uint32(program), device: uint32(interfaceIndex(t, device)), point: unix.BPF_TCX_EGRESS}
	link, _, errno := unix.Syscall(unix.SYS_BPF, unix.BPF_LINK_CREATE, uintptr(unsafe.Pointer(&attach)), unsafe.Sizeof(attach))
	if errno != 0 {
		t.Skip("cannot attach an eBPF program that tags frames: ", errno)
	}
	return func() { unix.Close(int(link)) }
}
