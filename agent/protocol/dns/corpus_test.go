package dns

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// captures returns the folder of foreign captures with known observables.
func captures(t *testing.T) string {
	t.Helper()
	shared := os.Getenv("TRAILHOUND_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "..", "..", "..", "shared")
	}
	dir := filepath.Join(shared, "corpus", "captures")
	if _, err := os.Stat(filepath.Join(dir, "observables.jsonl")); err != nil {
		t.Skipf("no capture corpus (set TRAILHOUND_SHARED): %v", err)
	}
	return dir
}

// frames reads all frames of a capture file up to the first damage.
func frames(t *testing.T, path string) (all []gopacket.Packet) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var source gopacket.PacketDataSource
	var link layers.LinkType
	if r, err := pcapgo.NewReader(bytes.NewReader(data)); err == nil {
		source, link = r, r.LinkType()
	} else if r, err := pcapgo.NewNgReader(bytes.NewReader(data), pcapgo.DefaultNgReaderOptions); err == nil {
		source, link = r, r.LinkType()
	} else {
		t.Logf("%s: %v", path, err)
		return nil
	}
	for {
		frame, _, err := source.ReadPacketData()
		if err != nil {
			return all
		}
		all = append(all, gopacket.NewPacket(frame, link, gopacket.Default))
	}
}

// TestCorpusNames reads the query names that a dissector found in single
// datagrams and segments.
func TestCorpusNames(t *testing.T) {
	dir := captures(t)
	file, err := os.Open(filepath.Join(dir, "observables.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	type observable struct {
		Capture, Kind, Value, Transport, Layers string
		Frame, Segments, Fragments              int
	}
	wanted := map[string][]observable{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var o observable
		if err := json.Unmarshal(lines.Bytes(), &o); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(o.Kind, "dns_query") || o.Kind == "llmnr_query" {
			wanted[o.Capture] = append(wanted[o.Capture], o)
		}
	}
	total, found, looked := map[string]int{}, map[string]int{}, map[string]int{}
	for capture, observables := range wanted {
		packets := frames(t, filepath.Join(dir, capture+".pcap"))
		for _, o := range observables {
			if o.Frame == 0 || o.Frame > len(packets) || o.Segments > 1 || o.Fragments > 1 || o.Kind == "doh_query" {
				continue
			}
			packet := packets[o.Frame-1]
			payloads := datagrams(packet)
			if len(payloads) == 0 {
				t.Logf("%s frame %d %q: the test's decoder finds no payload in %s: %v", capture, o.Frame, o.Value, o.Layers, packet.ErrorLayer())
				continue
			}
			total[o.Transport]++
			hit := false
			for _, b := range payloads {
				compare(t, b)
				hit = hit || asks(b, o.Value)
				switch {
				case !asks(b, o.Value):
				case Looks(b):
					looked[o.Transport]++
				default:
					t.Logf("not by Looks: %s frame %d %x", capture, o.Frame, b)
				}
			}
			if hit {
				found[o.Transport]++
			} else {
				t.Logf("missed: %s frame %d %s %q %s: %x", capture, o.Frame, o.Transport, o.Value, o.Layers, payloads)
			}
		}
	}
	for transport, least := range map[string]int{"udp": 99, "tcp": 95} {
		t.Logf("%s: %d of %d names, %d of them also by Looks", transport, found[transport], total[transport], looked[transport])
		if total[transport] == 0 || found[transport]*100 < least*total[transport] {
			t.Errorf("%s: less than %d %%", transport, least)
		}
	}
}

// datagrams returns the messages that a packet may hold.
func datagrams(p gopacket.Packet) (all [][]byte) {
	for _, l := range p.Layers() {
		switch l.LayerType() {
		case layers.LayerTypeUDP:
			all = append(all, l.LayerPayload())
		case layers.LayerTypeTCP:
			rest := l.LayerPayload()
			for {
				msg, left, ok := TCPMessage(rest)
				if !ok {
					if len(all) == 0 {
						all = append(all, rest)
					}
					break
				}
				all, rest = append(all, msg), left
			}
		}
	}
	return all
}

func asks(b []byte, name string) bool {
	var m Message
	var q Question
	if !m.Parse(b) || !m.Query() {
		return false
	}
	for m.NextQuestion(&q) {
		if strings.EqualFold(string(q.Name), name) || name == "<Root>" && len(q.Name) == 0 {
			return true
		}
	}
	return false
}

// TestCorpusLooks counts the payloads of all captures that Looks takes on
// ports that are not DNS's: the log shows what they are.
func TestCorpusLooks(t *testing.T) {
	dir := captures(t)
	files, err := filepath.Glob(filepath.Join(dir, "*.pcap"))
	if err != nil {
		t.Fatal(err)
	}
	known := func(p uint16) bool { return p == 53 || p == 5353 || p == 5355 }
	payloads, taken, refused, own := 0, 0, 0, 0
	for _, path := range files {
		for n, p := range frames(t, path) {
			for _, l := range p.Layers() {
				udp, ok := l.(*layers.UDP)
				if !ok || len(udp.Payload) == 0 {
					continue
				}
				looks := Looks(udp.Payload)
				if known(uint16(udp.SrcPort)) || known(uint16(udp.DstPort)) {
					if own++; !looks {
						refused++
					}
					continue
				}
				if payloads++; looks {
					taken++
					if taken < 20 {
						t.Logf("%s frame %d port %d: %x", filepath.Base(path), n+1, udp.DstPort, udp.Payload[:min(60, len(udp.Payload))])
					}
				}
			}
		}
	}
	t.Logf("other ports: %d of %d payloads taken; DNS ports: %d of %d refused", taken, payloads, refused, own)
	if taken*1000 > payloads {
		t.Errorf("more than one in a thousand payloads taken")
	}
}
