package main

import (
	"encoding/csv"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"trailhound/agent/config"
	"trailhound/tests/corpus"
	"trailhound/trails"
	"trailhound/trails/table"
)

func TestStrays(t *testing.T) {
	c := config.Default()
	var list []netip.Addr
	for _, a := range []string{"203.0.113.5", "10.0.0.1", "fe80::1", "127.0.0.1", "::1", "2a00::1", "203.0.113.4", "2a00::1"} {
		list = append(list, netip.MustParseAddr(a))
	}
	want := []netip.Addr{list[6], list[0], list[5]}
	if got := strays(c, list); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	c.Detection.HomeNetworks = map[string][]netip.Prefix{}
	if got := strays(c, list); len(got) != 0 {
		t.Errorf("without home networks %v", got)
	}
}

// TestServiceAddresses: the host's own addresses are at home, those that it gets
// while the sensor runs too.
func TestServiceAddresses(t *testing.T) {
	c := newClinic(t)
	_, _, dir := c.nobody(t)
	b := table.NewBuilder(table.Options{Seed: 1})
	prov := b.Provenance(trails.Provenance{Info: "test", Reference: trails.ReferenceStatic})
	listed := netip.MustParseAddr("198.51.100.66").As4()
	b.Add(trails.Address, listed[:], prov)
	if err := b.WriteFile(filepath.Join(dir, "t.thd")); err != nil {
		t.Fatal(err)
	}
	c.here.IP("addr add 203.0.113.4/32 dev lo")
	config, events := filepath.Join(c.dir, "addresses.yaml"), filepath.Join(dir, "events.csv")
	configure(t, config, "state: %s\noutputs: [{name: local, type: csv, path: %s}]\nstatus: {listen: \"\"}\ntrails: {table: %s/t.thd}\nsuppress: {aggregate: 0s}\n",
		dir, events, dir)
	s := c.run(t, config, "nobody")
	s.until("capturing", says("capturing"))
	send := c.there.Socket("v1")
	port := uint16(1000)
	// goes sends SYNs of the listed address until an event has the direction.
	goes := func(to, direction string) {
		t.Helper()
		var rows [][]string
		eventually(t, func() string { return "an event to " + to + " is " + direction }, func() bool {
			port++ // another flow: the same is one event a second
			unix.Write(send, corpus.IP("198.51.100.66", to, corpus.Syn(port, 443)).Ethernet().Data)
			f, err := os.Open(events)
			if err != nil {
				return false
			}
			defer f.Close()
			r := csv.NewReader(f)
			r.FieldsPerRecord = -1
			rows, _ = r.ReadAll()
			return slices.ContainsFunc(rows, func(row []string) bool { return slices.Contains(row, to) && slices.Contains(row, direction) })
		})
	}
	goes("203.0.113.4", "inbound")
	goes("203.0.113.5", "external")
	c.here.IP("addr add 203.0.113.5/24 dev v0")
	s.until("the address is known", func(l logLine) bool { return strings.HasPrefix(l.Msg, "this host has other addresses") })
	goes("203.0.113.5", "inbound")
	c.here.IP("addr del 203.0.113.4/32 dev lo")
	s.until("the address is gone", func(l logLine) bool { return strings.HasPrefix(l.Msg, "this host has other addresses") })
	goes("203.0.113.4", "external")
	if err := s.end(syscall.SIGTERM); err != nil {
		t.Errorf("the end: %v", err)
	}
}
