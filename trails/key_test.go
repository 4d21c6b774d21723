package trails

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

// text is what a key reads as; kinds with binary keys are compared by it.
func TestAppendKey(t *testing.T) {
	sha1 := strings.Repeat("0a", 20)
	sha256 := strings.Repeat("0b", 32)
	for _, c := range []struct {
		in   string
		kind Kind
		text string
	}{
		{"evil.example", Domain, "evil.example"},
		{"  evil.example\t", Domain, "evil.example"},
		{"EVIL.Example", Domain, "evil.example"},
		{".xyz", Domain, "xyz"},
		{"..evil.example..", Domain, "evil.example"},
		{"*.evil.example", Domain, "evil.example"},
		{"www.evil.example", Domain, "evil.example"},
		{"WWW.Evil.Example", Domain, "evil.example"},
		{"www.www.evil.example", Domain, "evil.example"},
		{"www.com", Domain, "www.com"},
		{"a_b.evil.example", Domain, "a_b.evil.example"},
		{"xn--bcher-kva.example", Domain, "xn--bcher-kva.example"},
		{"bücher.example", Domain, "xn--bcher-kva.example"},
		{"Bücher。Example", Domain, "xn--bcher-kva.example"},
		{"10.0.0.1.evil.example", Domain, "10.0.0.1.evil.example"},
		{"192.0.2.1", Address, "192.0.2.1"},
		{"2001:DB8:0:0:0:0:0:1", Address, "2001:db8::1"},
		{"2001:db8:1:2:3:4:5:6", Address, "2001:0db8:0001:0002:0003:0004:0005:0006"},
		{"::", Address, "::0"},
		{"192.0.2.1:443", AddressPort, "192.0.2.1:443"},
		{"[2001:db8:0:0::7f9]:80", AddressPort, "[2001:db8::7f9]:80"},
		{"192.0.2.77/24", Network, "192.0.2.0/24"},
		{"2001:db8::1/32", Network, "2001:db8::0/32"},
		{"/gate.php", URL, "/gate.php"},
		{"/Gate.PHP?ID=1", URL, "/gate.php?id=1"},
		{"evil.example/", URL, "evil.example/"},
		{"evil.example//", URL, "evil.example/"},
		{"evil.example/a/", URL, "evil.example/a"},
		{"evil.example/a//b///", URL, "evil.example/a/b"},
		{"www.evil.example/a", URL, "www.evil.example/a"},
		{"http://192.0.2.1", URL, "192.0.2.1/"},
		{"http://192.0.2.1:80", URL, "192.0.2.1/"},
		{"http://192.0.2.1:8080", URL, "192.0.2.1:8080/"},
		{"http://evil.example:080/x", URL, "evil.example/x"},
		{"HTTPS://Evil.Example/X", URL, "evil.example/x"},
		{"ftp://evil.example/x", URL, "evil.example/x"},
		{"/r?u=http://other.example", URL, "/r?u=http:/other.example"},
		{"http://[2001:db8::1]:8080/x", URL, "[2001:db8::1]:8080/x"},
		{"http://192.0.2.1/24", URL, "http://192.0.2.1/24"}, // without the scheme it were a network
		{"192.0.2.1/33", URL, "192.0.2.1/33"},
		{"bücher.example:8080/é", URL, "xn--bcher-kva.example:8080/%c3%a9"},
		{"/consulta fgts.js", URL, "/consulta%20fgts.js"},
		{"/a /", URL, "/a%20"},
		{`0ba[0-9]{8,15}\.win`, Pattern, `0ba[0-9]{8,15}\.win`},
		{`a.*b`, Pattern, `a.*b`},
		{`re:^a\d$`, Pattern, `re:^a\d$`},
		{`RE: a[0-9]+`, Pattern, `a[0-9]+`},
		{`re:ua:[a-z]+`, Pattern, `re:ua:[a-z]+`}, // must not turn into a user agent
		{"ua:Evil Agent/1", UserAgent, "ua:Evil Agent/1"},
		{sha1, Certificate, sha1},
		{"sha1:" + strings.ToUpper(sha1), Certificate, sha1},
		{"SHA256:" + sha256, Certificate, sha256},
		{"sha1:" + strings.TrimSuffix(strings.Repeat("0A:", 20), ":"), Certificate, sha1},
		{"ja3:" + strings.Repeat("AB", 16), JA3, "ja3:" + strings.Repeat("ab", 16)},
		{"ja4:T13D1516H2_8DAAF6152771_02713d6af862", JA4, "ja4:t13d1516h2_8daaf6152771_02713d6af862"},
	} {
		kind, key, err := AppendKey([]byte("x"), []byte(c.in))
		if err != nil || kind != c.kind || key[0] != 'x' {
			t.Errorf("%q: %v %q %v, want a %v", c.in, kind, key, err, c.kind)
			continue
		}
		if got := Text(kind, key[1:]); got != c.text {
			t.Errorf("%q reads %q, want %q", c.in, got, c.text)
		}
	}
}

func TestAppendKeyRefuses(t *testing.T) {
	for _, c := range []struct {
		in  string
		err error
	}{
		{"", ErrEmpty}, {" \t", ErrEmpty}, {"ua:", ErrEmpty}, {"re: ", ErrEmpty},
		{strings.Repeat("a", 4097), ErrTooLong},
		{"/" + strings.Repeat("é", 1500), ErrTooLong},
		{"evil\x00.example", ErrControl}, {"/a\x7f", ErrControl},
		{"evil\uFFFD.example", ErrBadReplacement},
		{"192.0.2.256", ErrAddress}, {"192.0.2", ErrAddress}, {"01.2.3.4", ErrAddress},
		{"1.2.3.4:22:443", ErrAddress}, {"1.2.3:80", ErrAddress}, {"fe80::1%eth0", ErrAddress},
		{"[2001:db8::1", ErrAddress}, {"[2001:db8::1]", ErrAddress},
		{"192.0.2.1:65536", ErrPort}, {"192.0.2.1:0", ErrPort}, {"192.0.2.1:", ErrPort},
		{"evil.example:443", ErrNamePort},
		{"0.0.0.0/0", ErrNetwork}, {"::/0", ErrNetwork},
		{"evil..example", ErrName}, {"evil example", ErrName}, {"a.1", ErrName}, {"...", ErrName},
		{strings.Repeat("0a", 16), ErrAmbiguousHash},
		{strings.Repeat("0a", 20) + ".", ErrHash}, {"sha1:00", ErrHash}, {"ja3:zz", ErrHash},
		{"ja4:t13d1516 2_8daaf6152771_02713d6af862", ErrHash},
		{"/", ErrURL}, {"//", ErrURL}, {"http://", ErrURL}, {"http:///", ErrURL},
		{"http://user:secret@evil.example/", ErrURL}, {"evil.example:0/x", ErrURL}, {"1.2.3.4:22:443/x", ErrURL},
		{"evil example/x", ErrURL}, {"1.2.3/x", ErrURL}, {"[::1%lo]/x", ErrURL}, {"2001:db8::/129", ErrURL},
	} {
		kind, key, err := AppendKey([]byte("x"), []byte(c.in))
		if !errors.Is(err, c.err) || kind != Invalid || string(key) != "x" {
			t.Errorf("%.60q: %v %q %v, want %v", c.in, kind, key, err, c.err)
		}
	}
}

func TestAppendKeyAllocatesNothing(t *testing.T) {
	dst := make([]byte, 0, 256)
	for _, in := range []string{"evil.example", "EVIL.example", "192.0.2.1", "192.0.2.1:443", "/gate.php", "evil.example:8080/a/", "ua:x", "192.0.2.0/24"} {
		text := []byte(in)
		if n := testing.AllocsPerRun(100, func() { AppendKey(dst, text) }); n != 0 {
			t.Errorf("%q: %v allocations", in, n)
		}
	}
}

func TestIsPattern(t *testing.T) {
	for text, want := range map[string]bool{
		`byethost[0-9]+\.com`: true, `a]+`: true, `a]*`: true, `a.+b`: true, `[a]`: true, `[a-z_.]x`: true,
		`evil.example`: false, `[]`: false, `[^.]`: false, `a+b`: false, `/x[0-9]+`: false, `[2001:db8::1]:443`: false, `[`: false, ``: false,
	} {
		if IsPattern([]byte(text)) != want {
			t.Errorf("%q: want %v", text, want)
		}
	}
}

// FuzzKey holds the promise the whole product rests on: the text of a key is
// read as the same key of the same kind.
func FuzzKey(f *testing.F) {
	for _, s := range []string{"evil.example", "www.www.a.b", "http://192.0.2.1/24", "re:80/x", "http://re:81/x", "re:ua:[a]+", "ua: x ",
		"[2001:db8::1]:443", "::ffff:1.2.3.4/120", "2001:db8::/129", strings.Repeat("ａ", 40), strings.Repeat("0a", 20) + ".", "a/b /", "ｗｗｗ.x.y",
		"x://sha1:1/", "1.2.3.4:80/24", "/é/%C3?A=B", "ja4:t13d1516h2_8daaf6152771_02713d6af862"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		kind, key, err := AppendKey(nil, text)
		if err != nil {
			if kind != Invalid || len(key) != 0 {
				t.Fatalf("%q: error %v with a key %q", text, err, key)
			}
			return
		}
		if kind == Invalid || kind >= Kinds || len(key) == 0 || len(key) > maxKey {
			t.Fatalf("%q: kind %v, key of %d bytes", text, kind, len(key))
		}
		shown := AppendText(nil, kind, key)
		kind2, key2, err := AppendKey(nil, shown)
		if err != nil || kind2 != kind || !bytes.Equal(key, key2) {
			t.Fatalf("%q is %v %s, its text %q is %v %s (%v)", text, kind, hex.EncodeToString(key), shown, kind2, hex.EncodeToString(key2), err)
		}
	})
}

func BenchmarkAppendKey(b *testing.B) {
	for name, in := range map[string]string{"name": "mail.some-evil-name.example", "address-port": "185.62.190.191:31337", "path": "/wp-content/plugins/gate.php",
		"url": "evil.example/wp-content/gate.php", "upper": "Mail.Some-Evil-Name.Example"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			text, dst := []byte(in), make([]byte, 0, 256)
			for b.Loop() {
				AppendKey(dst, text)
			}
		})
	}
}
