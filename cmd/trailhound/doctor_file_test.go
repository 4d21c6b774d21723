package main

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trailhound/agent/config"
	"trailhound/agent/status"
)

func TestJudgeTrails(t *testing.T) {
	now := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	const most = 72 * time.Hour
	for _, c := range []struct {
		what                   string
		t                      trailFacts
		status, detail, action string
	}{
		{"fresh", trailFacts{path: "/t", number: 1600000, created: now.Add(-30 * time.Hour)}, statusOK, "1600000 trails of /t, 30 hours old", ""},
		{"compiled now", trailFacts{path: "/t.csv", number: 3}, statusOK, "3 trails of /t.csv", ""},
		{"old", trailFacts{path: "/t", number: 3, created: now.AddDate(0, 0, -9)}, statusWarn, "9 days old: more than trails.max_age (3 days)", "newer"},
		{"of the future", trailFacts{path: "/t", number: 3, created: now.AddDate(0, 0, 9)}, statusWarn, "in the future", "clock"},
		{"starter set", trailFacts{starter: true, path: "/var/lib/trailhound/trails.thd"}, statusWarn, "no protection by itself", "trails build"},
		{"empty", trailFacts{path: "/t"}, statusWarn, "holds no trail", "build"},
		{"broken", trailFacts{path: "/t", err: errors.New(`cannot open trail table "/t": damaged`)}, statusFail, "damaged", "trails.table"},
	} {
		judgeTrails(c.t, most, now).is(t, c.what, c.status, c.detail, c.action)
	}
	judgeTrails(trailFacts{path: "/t", number: 3, created: now.AddDate(-1, 0, 0)}, 0, now).is(t, "no limit", statusOK, "365 days old", "")
}

func TestCheckTrailsReal(t *testing.T) {
	var errs strings.Builder
	a := &app{streams: &streams{err: &errs}}
	c := config.Default()
	c.State = t.TempDir()
	a.checkTrails(c, nil).is(t, "starter", statusWarn, filepath.Join(c.State, tableFile), "build")
	list := filepath.Join(c.State, "own.txt")
	if err := os.WriteFile(list, []byte("evil.example\n1.2.3.4\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	a.checkTrails(c, []string{list}).is(t, "own list", statusOK, "2 trails of "+list, "")
	c.Trails.Table = filepath.Join(c.State, "none.thd")
	a.checkTrails(c, nil).is(t, "missing", statusFail, "none.thd", "trails.table")
}

func TestCheckWhitelist(t *testing.T) {
	a := &app{streams: &streams{err: &strings.Builder{}}}
	c := config.Default()
	dir := tree(t, map[string]string{"good": "one.example\n10.0.0.0/8\n", "bad": "one.example\n!!!\n"})
	good, bad := filepath.Join(dir, "good"), filepath.Join(dir, "bad")
	a.checkWhitelist(c, nil).is(t, "built in", statusOK, "entries built in", "")
	a.checkWhitelist(c, []string{noWhitelist}).is(t, "none", statusOK, "none", "")
	c.Trails.Whitelist, c.Trails.BuiltinWhitelist = []string{good}, false
	a.checkWhitelist(c, nil).is(t, "own", statusOK, "2 of "+good, "")
	a.checkWhitelist(c, []string{bad}).is(t, "malformed", statusWarn, "1 line of "+bad+" malformed", "correct them")
	a.checkWhitelist(c, []string{filepath.Join(dir, "gone")}).is(t, "missing", statusFail, "cannot read whitelist", "readable")
}

func TestCheckWritten(t *testing.T) {
	const gib = 1 << 30
	root := place{path: "/", mode: 0o755, free: 9 * gib}
	dir := func(change func(*place)) []place {
		p := place{path: "/data", mode: 0o750, uid: 990, gid: 990, free: 9 * gib}
		change(&p)
		return []place{root, p}
	}
	own := func(*place) {}
	service := runner{name: "trailhound", uid: 990, gids: []int{990, 4}}
	self := runner{name: "ann", uid: 1000, self: true}
	for _, c := range []struct {
		what                   string
		w                      written
		who                    runner
		status, detail, action string
	}{
		{"own", written{dir: "/data", made: true, above: dir(own)}, service, statusOK, "/data is writable, 9.0 GiB free; checked for user trailhound by owner and mode", ""},
		{"of root", written{dir: "/data", made: true, above: dir(func(p *place) { p.uid, p.gid = 0, 0 })}, service, statusFail, "/data has mode 0750 of root", "install -d -o trailhound -m 0750 /data"},
		{"by group", written{dir: "/data", made: true, above: dir(func(p *place) { p.uid, p.gid, p.mode = 0, 4, 0o2770 })}, service, statusOK, "writable", ""},
		{"by group, not to write", written{dir: "/data", made: true, above: dir(func(p *place) { p.uid, p.gid = 0, 4 })}, service, statusFail, "0750", "install"},
		{"owner shut out by its own bits", written{dir: "/data", made: true, above: dir(func(p *place) { p.mode = 0o577 })}, service, statusFail, "0577", "install"},
		{"by anyone", written{dir: "/data", made: true, above: dir(func(p *place) { p.uid, p.gid, p.mode = 0, 0, 0o1777 })}, service, statusOK, "writable", ""},
		{"shut above", written{dir: "/data/x", made: true, above: append(dir(func(p *place) { p.uid, p.gid, p.mode = 0, 0, 0o700 }), place{path: "/data/x", uid: 990, mode: 0o755})}, service, statusFail, "/data has mode 0700", "install"},
		{"to be made", written{dir: "/data/x", above: dir(own)}, service, statusOK, "/data/x does not exist and can be made", ""},
		{"cannot be made", written{dir: "/data", above: []place{root}}, service, statusFail, "/data (to be made) is not writable: / has mode 0755", "install -d -o trailhound -m 0750 /data"},
		{"read-only file system", written{dir: "/data", made: true, above: dir(func(p *place) { p.readOnly = true })}, service, statusFail, "read-only file system", "mount it writable"},
		{"full", written{dir: "/data", made: true, above: dir(func(p *place) { p.free = 10 << 20 })}, service, statusWarn, "10 MiB free", "make room"},
		{"file of root", written{dir: "/data", file: "/data/e.csv", made: true, above: dir(own), is: &place{path: "/data/e.csv", mode: 0o640}}, service, statusFail, "/data/e.csv: /data/e.csv has mode 0640 of root", "chown trailhound /data/e.csv"},
		{"the kernel says no", written{dir: "/data", made: true, above: dir(func(p *place) { p.access = errors.New("permission denied") })}, self, statusFail, "permission denied; checked as user ann", "install"},
		{"the kernel says yes", written{dir: "/data", made: true, above: dir(own)}, self, statusOK, "writable", ""},
		{"nothing to see", written{dir: "/data", err: os.ErrPermission}, self, statusFail, "cannot look at", "install"},
	} {
		c.w.check = "state directory"
		checkWritten(c.w, c.who).is(t, c.what, c.status, c.detail, c.action)
	}
}

func TestWrittenPaths(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	c := config.Default()
	c.State = filepath.Join(dir, "a", "b")
	if err := os.Symlink(dir, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	list := writtenPaths(c)
	if len(list) != 2 || list[0].made || list[0].err != nil || list[0].above[len(list[0].above)-1].path != dir || list[0].above[0].path != "/" {
		t.Fatalf("%+v", list)
	}
	if list[1].check != "output local" || list[1].file != "/var/log/trailhound/events.csv" {
		t.Errorf("%+v", list[1])
	}
	w := written{dir: filepath.Join(dir, "link")}
	if w.look(); !w.made || w.above[len(w.above)-1].path != dir || w.above[0].free <= 0 {
		t.Errorf("through a link: %+v", w)
	}
}

func TestJudgeEndpoint(t *testing.T) {
	for _, c := range []struct {
		what                   string
		e                      endpoint
		status, detail, action string
	}{
		{"off", endpoint{}, statusOK, "off", ""},
		{"free", endpoint{listen: "127.0.0.1:8339"}, statusOK, "127.0.0.1:8339 is free", ""},
		{"running", endpoint{listen: "127.0.0.1:8339", sensor: "0.3"}, statusOK, "a running sensor answers at 127.0.0.1:8339 (version 0.3)", ""},
		{"taken", endpoint{listen: "127.0.0.1:8339", refused: errors.New("address already in use")}, statusFail, "address already in use", "status.listen"},
		{"wrong", endpoint{listen: "x", wrong: errors.New("no address")}, statusFail, "no address", "status.listen"},
		{"later", endpoint{listen: "unix:/run/x/s", refused: os.ErrNotExist, later: true}, statusWarn, "does not exist now", "RuntimeDirectory"},
	} {
		judgeEndpoint(c.e).is(t, c.what, c.status, c.detail, c.action)
	}
}

func TestCheckEndpointReal(t *testing.T) {
	ctx, self := context.Background(), runner{name: "ann", uid: os.Geteuid(), self: true}
	sensor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		json.NewEncoder(w).Encode(status.Snapshot{Version: status.Version{Version: "9.9"}})
	}))
	defer sensor.Close()
	checkEndpoint(ctx, sensor.Listener.Addr().String(), self).is(t, "sensor", statusOK, "version 9.9", "")

	other := httptest.NewServer(http.NotFoundHandler())
	taken := other.Listener.Addr().String()
	checkEndpoint(ctx, taken, self).is(t, "another program", statusFail, "cannot listen at "+taken, "status.listen")
	other.Close()
	checkEndpoint(ctx, taken, self).is(t, "free again", statusOK, "is free", "")

	dir, err := os.MkdirTemp("", "thdv-") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	checkEndpoint(ctx, "unix:"+dir+"/s", self).is(t, "free socket", statusOK, "is free", "")
	checkEndpoint(ctx, "unix:"+dir+"/none/s", self).is(t, "no directory", statusWarn, "does not exist now", "make it")
	if err := os.WriteFile(dir+"/file", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	checkEndpoint(ctx, "unix:"+dir+"/file", self).is(t, "a file", statusFail, "a file of that name", "status.listen")
	l, err := net.Listen("unix", dir+"/l")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	checkEndpoint(ctx, "unix:"+dir+"/l", self).is(t, "socket taken", statusFail, "another program listens", "status.listen")
	l.Close()
	// Root asks for the service, which can do less.
	service := runner{name: "trailhound", uid: 990, gids: []int{990}}
	checkEndpoint(ctx, "unix:"+dir+"/s", service).is(t, "root's directory", statusFail, dir+" has mode 0700 of", "status.listen")
	if first := readWord("/proc/sys/net/ipv4/ip_unprivileged_port_start"); first == "1024" {
		checkEndpoint(ctx, "127.0.0.1:1023", service).is(t, "root's port", statusFail, "ports below 1024 are for root, and it runs as trailhound", "status.listen")
	}
	checkEndpoint(ctx, "nonsense", self).is(t, "nonsense", statusFail, "nonsense", "status.listen")
}
