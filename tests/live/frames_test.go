package live

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trailhound/agent/capture"
	"trailhound/agent/packet"
	"trailhound/tests/corpus"
	"trailhound/trails"
	"trailhound/trails/source"
	"trailhound/trails/starter"
	"trailhound/trails/table"
)

// ethernetHeader is the least that a packet socket sends.
const ethernetHeader = 14

// repository is a path below the module's root.
func repository(path ...string) string {
	return filepath.Join(append([]string{"..", ".."}, path...)...)
}

// shared is a path in the shared folder; "" when it is not there.
func shared(path ...string) string {
	root := os.Getenv("TRAILHOUND_SHARED")
	if root == "" {
		root = repository("..", "shared")
	}
	full := filepath.Join(append([]string{root}, path...)...)
	if _, err := os.Stat(full); err != nil {
		return ""
	}
	return full
}

// readCapture gives those frames of a file that Ethernet can carry as they are:
// whole, and not over mtu. What is damaged is left out.
func readCapture(t testing.TB, path string, mtu int) (frames [][]byte, left int) {
	t.Helper()
	source, err := capture.OpenFile(path, capture.FileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	for {
		batch, err := source.Next()
		for i := range batch {
			f := &batch[i]
			if f.Link != packet.LinkEthernet || f.Length != len(f.Data) || len(f.Data) < ethernetHeader || len(f.Data) > ethernetHeader+mtu || unstackable(f.Data) {
				left++
				continue
			}
			frames = append(frames, append([]byte(nil), f.Data...))
		}
		if damage := (*capture.DamageError)(nil); errors.Is(err, io.EOF) || errors.As(err, &damage) {
			return frames, left
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// unstackable frames announce a VLAN tag and end before two bytes behind it: the
// kernel (skb_vlan_untag) throws them away before any socket sees them.
func unstackable(f []byte) bool {
	return len(f) < ethernetHeader+6 && (f[12] == 0x81 && f[13] == 0x00 || f[12] == 0x88 && f[13] == 0xa8)
}

// replayable writes frames as a capture, each a step of time after the one
// before.
func replayable(t testing.TB, frames [][]byte, step time.Duration) (path string) {
	t.Helper()
	var list []corpus.Stamped
	at := corpus.Start
	for _, f := range frames {
		list = append(list, corpus.Stamped{Time: at, Frame: corpus.Frame{Link: corpus.LinkEthernet, Data: f}})
		at = at.Add(step)
	}
	path = filepath.Join(t.TempDir(), "sent.pcap")
	if err := os.WriteFile(path, corpus.Pcap(list), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// rows are the trails of the tests that need few.
const rows = `evil-test-domain.com,malware (test),(static)
evil-parent.com,malware (test),(static)
evil-url.example/bad/path,malware (test),(static)
/malicious-login.php,malware (test),(static)
tls-evil.example,malware (test),(static)
quic-evil.example,malware (test),(static)
66.66.66.66,malware (test),(static)
6.6.6.6:8443,malware (test),(static)
198.51.100.66,botnet c2 (test),(static)
203.0.113.66,botnet c2 (test),(static)
10.9.0.2,botnet c2 (test),(static)
dead::beef,malware (test),(static)
dga[0-9]+\.wildcard-test\.com,malware (test),(static)
`

// builder begins a table with the trails of CSV texts.
func builder(t testing.TB, texts ...string) *table.Builder {
	t.Helper()
	b := table.NewBuilder(table.Options{Seed: 1, Now: time.Now().UTC()})
	for _, text := range texts {
		if _, err := source.ReadCSV(strings.NewReader(text), "trails.csv", b, source.Options{}); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// write writes a table into a directory of its own, which nobody else may write
// to.
func writeTable(t testing.TB, b *table.Builder) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "trails.thd")
	if err := b.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	return path
}

// corpusTable has as trails what can be seen in the captures: the starter set,
// the reference's trails, and every name and address of the observables.
func corpusTable(t testing.TB) (path string) {
	t.Helper()
	b := builder(t, rows, string(starter.Trails()))
	if path := shared("corpus", "reference", "trails.csv"); path != "" {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := source.ReadCSV(strings.NewReader(string(text)), path, b, source.Options{}); err != nil {
			t.Fatal(err)
		}
	}
	if path := shared("corpus", "captures", "observables.jsonl"); path != "" {
		addObservables(t, b, path)
	}
	return writeTable(t, b)
}

func addObservables(t testing.TB, b *table.Builder, path string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	from := b.Provenance(trails.Provenance{Info: "observed (test)", Reference: trails.ReferenceStatic})
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var o struct{ Kind, Value string }
		if err := json.Unmarshal(lines.Bytes(), &o); err != nil {
			t.Fatal(err)
		}
		value := strings.TrimSuffix(strings.ToLower(o.Value), ".")
		switch o.Kind {
		case "dns_query", "http_host", "tls_sni", "quic_sni", "mdns_query", "llmnr_query", "dns_cname":
			host, _, _ := strings.Cut(value, ":")
			if _, err := netip.ParseAddr(host); err == nil || !strings.Contains(host, ".") {
				continue
			}
			value = host
		case "syn_dst", "dns_a", "dns_aaaa":
		default:
			continue
		}
		if kind, key, err := trails.AppendKey(nil, []byte(value)); err == nil {
			b.Add(kind, key, from)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}

// wholeCaptures names the captures to send: the demo, the reference's cases and
// the foreign ones, as far as they are there.
func wholeCaptures(t testing.TB) (paths []string) {
	t.Helper()
	paths = append(paths, repository("tests", "corpus", "demo.pcap"))
	if root := shared("corpus", "reference"); root != "" {
		cases, _ := filepath.Glob(filepath.Join(root, "*", "capture.pcap"))
		paths = append(paths, cases...)
	} else {
		t.Log("not sent: the reference's cases, which are not here (set TRAILHOUND_SHARED)")
	}
	root := shared("corpus", "captures")
	if root == "" {
		t.Log("not sent: the foreign captures, which are not here (set TRAILHOUND_SHARED)")
		return paths
	}
	f, err := os.Open(filepath.Join(root, "INDEX.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records[1:] {
		if strings.HasPrefix(r[2], "1 ") {
			paths = append(paths, filepath.Join(root, r[0]))
		}
	}
	return paths
}

// generated are frames of the project's own generator: every framing that
// Ethernet has, each kind of trail in it.
func generated() (frames [][]byte) {
	const client, resolver, web = "10.0.0.66", "8.8.8.8", "203.0.113.10"
	hello := corpus.Record(corpus.ClientHello("tls-evil.example"))
	packets := []corpus.Packet{
		corpus.IP(client, "66.66.66.66", corpus.Syn(50001, 443)),
		corpus.IP(client, "6.6.6.6", corpus.Syn(50002, 8443)),
		corpus.IP("198.51.100.66", client, corpus.Syn(31337, 50004)),
		corpus.IP("dead::1", "dead::beef", corpus.Syn(50080, 443)),
		corpus.IP("dead::1", "dead::2", corpus.UDP(50081, 53, corpus.Query(corpus.Ask("evil-test-domain.com")))),
		corpus.IPv6("dead::1", "dead::beef", corpus.ICMPv6(128, 0), corpus.HopByHop(), corpus.Destination()),
		corpus.IP(client, resolver, corpus.UDP(50061, 53, corpus.Query(corpus.Ask("www.evil-parent.com")))),
		corpus.IP(client, resolver, corpus.UDP(50062, 53, corpus.Query(corpus.Ask("dga77.wildcard-test.com")))),
		corpus.IP(client, resolver, corpus.TCP(50063, 53, corpus.PSH|corpus.ACK, corpus.Stream(corpus.Query(corpus.Ask("evil-test-domain.com"))))),
		corpus.IP(client, web, corpus.Data(50030, 80, corpus.Get("victim.example", "/malicious-login.php"))),
		corpus.IP(client, web, corpus.Data(50031, 80, corpus.Get("evil-url.example", "/bad/path"))),
		corpus.IP(client, web, corpus.Data(50032, 80, corpus.Get("evil-parent.com", "/"+strings.Repeat("long/", 1500)))),
		corpus.IP(client, web, corpus.Data(50400, 443, hello)),
		corpus.IP(client, web, corpus.UDP(50401, 443, corpus.Initial(corpus.QUICv1, []byte("trailhnd"), corpus.Piece{Data: corpus.ClientHello("quic-evil.example")}))),
		corpus.IP(client, "66.66.66.66", corpus.ICMP(8, 0)),
	}
	packets = append(packets, corpus.Fragments(client, "66.66.66.66", corpus.TCP(50070, 443, corpus.SYN, fmt.Sprintf("%064d", 0)), 24, 48)...)
	for i, p := range packets {
		id := uint16(i + 2)
		for _, f := range []corpus.Frame{p.Ethernet(), p.SNAP(), p.VLAN(id).Ethernet(), p.VLAN(0).Ethernet(), p.VLAN(id).QinQ(99).Ethernet(),
			p.VLAN(id).VLAN(98).Ethernet(), p.PPPoE(false).Ethernet(), p.PPPoE(true).VLAN(id).Ethernet(), p.MPLS(16, 17).Ethernet(), p.Ethernet().Trailer("trail")} {
			frames = append(frames, f.Data)
		}
	}
	return frames
}
