package http

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
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

// segments returns the TCP payloads of a capture file by frame, up to the first
// damage; of a tunnelled frame the innermost.
func segments(t *testing.T, path string) (all [][]byte) {
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
		return nil
	}
	for {
		frame, _, err := source.ReadPacketData()
		if err != nil {
			return all
		}
		var payload []byte
		for _, l := range gopacket.NewPacket(frame, link, gopacket.Default).Layers() {
			if l.LayerType() == layers.LayerTypeTCP {
				payload = l.LayerPayload()
			}
		}
		all = append(all, payload)
	}
}

// TestCorpusHosts reads the Host values, targets and user agents that a
// dissector found in single segments.
func TestCorpusHosts(t *testing.T) {
	dir := captures(t)
	file, err := os.Open(filepath.Join(dir, "observables.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	type observable struct {
		Capture, Kind, Value, Layers string
		Frame, Segments, Fragments   int
	}
	wanted := map[string][]observable{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var o observable
		if err := json.Unmarshal(lines.Bytes(), &o); err != nil {
			t.Fatal(err)
		}
		switch o.Kind {
		case "http_host", "http_uri", "http_user_agent":
			wanted[o.Capture] = append(wanted[o.Capture], o)
		}
	}
	total, found := map[string]int{}, map[string]int{}
	for capture, observables := range wanted {
		payloads := segments(t, filepath.Join(dir, capture+".pcap"))
		for _, o := range observables {
			if o.Frame == 0 || o.Frame > len(payloads) || o.Segments > 1 || o.Fragments > 1 {
				continue
			}
			if payloads[o.Frame-1] == nil && (bytes.Contains([]byte(o.Layers), []byte("chdlc")) || bytes.Contains([]byte(o.Layers), []byte("geneve"))) {
				continue // layers that the test's decoder does not know
			}
			total[o.Kind]++
			if holds(payloads[o.Frame-1], o.Kind, o.Value) {
				found[o.Kind]++
			} else {
				t.Logf("missed: %s frame %d %s %q %s: %.300q", capture, o.Frame, o.Kind, o.Value, o.Layers, payloads[o.Frame-1])
			}
		}
	}
	for kind, least := range map[string]int{"http_host": 97, "http_uri": 97, "http_user_agent": 97} {
		t.Logf("%s: %d of %d", kind, found[kind], total[kind])
		if total[kind] == 0 || found[kind]*100 < least*total[kind] {
			t.Errorf("%s: less than %d %%", kind, least)
		}
	}
}

// holds walks the requests of a segment as the sensor does.
func holds(b []byte, kind, value string) bool {
	if Looks(b) != RequestLike {
		return false
	}
	var r Request
	for len(b) > 0 {
		if !r.Parse(b) {
			at := Find(b)
			if at <= 0 {
				return false
			}
			b = b[at:]
			continue
		}
		got := map[string][]byte{"http_host": r.Host, "http_uri": r.Target, "http_user_agent": r.UserAgent}[kind]
		if got != nil && string(got) == value || kind == "http_uri" && string(targetWord(r.Target)) == value {
			return true
		}
		b = b[r.Size:]
	}
	return false
}

// TestCorpusSegments reads every segment of every capture: no panic, slices
// inside; it logs how many were taken.
func TestCorpusSegments(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(captures(t), "*.pcap"))
	if err != nil {
		t.Fatal(err)
	}
	total, requests, responses := 0, 0, 0
	for _, path := range files {
		for n, b := range segments(t, path) {
			if len(b) == 0 {
				continue
			}
			total++
			var r Request
			var s Response
			switch Looks(b) {
			case RequestLike:
				if r.Parse(b) {
					requests++
					if !isToken(r.Method) {
						t.Logf("%s frame %d: method %.60q, target %.60q", filepath.Base(path), n+1, r.Method, r.Target)
					}
				}
			case ResponseLike:
				if s.Parse(b) {
					responses++
				}
			}
			if at := Find(b); referenceReads(b) && at < 0 && !r.Parse(b) {
				t.Errorf("%s frame %d: the reference reads %.200q", filepath.Base(path), n+1, b)
			}
		}
	}
	t.Logf("%d segments: %d requests, %d responses", total, requests, responses)
}

// targetWord is a target up to its first blank, as the other program has it: what
// follows is no HTTP.
func targetWord(target []byte) []byte {
	for i, c := range target {
		if blank(c) {
			return target[:i]
		}
	}
	return target
}
