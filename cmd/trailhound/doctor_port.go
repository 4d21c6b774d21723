package main

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"trailhound/agent/capture/device"
	"trailhound/agent/config"
)

// port is a device that would be captured.
type port struct {
	device.Device
	named bool // by its own name: it is expected to carry something
}

func portName(d device.Device) string { return "interface " + d.Name }

// choosePorts says what the entries of capture.interfaces come to on this host:
// the devices that would be captured, and what is to be said of the others.
func choosePorts(entries []config.Interface, devices []device.Device) (ports []port, all []finding) {
	chosen := make(map[int]*port)
	for _, e := range entries {
		found := false
		for _, d := range devices {
			if !matches(e, d.Name) {
				continue
			}
			found = true
			if chosen[d.Index] == nil {
				chosen[d.Index] = &port{Device: d}
			}
			if e.Name == d.Name {
				chosen[d.Index].named = true
			}
		}
		if !found {
			all = append(all, notThere(e, devices))
		}
	}
	uppers := device.Uppers(devices, func(index int) bool { return chosen[index] != nil })
	var idle []string
	for _, d := range devices {
		p := chosen[d.Index]
		switch {
		case p == nil:
		case uppers[d.Index] && !p.named:
			all = append(all, finding{portName(d), statusOK, kindOf(d) + ", skipped: repeats what is captured on " + some(below(d, devices)), ""})
		case !d.Up && p.named:
			all = append(all, finding{portName(d), statusWarn, describe(d), "ip link set " + d.Name + " up"})
		case !d.Up:
			idle = append(idle, d.Name)
		default:
			ports = append(ports, *p)
			if uppers[d.Index] {
				all = append(all, finding{portName(d), statusWarn, kindOf(d) + ", named though it repeats what is captured on " + some(below(d, devices)) + ": packets count twice",
					"name either this interface or those below it in capture.interfaces"})
			}
		}
	}
	if len(idle) > 0 {
		all = append(all, finding{"interfaces", statusOK, "down, captured as soon as they are up: " + some(idle), ""})
	}
	if len(ports) == 0 && !failed(all) {
		all = append(all, finding{"interfaces", statusFail, "there is nothing to capture on: no configured interface is up", "bring one up, or correct capture.interfaces"})
	}
	return ports, all
}

// matches says whether an entry means the device.
func matches(e config.Interface, name string) bool {
	if e.Name == config.Any || e.Name == name {
		return true
	}
	ok, err := path.Match(e.Name, name)
	return e.Glob() && ok && err == nil
}

func notThere(e config.Interface, devices []device.Device) finding {
	f := finding{Check: "interface " + e.Name, Status: statusFail, Detail: "there is no such interface"}
	if e.Glob() {
		f.Detail = "no interface matches"
	}
	if e.Optional {
		f.Status = statusOK
		f.Detail += "; it is optional: captured when it appears"
		return f
	}
	names := make([]string, len(devices))
	for i, d := range devices {
		names[i] = d.Name
	}
	slices.Sort(names)
	f.Action = "correct capture.interfaces or make the entry optional; there are: " + some(names)
	return f
}

// below names the devices whose packets an upper device repeats.
func below(d device.Device, devices []device.Device) (names []string) {
	for _, o := range devices {
		if o.Index == d.Lower || o.Master == d.Index || slices.Contains(d.Ports, o.Index) || d.Kind == "" && o.Index == d.Master {
			names = append(names, o.Name)
		}
	}
	return names
}

func kindOf(d device.Device) string {
	switch {
	case d.Loopback:
		return "loopback"
	case d.Kind == "":
		return "hardware"
	}
	return d.Kind
}

// describe says what a device is: "veth, up, no carrier, MTU 1500".
func describe(d device.Device) string {
	state := "down"
	switch {
	case d.Up && d.Carrier:
		state = "up"
	case d.Up:
		state = "up, no carrier"
	}
	return fmt.Sprintf("%s, %s, MTU %d", kindOf(d), state, d.MTU)
}

// some lists names, the first ten of them.
func some(names []string) string {
	const most = 10
	if n := len(names) - most; n > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), n)
	}
	return strings.Join(names, ", ")
}
