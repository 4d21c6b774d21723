package live

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"trailhound/agent/capture/device"
)

// entry is one entry of the interfaces with what is captured for it.
type entry struct {
	Interface
	crew  *crew
	links []*link
	past  []Kernel // of closed rings of an interface given by name, by worker
}

func newEntry(i Interface, w *crew) *entry {
	return &entry{Interface: i, crew: w, past: make([]Kernel, len(w.sources))}
}

func (i Interface) any() bool { return i.Name == Any }

func (i Interface) glob() bool { return strings.ContainsAny(i.Name, `*?[\`) }

func (i Interface) exact() bool { return !i.any() && !i.glob() }

// checkInterfaces says what is wrong with the entries in themselves.
func checkInterfaces(list []Interface) error {
	if len(list) == 0 {
		return fmt.Errorf("no interface to capture")
	}
	names := make(map[string]bool)
	for _, i := range list {
		if names[i.Name] {
			return fmt.Errorf("interface %q is given twice", i.Name)
		}
		names[i.Name] = true
		if _, err := path.Match(i.Name, ""); err != nil || i.Name == "" {
			return fmt.Errorf("interface %q: not a name or pattern", i.Name)
		}
		if i.any() && len(list) > 1 {
			return fmt.Errorf("interface %q captures all interfaces, so it must be the only entry", i.Name)
		}
	}
	return nil
}

// checkThere says which of the entries names an interface that is not there and
// has to be.
func (c *Capture) checkThere(entries []*entry, list []device.Device) error {
	for _, e := range entries {
		if !e.exact() || e.Optional || len(e.links) > 0 {
			continue
		}
		if _, ok := device.Find(list, e.Name); !ok {
			names := make([]string, len(list))
			for i, d := range list {
				names[i] = d.Name
			}
			slices.Sort(names)
			return fmt.Errorf("interface %q does not exist; there are: %s (mark it optional to wait for it)", e.Name, strings.Join(names, ", "))
		}
	}
	return nil
}

// choose says which devices are to be captured for which entry. An interface
// given by name is captured always. One that is captured goes on under a new
// name, as long as it is not deleted. Of those that match a pattern, uppers
// that only repeat what a captured device shows are left out.
func choose(entries []*entry, list []device.Device) map[*entry][]device.Device {
	chosen := make(map[*entry][]device.Device)
	taken := make(map[int]bool)
	take := func(e *entry, d device.Device) {
		taken[d.Index] = true
		chosen[e] = append(chosen[e], d)
	}
	there := func(e *entry) []device.Device {
		return slices.DeleteFunc(slices.Clone(list), func(d device.Device) bool {
			return taken[d.Index] || !slices.ContainsFunc(e.links, func(l *link) bool { return l.index == d.Index })
		})
	}
	for _, e := range entries { // first those that go on, then by name
		if e.exact() {
			for _, d := range there(e) {
				take(e, d)
			}
		}
	}
	for _, e := range entries {
		if e.exact() && len(chosen[e]) == 0 {
			if d, ok := device.Find(list, e.Name); ok && !taken[d.Index] {
				take(e, d)
			}
		}
	}
	named := make(map[int]bool)
	for index := range taken {
		named[index] = true
	}
	for _, e := range entries {
		if e.glob() {
			for _, d := range there(e) {
				take(e, d)
			}
		}
	}
	for _, e := range entries {
		if !e.glob() {
			continue
		}
		for _, d := range list {
			if ok, _ := path.Match(e.Name, d.Name); ok && !taken[d.Index] {
				take(e, d)
			}
		}
	}
	repeats := device.Uppers(list, func(index int) bool { return taken[index] })
	for e, devices := range chosen {
		if e.glob() {
			chosen[e] = slices.DeleteFunc(devices, func(d device.Device) bool { return repeats[d.Index] && !named[d.Index] })
		}
	}
	return chosen
}
