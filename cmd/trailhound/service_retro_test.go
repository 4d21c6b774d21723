package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"trailhound/agent/status"
	"trailhound/tests/corpus"
	"trailhound/trails"
	"trailhound/trails/table"
)

// publish renames a table of names into place. The one before is what it knows the
// ages of trails by.
func publishNames(t *testing.T, path string, age time.Duration, names ...string) {
	t.Helper()
	opt := table.Options{Seed: 1, Now: time.Now().Add(-age)}
	if old, err := table.Open(path); err == nil {
		defer old.Close()
		opt.Previous = old
	}
	b := table.NewBuilder(opt)
	p := b.Provenance(trails.Provenance{Info: "late (malware)", Reference: trails.ReferenceStatic})
	for _, name := range names {
		b.Add(trails.Domain, []byte(name), p)
	}
	if err := b.WriteFile(path + ".part"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".part", path); err != nil {
		t.Fatal(err)
	}
}

// asks has the other side ask for names.
func (c *clinic) asks(t *testing.T, names ...string) {
	t.Helper()
	if err := c.in(c.there, func() error {
		conn, err := net.ListenUDP("udp4", &net.UDPAddr{})
		if err != nil {
			return err
		}
		defer conn.Close()
		for _, name := range names {
			if _, err := conn.WriteTo([]byte(corpus.Query(corpus.Ask(name))), &net.UDPAddr{IP: net.IPv4(10, 98, 0, 1), Port: 53}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// TestServiceRetro: names that were asked for before their trails came are told
// when they do, also when the sensor was started again in between; and a memory
// that is damaged is said and put aside.
func TestServiceRetro(t *testing.T) {
	c := newClinic(t)
	_, _, dir := c.nobody(t)
	config, socket := filepath.Join(c.dir, "retro.yaml"), filepath.Join(dir, "status.sock")
	trailTable, kept := filepath.Join(dir, tableFile), filepath.Join(dir, retroFile)
	configure(t, config, "state: %s\nstatus: {listen: \"unix:%s\"}\nretro: {memory: 1MiB, persist: true}\ndetection: {home_networks: {lab: [10.98.0.0/16]}}\n"+
		"outputs:\n  - {name: all, type: csv, path: \"%s/all.csv\", health: false}\n", dir, socket, dir)
	client, err := status.NewClient("unix:" + socket)
	if err != nil {
		t.Fatal(err)
	}
	retroOf := func() (r status.Retro) {
		now, _, err := client.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return now.Retro
	}
	noted := func(n uint64) {
		t.Helper()
		eventually(t, func() string { return fmt.Sprintf("%d entries: %+v", n, retroOf()) }, func() bool { return retroOf().Entries >= n })
	}
	began := time.Now().Truncate(time.Minute)
	base := make([]string, 100)
	for i := range base {
		base[i] = fmt.Sprintf("base%d.example.net", i)
	}
	publishNames(t, trailTable, time.Hour, base...)

	first := c.run(t, config, "nobody")
	first.until("capturing", says("capturing"))
	c.asks(t, "www.late.example.net", "other.example.org", "base1.example.net")
	noted(8)
	publishNames(t, trailTable, time.Minute/2, append(base, "late.example.net", "never.example.net")...)
	first.until("looked up", says("new trails looked up in what was seen before"))
	checked := func(generation uint64) {
		t.Helper()
		eventually(t, func() string { return fmt.Sprintf("checked: %+v", retroOf()) }, func() bool { return retroOf().LastCheck.Generation == generation })
	}
	checked(2)
	if r := retroOf(); r.LastCheck.Keys != 2 || r.LastCheck.Hits != 1 || r.Hits != 1 || r.Recalled != 1 || r.LastCheck.Generation != 2 || !r.Persisted || r.Since.Before(began) {
		t.Errorf("%+v", r)
	}
	page, err := func() (string, error) {
		var out bytes.Buffer
		now, _, err := client.Status(t.Context())
		if err == nil {
			(&statusPage{w: &out, now: now}).print()
		}
		return out.String(), err
	}()
	if err != nil || !strings.Contains(page, "remembered") || !strings.Contains(page, "2 new trails looked up") {
		t.Errorf("%v\n%s", err, page)
	}
	if err := first.end(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(kept); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatal(info, err)
	}

	// While it does not run the next trails come.
	publishNames(t, trailTable, -5*time.Minute, append(base, "late.example.net", "never.example.net", "other.example.org")...)
	second := c.run(t, config, "nobody")
	second.until("remembered", says("names and addresses of the run before are remembered"))
	second.until("looked up", says("new trails looked up in what was seen before"))
	checked(1)
	if r := retroOf(); r.LastCheck.Keys != 1 || r.Recalled != 1 {
		t.Errorf("%+v", r)
	}
	if err := second.end(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	var told []string
	text, err := os.ReadFile(filepath.Join(dir, "all.csv"))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := func(name string) int { return slices.Index(rows[0], name) }
	for _, row := range rows[1:] {
		if row[column("dst_ip")] == "-" { // nobody noted where the question went
			told = append(told, row[column("trail")]+" "+row[column("src_ip")]+" "+row[column("severity")]+" "+row[column("direction")])
		}
	}
	if fmt.Sprint(told) != "[late.example.net 10.98.0.2 high outbound other.example.org 10.98.0.2 high outbound]" {
		t.Errorf("%q", told)
	}

	// Damage is said, and nothing is lost by it but the past.
	os.Truncate(kept, 100)
	third := c.run(t, config, "nobody")
	third.until("damage", says("what was remembered of names and addresses cannot be used: it begins anew"))
	third.until("capturing", says("capturing"))
	if _, err := os.Stat(kept + ".bad"); err != nil {
		t.Error(err)
	}
	if err := third.end(syscall.SIGTERM); err != nil {
		t.Error(err)
	}

	// What is not to be kept is removed.
	text, _ = os.ReadFile(config)
	writeTest(t, config, strings.Replace(string(text), "persist: true", "persist: false", 1))
	fourth := c.run(t, config, "nobody")
	fourth.until("capturing", says("capturing"))
	if _, err := os.Stat(kept); !os.IsNotExist(err) {
		t.Error(err)
	}
	if err := fourth.end(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
}
