package tls

import (
	"crypto/md5"
	stdtls "crypto/tls"
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// numbers reads a list of numbers.
func numbers(t *testing.T, list, cut string, base int) (all []uint16) {
	t.Helper()
	for _, s := range strings.FieldsFunc(list, func(r rune) bool { return strings.ContainsRune(cut, r) }) {
		v, err := strconv.ParseUint(s, base, 16)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, uint16(v))
	}
	return all
}

func wire(list []uint16) (b []byte) {
	for _, v := range list {
		b = append(b, byte(v>>8), byte(v))
	}
	return b
}

// offer is what a ClientHello is made of.
type offer struct {
	version                     uint16
	ciphers, kinds              []uint16
	groups, points, sigs, known []uint16
	alpn                        string
}

// message makes the ClientHello; grease puts a value to be passed over into
// every list.
func (o *offer) message(grease ...uint16) []byte {
	with := func(list []uint16) []byte { return wire(append(append([]uint16(nil), grease...), list...)) }
	var list []byte
	for _, g := range grease {
		list = append(list, ext(int(g), nil)...)
	}
	for _, kind := range o.kinds {
		var data []byte
		switch kind {
		case extServerName:
			list = append(list, sni("www.example.com")...)
			continue
		case extGroups:
			b := with(o.groups)
			data = cat(u16(len(b)), b)
		case extPoints:
			data = []byte{byte(len(o.points))}
			for _, p := range o.points {
				data = append(data, byte(p))
			}
		case extSignatures:
			b := with(o.sigs)
			data = cat(u16(len(b)), b)
		case extALPN:
			data = cat(u16(1+len(o.alpn)+3), []byte{byte(len(o.alpn))}, []byte(o.alpn), []byte("\x02zz"))
		case extVersions:
			b := with(o.known)
			data = cat([]byte{byte(len(b))}, b)
		}
		list = append(list, ext(int(kind), data)...)
	}
	body := cat(u16(int(o.version)), make([]byte, 32), []byte{0})
	b := with(o.ciphers)
	body = cat(body, u16(len(b)), b, []byte{1, 0})
	if len(o.kinds) > 0 {
		body = cat(body, u16(len(list)), list)
	}
	return message(1, body)
}

func parsed(t *testing.T, message []byte) *Hello {
	t.Helper()
	h := new(Hello)
	if !h.ParseHandshake(message) || !h.Complete {
		t.Fatal("no whole ClientHello")
	}
	return h
}

// greases are two of the values of RFC 8701.
var greases = []uint16{0x0A0A, 0xFAFA}

const (
	chrome    = "1301,1302,1303,c02b,c02f,c02c,c030,cca9,cca8,c013,c014,009c,009d,002f,0035"
	chromeSig = "0403,0804,0401,0503,0805,0501,0806,0601"
)

// TestJA4Published makes ClientHellos of the raw form in the order of the wire
// ("JA4_ro") of published fingerprints.
func TestJA4Published(t *testing.T) {
	tests := []struct{ name, want, ciphers, kinds, sigs, alpn string }{
		// github.com/FoxIO-LLC/ja4: technical_details/JA4.md and the expected results of its tests.
		{"specification", "t13d1516h2_8daaf6152771_e5627efa2ab1", chrome, "001b,0000,0033,0010,4469,0017,002d,000d,0005,0023,0012,002b,ff01,000b,000a,0015", chromeSig, "h2"},
		{"specification, no signature algorithms", "t13d1515h2_8daaf6152771_*", chrome, "001b,0000,0033,0010,4469,0017,002d,0005,0023,0012,002b,ff01,000b,000a,0015", "", "h2"},
		{"HTTP/1.1", "t13d1516h1_8daaf6152771_e5627efa2ab1", chrome, "001b,0000,0033,0010,4469,0017,002d,000d,0005,0023,0012,002b,ff01,000b,000a,0015", chromeSig, "http/1.1"},
		{"no protocol", "t13d151400_8daaf6152771_de4a06bb82e3", chrome, "001b,0000,0033,0017,002d,000d,0005,0023,0012,002b,ff01,000b,000a,0015", chromeSig, ""},
		{"resumed", "t13d1517h1_8daaf6152771_6cdcb247c39b", chrome, "001b,0000,0033,0010,4469,0017,002d,000d,0005,0023,0012,002b,ff01,000b,000a,0015,0029", chromeSig, "http/1.1"},
		{"ML-DSA", "t13d1517h2_8daaf6152771_cb7bf5808d99", chrome, "fe0d,0010,0017,0033,44cd,ff01,000a,000d,0023,002b,000b,ca34,002d,0000,0005,001b,0012", "0904,0905,0906," + chromeSig, "h2"},
		{"QUIC", "q13d0310h3_55b375c5d22e_cd85d2d88918", "1301,1302,1303", "0000,0033,0010,4469,002d,000d,001b,002b,000a,0039", chromeSig + ",0201", "h3"},
		// Wireshark's reading of a resumed QUIC connection.
		{"QUIC, early data", "q13d0310h3_55b375c5d22e_43a52939c45c", "1302,1301,1303", "0033,002b,000d,000a,002d,0000,0010,0039,002a,0029", "0403,0804,0401,0503,0805,0501,0201,0807,0808", "h3"},
		// tls.browserleaks.com on Chrome 120, Chrome 143 and Safari 17.
		{"Chrome 120", "t13d1516h2_8daaf6152771_02713d6af862", chrome, "0012,0000,0033,0010,4469,0017,002d,000d,0005,0023,fe0d,002b,ff01,000b,000a,001b", chromeSig, "h2"},
		{"Chrome 143", "t13d1516h2_8daaf6152771_d8a2da3f94cd", chrome, "002d,0033,0010,fe0d,0017,44cd,0000,000b,000a,002b,ff01,0023,0012,0005,000d,001b", chromeSig, "h2"},
		{"Safari 17", "t13d2014h2_a09f3c656075_14788d8d241b",
			"1301,1302,1303,c02c,c02b,cca9,c030,c02f,cca8,c00a,c009,c014,c013,009d,009c,0035,002f,c008,c012,000a",
			"0000,0017,ff01,000a,000b,0010,0005,000d,0012,0033,002d,002b,001b,0015", "0403,0804,0401,0503,0203,0805,0805,0501,0806,0601,0201", "h2"},
		// aiohttp with OpenSSL 3.2.
		{"OpenSSL", "t13d4213h1_171bc101b036_5f0018e59d20",
			"1302,1303,1301,1304,c02c,c030,cca9,cca8,c0ad,c02b,c02f,c0ac,c023,c027,c00a,c014,c009,c013,009d,c09d,009c,c09c,003d,003c,0035,002f,00a3,009f,ccaa,c09f,00a2,009e,c09e,006b,006a,0067,0040,0039,0038,0033,0032,00ff",
			"0000,000b,000a,0010,0016,0017,0031,000d,002b,002d,0033,001b,0015",
			"0403,0503,0603,0807,0808,0809,080a,080b,0804,0805,0806,0401,0501,0601,0303,0301,0402,0502,0602,0302,0203,0201,0202", "http/1.1"},
	}
	for _, c := range tests {
		o := offer{version: 0x0303, ciphers: numbers(t, c.ciphers, ",", 16), kinds: numbers(t, c.kinds, ",", 16), sigs: numbers(t, c.sigs, ",", 16),
			groups: []uint16{29, 23}, points: []uint16{0}, known: []uint16{0x0303, 0x0304}, alpn: c.alpn}
		for _, g := range [][]uint16{nil, greases} {
			got := string(AppendJA4([]byte("x"), parsed(t, o.message(g...)), c.want[0]))
			if want, any := strings.CutSuffix("x"+c.want, "*"); got != want && !(any && strings.HasPrefix(got, want)) {
				t.Errorf("%s (grease %x): %s, want %s", c.name, g, got[1:], c.want)
			}
		}
	}
}

// TestJA4Parts holds the rules of technical_details/JA4.md one by one.
func TestJA4Parts(t *testing.T) {
	ja4 := func(o offer) string { return string(AppendJA4(nil, parsed(t, o.message()), OverTCP)) }
	base := offer{version: 0x0303, ciphers: []uint16{0x1301}}
	if got := ja4(base); got != "t12i010000_"+hashOf("1301")+"_000000000000" {
		t.Error("no extensions:", got)
	}
	for version, mark := range map[uint16]string{0x0304: "13", 0x0303: "12", 0x0302: "11", 0x0301: "10", 0x0300: "s3", 0x03FF: "00"} {
		o := base
		o.version = version
		if got := ja4(o); got[1:3] != mark {
			t.Errorf("version %04x: %s", version, got)
		}
		o = base
		o.kinds, o.known = []uint16{extVersions}, []uint16{0x0A0A, version, 0x0200}
		if got := ja4(o); got[1:3] != mark {
			t.Errorf("supported version %04x: %s", version, got)
		}
	}
	for alpn, mark := range map[string]string{"h2": "h2", "http/1.1": "h1", "x": "xx", "\xab": "ab", "\xab\xcd": "ad", "0\xab": "3b", "01\xab\xcd": "3d", "0\xab\xcd1": "01", "": "00"} {
		o := base
		o.kinds, o.alpn = []uint16{extALPN}, alpn
		if got := ja4(o); got[8:10] != mark {
			t.Errorf("protocol %q: %s, want %s", alpn, got, mark)
		}
	}
	o := base
	o.kinds = []uint16{0x0005, 0x0023}
	if got, want := ja4(o), "t12i010200_"+hashOf("1301")+"_"+hashOf("0005,0023"); got != want {
		t.Errorf("without signature algorithms: %s, want %s", got, want)
	}
	if got := hashOf("0005,000a,000b,000d,0012,0015,0017,001b,0023,002b,002d,0033,4469,ff01"); got != "6d807ffa2a79" {
		t.Error("the specification's example without signature algorithms:", got)
	}
	o.ciphers, o.kinds = make([]uint16, 120), make([]uint16, 130)
	for i := range o.kinds {
		o.kinds[i] = 0x5000 + uint16(i)
	}
	if got := ja4(o); got[4:8] != "9999" {
		t.Error("more than 99:", got)
	}
	for _, many := range []offer{{version: 0x0303, ciphers: make([]uint16, maxListed+1)}, {version: 0x0303, ciphers: o.ciphers, kinds: make([]uint16, 0, 300)}} {
		for len(many.ciphers) == 120 && len(many.kinds) < 300 {
			many.kinds = append(many.kinds, 0x5000+uint16(len(many.kinds)))
		}
		if got := ja4(many); got != "" {
			t.Error("more than there is room for:", got)
		}
	}
}

func hashOf(list string) string { return string(appendHash(nil, []byte(list))) }

// TestJA3Published has the examples of github.com/salesforce/ja3, and what
// Wireshark and tls.browserleaks.com made of real clients.
func TestJA3Published(t *testing.T) {
	const openssl = "4866-4867-4865-49196-49200-159-52393-52392-52394-49195-49199-158-49188-49192-107-49187-49191-103-49162-49172-57-49161-49171-51-157-156-61-60-53-47-255"
	const all = ",29-23-30-25-24-256-257-258-259-260,0-1-2"
	const chrome = "771,4865-4866-4867-49195-49199-49196-49200-52393-52392-49171-49172-156-157-47-53,"
	for text, want := range map[string]string{
		"769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0":            "ada70206e40642a3e4461f35503241d5",
		"769,4-5-10-9-100-98-3-6-19-18-99,,,":                                             "de350869b8c85de67a350c8d186f11e6",
		"771," + openssl + ",0-11-10-16-22-23-49-13-43-45-51-21" + all:                    "0149f47eabf9a20d0893e2a44e5a6323",
		"771," + openssl + ",0-11-10-35-22-23-13-43-45-51" + all:                          "a3afc2c46ba4a7d7fbe1cfb7a3031c2f",
		"771," + openssl + ",0-11-10-35-22-23-13-43-45-51-21" + all:                       "d39e1be3241d516b1f714bd47c2bc968",
		"771,4866-4865-4867,51-43-13-10-45-0-16-57-42-41,23-24-29-30,":                    "03a7d247df95a12cc70c33a4bae548bf",
		chrome + "45-51-16-65037-23-17613-0-11-10-43-65281-35-18-5-13-27,4588-29-23-24,0": "98487aa16281980e7d1120d399efb6a4",
		chrome + "0-27-65281-16-23-17613-13-45-51-5-35-10-11-18-43-65037,4588-29-23-24,0": "0a9e529cd9052e33524e81e0c8e8d9bf",
		chrome + "0-11-16-10-27-35-18-23-51-43-17613-65037-13-65281-45-5,4588-29-23-24,0": "882c675e0c2d5eca078c85edc6e0dca0",
		chrome + "17513-43-27-16-11-13-10-18-35-0-5-51-65281-45-23-21,29-23-24,0":         "b9067e67ecd275c2086c44955ce25543",
		"771,4865-4866-4867-49196-49195-52393-49200-49199-52392-49162-49161-49172-49171-157-156-53-47-49160-49170-10,0-23-65281-10-11-16-5-13-18-51-45-43-27-21,29-23-24-25,0": "773906b0efdefa24a7f2b8eb6985bf37",
	} {
		f := strings.Split(text, ",")
		o := offer{version: numbers(t, f[0], "-", 10)[0], ciphers: numbers(t, f[1], "-", 10), kinds: numbers(t, f[2], "-", 10), groups: numbers(t, f[3], "-", 10),
			points: numbers(t, f[4], "-", 10), sigs: []uint16{0x0403}, known: []uint16{0x0304}, alpn: "h2"}
		for _, g := range [][]uint16{nil, greases} {
			if len(o.kinds) == 0 && g != nil {
				continue
			}
			got := AppendJA3([]byte("x"), parsed(t, o.message(g...)))[1:]
			if sum := md5.Sum(got); string(got) != text || hex.EncodeToString(sum[:]) != want {
				t.Errorf("grease %x: %s\nwant %s", g, got, text)
			}
		}
	}
}

// TestFingerprintCut: what is not there as a whole has no fingerprint.
func TestFingerprintCut(t *testing.T) {
	whole := (&offer{version: 0x0303, ciphers: []uint16{1, 2}, kinds: []uint16{0, 10, 11, 13, 16, 43}, alpn: "h2"}).message()
	var h Hello
	for n := range whole {
		if h.ParseHandshake(whole[:n]); len(AppendJA3(nil, &h)) > 0 || len(AppendJA4(nil, &h, OverTCP)) > 0 {
			t.Fatalf("%d of %d bytes have a fingerprint", n, len(whole))
		}
	}
	list := cat(u16(10), u16(200), []byte("short"))
	broken := message(1, cat([]byte{3, 3}, make([]byte, 32), []byte{0}, u16(2), []byte{0x13, 1, 1, 0}, u16(len(list)), list))
	if h.ParseHandshake(broken); len(AppendJA3(nil, &h)) > 0 || len(AppendJA4(nil, &h, OverTCP)) > 0 {
		t.Error("a broken list has a fingerprint")
	}
}

func TestFingerprintOfGo(t *testing.T) {
	client, _, _ := handshake(t, stdtls.VersionTLS13, "www.example.com")
	var h Hello
	if !h.Parse(client) {
		t.Fatal("no ClientHello")
	}
	if got := string(AppendJA4(nil, &h, OverTCP)); !regexp.MustCompile(`^t13d\d\d\d\d[0-9a-z]{2}_[0-9a-f]{12}_[0-9a-f]{12}$`).MatchString(got) {
		t.Error(got)
	}
	if n := testing.AllocsPerRun(100, func() {
		var text [4096]byte
		AppendJA3(text[:0], &h)
		AppendJA4(text[:0], &h, OverTCP)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzFingerprint(f *testing.F) {
	f.Add((&offer{version: 0x0303, ciphers: []uint16{1, 2}, kinds: []uint16{0, 10, 11, 13, 16, 43}, alpn: "h2"}).message(greases...))
	f.Add(hello(sni("a.example"), ext(13, []byte{0, 9, 1})))
	ja3 := regexp.MustCompile(`^\d+,[\d-]*,[\d-]*,[\d-]*,[\d-]*$`)
	ja4 := regexp.MustCompile(`^q(1[0-3]|s[23]|00)[di]\d{4}[0-9A-Za-z]{2}_[0-9a-f]{12}_[0-9a-f]{12}$`)
	f.Fuzz(func(t *testing.T, b []byte) {
		var h Hello
		h.ParseHandshake(b)
		if got := AppendJA3(nil, &h); len(got) > 0 && !ja3.Match(got) {
			t.Errorf("%s", got)
		}
		if got := AppendJA4(nil, &h, OverQUIC); len(got) > 0 && !ja4.Match(got) {
			t.Errorf("%s", got)
		}
	})
}

func BenchmarkFingerprint(b *testing.B) {
	o := offer{version: 0x0303, kinds: []uint16{27, 0, 51, 16, 17513, 23, 45, 13, 5, 35, 18, 43, 65281, 11, 10, 21}, alpn: "h2",
		sigs: []uint16{1027, 2052, 1025, 1283, 2053, 1281, 2054, 1537}, groups: []uint16{29, 23, 24}, points: []uint16{0}, known: []uint16{772}}
	o.ciphers = []uint16{4865, 4866, 4867, 49195, 49199, 49196, 49200, 52393, 52392, 49171, 49172, 156, 157, 47, 53}
	var h Hello
	h.ParseHandshake(o.message())
	var text [4096]byte
	b.Run("JA3", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			sum := md5.Sum(AppendJA3(text[:0], &h))
			_ = sum
		}
	})
	b.Run("JA4", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			AppendJA4(text[:0], &h, OverTCP)
		}
	})
}
