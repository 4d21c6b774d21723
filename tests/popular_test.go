package tests

import (
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"trailhound/agent"
	"trailhound/agent/detect"
	"trailhound/agent/event"
	board "trailhound/agent/heuristic"
	"trailhound/agent/lint"
	"trailhound/agent/suppress"
	. "trailhound/tests/corpus"
	"trailhound/trails"
	"trailhound/trails/source"
	"trailhound/trails/starter"
	"trailhound/trails/table"
)

// popularExceptions are the events of medium severity or higher that ordinary
// traffic to popular names raises with the full static set and the built-in
// whitelist, each with what is to blame. No trail is.
var popularExceptions = []string{
	// The cache of AMP pages names a host by a hash where the page's own name is too
	// long. The built-in whitelist, which is the reference's, does not have it.
	popularLong + " dns: dns.long",
	popularLong + " sni: dns.long",
	popularLong + " host: dns.long",
}

const popularLong = "ojvkjyd2cbnkxjvr3uy3ylxcmqqzy4rpcctrfrdvlhpklbcudxgq.cdn.ampproject.org"

// popularNames are the names and addresses that everybody meets.
func popularNames(t testing.TB) []string {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "popular.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	names, err := lint.Names(f)
	if err != nil {
		t.Fatal(err)
	}
	if len(names) < 700 {
		t.Fatalf("%d names", len(names))
	}
	return names
}

// staticTrails is the path of the full static set of the reference, unpacked.
func staticTrails(t testing.TB) string {
	t.Helper()
	if path := os.Getenv("TRAILHOUND_CSV"); path != "" {
		return path
	}
	packed := shared(t, "data", "trails-static.csv.xz")
	xz, err := exec.LookPath("xz")
	if err != nil {
		t.Skip(err)
	}
	path := filepath.Join(t.TempDir(), "trails-static.csv")
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	unpack := exec.Command(xz, "-dc", packed)
	unpack.Stdout = out
	if err := unpack.Run(); err != nil {
		t.Fatal(err)
	}
	return path
}

// staticTable is that set.
func staticTable(t testing.TB) *table.Table {
	t.Helper()
	return tableOfFile(t, staticTrails(t))
}

func tableOfFile(t testing.TB, path string) *table.Table {
	t.Helper()
	b := table.NewBuilder(table.Options{Seed: 1, Now: Start})
	if _, err := source.Read(path, b, source.Options{}); err != nil {
		t.Fatal(err)
	}
	return memory(t, b)
}

// popularTraffic is what two clients do in an hour with names and addresses: they
// ask a resolver and get an answer, open a connection, name the server in TLS and
// in a request, and send datagrams.
func popularTraffic(names []string) (frames []Stamped) {
	const resolver = "10.0.0.53"
	n := 0
	send := func(src, dst string, s Segment) {
		f := At(0, IP(src, dst, s).Ethernet())
		f.Time = Start.Add(time.Duration(n) * 200 * time.Millisecond)
		n++
		frames = append(frames, f)
	}
	for i, name := range names {
		client, client6, port := "10.0.0.1", "fd00::1", uint16(32768+i)
		if i%2 == 1 {
			client, client6 = "10.0.0.2", "fd00::2"
		}
		if a, err := netip.ParseAddr(name); err == nil {
			from := client
			if a.Is6() {
				from = client6
			}
			send(from, name, UDP(port, 53, Query(Ask("www.example.net"))))
			send(from, name, Syn(port, 443))
			send(from, name, Syn(port, 53))
			send(from, name, UDP(port, 443, "datagram of QUIC"))
			continue
		}
		const server = "100.64.7.1" // which no trail lists
		send(client, resolver, UDP(port, 53, Query(Ask(name))))
		send(client, resolver, UDP(port, 53, Query(Ask("www."+name))))
		send(client, server, Syn(port, 443))
		send(client, server, TCP(port, 443, ACK|PSH, Record(ClientHello(name))))
		send(client, server, Syn(port, 80))
		send(client, server, TCP(port, 80, ACK|PSH, Request("GET", "/", []string{"Host: " + name, "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
			"Accept: text/html,application/xhtml+xml", "Accept-Language: en-US,en;q=0.5"}, "")))
	}
	return frames
}

// TestPopular: what everybody does raises no event that anybody would look at, by
// the packet and over time, with all trails and the whitelist that is built in.
func TestPopular(t *testing.T) {
	if testing.Short() {
		t.Skip("reads the full static set; not with -short")
	}
	names, tab := popularNames(t), staticTable(t)
	white := starter.Whitelist()
	opt := detect.Options{Heuristics: true, HostDomains: true, MissingHost: true, UserAgents: starter.UserAgents(),
		Home: event.NewHomeNetworks([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")})}

	var got []string
	lint.RunPopular(tab, white, opt, names, event.Medium, func(p lint.Popular) {
		got = append(got, p.Name+" "+p.How+": "+p.Blame())
	})
	if !slices.Equal(got, popularExceptions) {
		t.Errorf("one by one:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(popularExceptions, "\n"))
	}

	file := filepath.Join(t.TempDir(), "popular.pcap")
	if err := os.WriteFile(file, Pcap(popularTraffic(names)), 0o600); err != nil {
		t.Fatal(err)
	}
	rules := detect.NewRules(tab, white, opt)
	b := board.NewBoard(rules.Board())
	var replayed []string
	r := agent.Replay{Files: []string{file}, Workers: 2, Rules: rules, Board: b, Gate: suppress.New(suppress.Options{Whitelisted: white.Addr}),
		Sink: func(e event.Event) error {
			if e.Severity >= event.Medium {
				blame := lint.Popular{Event: e}
				replayed = append(replayed, e.Observable+" "+e.Application+": "+blame.Blame())
			}
			return nil
		}}
	sum, err := r.Run(t.Context())
	if err != nil || len(sum.Damaged) > 0 {
		t.Fatal(err, sum.Damaged)
	}
	// The request follows within the second of the handshake: one observation.
	want := []string{popularLong + " dns: dns.long", popularLong + " tls: dns.long"}
	if !slices.Equal(replayed, want) {
		t.Errorf("all together:\n%s\nwant\n%s", strings.Join(replayed, "\n"), strings.Join(want, "\n"))
	}
	if sum.Packets != uint64(len(popularTraffic(names))) || sum.Board.Taken == 0 {
		t.Errorf("%d packets, %+v", sum.Packets, sum.Board)
	}
}

// TestPopularBites: the same traffic to something listed is reported.
func TestPopularBites(t *testing.T) {
	b := table.NewBuilder(table.Options{Seed: 1, Now: Start})
	p := b.Provenance(trails.Provenance{Info: "x (malware)", Reference: "(static)"})
	for _, text := range []string{"google.com", "9.9.9.9"} {
		kind, key, err := trails.AppendKey(nil, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		b.Add(kind, key, p)
	}
	about := make(map[string]bool)
	lint.RunPopular(memory(t, b), nil, detect.Options{Heuristics: true, HostDomains: true}, popularNames(t), event.Medium, func(p lint.Popular) {
		about[p.Name] = true
	})
	if !about["www.google.com"] || !about["9.9.9.9"] || about["youtube.com"] || about["8.8.8.8"] {
		t.Errorf("%v", about)
	}
}
