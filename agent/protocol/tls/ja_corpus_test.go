package tls_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"trailhound/agent/protocol/tls"
)

// taken cuts a field with a length of size bytes off a message; ok stays false
// once it ends too early.
type taken struct {
	b  []byte
	ok bool
}

func (c *taken) fixed(n int) (field []byte) {
	if !c.ok || len(c.b) < n {
		c.ok = false
		return make([]byte, n)
	}
	field, c.b = c.b[:n], c.b[n:]
	return field
}

func (c *taken) sized(size int) []byte {
	n := 0
	for _, b := range c.fixed(size) {
		n = n<<8 | int(b)
	}
	if n > len(c.b) {
		c.ok = false
		return nil
	}
	return c.fixed(n)
}

// naive computes both fingerprints of a ClientHello the way one would explain
// them, from the message alone.
func naive(message []byte) (ja3, ja4 string, ok bool) {
	c := taken{message, true}
	c.fixed(4 + 2)
	version := int(message[4])<<8 | int(message[5])
	c.fixed(32)
	c.sized(1)
	suites, _, list := c.sized(2), c.sized(1), taken{ok: true}
	if len(c.b) > 0 {
		list.b = c.sized(2)
	}
	values := func(b []byte) (text []string) {
		for ; len(b) > 1; b = b[2:] {
			if s := fmt.Sprintf("%02x%02x", b[0], b[1]); !strings.Contains("0a0a 1a1a 2a2a 3a3a 4a4a 5a5a 6a6a 7a7a 8a8a 9a9a aaaa baba caca dada eaea fafa", s) {
				text = append(text, s)
			}
		}
		return text
	}
	decimals := func(text []string) string {
		for i, s := range text {
			var n int
			fmt.Sscanf(s, "%x", &n)
			text[i] = fmt.Sprint(n)
		}
		return strings.Join(text, "-")
	}
	var kinds, sorted, groups, points, sigs, known []string
	name, alpn := "i", "00"
	for len(list.b) > 0 && list.ok {
		kind := values(list.fixed(2))
		data := taken{list.sized(2), true}
		if kind == nil || !list.ok {
			continue
		}
		kinds = append(kinds, kind...)
		switch kind[0] {
		case "0000":
			name = "d"
			continue
		case "0010":
			all := taken{data.sized(2), true}
			if first := all.sized(1); len(first) > 0 {
				alpn = string(first[:1]) + string(first[len(first)-1:])
			}
			continue
		case "000a":
			groups = values(data.sized(2))
		case "000b":
			for _, p := range data.sized(1) {
				points = append(points, fmt.Sprint(p))
			}
		case "000d":
			sigs = values(data.sized(2))
		case "002b":
			known = values(data.sized(1))
		}
		sorted = append(sorted, kind...)
	}
	if !c.ok || !list.ok {
		return "", "", false
	}
	mark, top := "00", fmt.Sprintf("%04x", version)
	if len(known) > 0 {
		top = slices.Max(known)
	}
	if i := slices.Index([]string{"0300", "0301", "0302", "0303", "0304"}, top); i >= 0 {
		mark = []string{"s3", "10", "11", "12", "13"}[i]
	}
	hash := func(list []string, more string) string {
		if len(list) == 0 {
			return "000000000000"
		}
		return fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(list, ",")+more)))[:12]
	}
	ciphers := values(suites)
	slices.Sort(ciphers)
	slices.Sort(sorted)
	more := ""
	if len(sigs) > 0 {
		more = "_" + strings.Join(sigs, ",")
	}
	ja4 = fmt.Sprintf("t%s%s%02d%02d%s_%s_%s", mark, name, min(len(ciphers), 99), min(len(kinds), 99), alpn, hash(ciphers, ""), hash(sorted, more))
	ja3 = fmt.Sprintf("%d,%s,%s,%s,%s", version, decimals(values(suites)), decimals(kinds), decimals(groups), strings.Join(points, "-"))
	return ja3, ja4, true
}

// TestCorpusFingerprints holds the fingerprints of the ClientHellos in the shared
// captures against a second way to compute them.
func TestCorpusFingerprints(t *testing.T) {
	root := os.Getenv("TRAILHOUND_SHARED")
	if root == "" {
		root = "../../../../shared"
	}
	files, _ := filepath.Glob(filepath.Join(root, "corpus", "captures", "*.pcap"))
	if len(files) == 0 {
		t.Skip("the shared captures are not here (TRAILHOUND_SHARED)")
	}
	var h tls.Hello
	whole, distinct := 0, map[string]bool{}
	for _, file := range files {
		eachTCP(t, file, func(payload []byte) {
			if !h.Parse(payload) || !h.Complete || len(payload) < 9 {
				return
			}
			if n := 4 + (int(payload[6])<<16 | int(payload[7])<<8 | int(payload[8])); 5+n > len(payload) || int(payload[3])<<8|int(payload[4]) < n {
				return // over several records
			} else if ja3, ja4, ok := naive(payload[5 : 5+n]); ok {
				whole++
				distinct[ja4] = true
				if got := string(tls.AppendJA3(nil, &h)); got != ja3 {
					t.Errorf("%s: JA3 %s, want %s", filepath.Base(file), got, ja3)
				}
				if got := string(tls.AppendJA4(nil, &h, tls.OverTCP)); got != ja4 {
					t.Errorf("%s: JA4 %s, want %s", filepath.Base(file), got, ja4)
				}
			} else if len(tls.AppendJA3(nil, &h)) > 0 {
				t.Errorf("%s: a broken ClientHello has a fingerprint", filepath.Base(file))
			}
		})
	}
	t.Logf("%d ClientHellos, %d fingerprints", whole, len(distinct))
	if whole < 20 || len(distinct) < 5 {
		t.Errorf("%d ClientHellos, %d fingerprints", whole, len(distinct))
	}
}
