package detect

import (
	"bytes"
	"strings"
	"testing"

	"trailhound/agent/protocol/http"
	"trailhound/trails"
	"trailhound/trails/table"
)

// TestCandidates holds the worked lists of D 12.7 and what they leave open.
func TestCandidates(t *testing.T) {
	const none = "no end of the head"
	for _, c := range []struct{ path, body, want string }{
		{"/a/b/c.php?id=1&x=2", none, "/a/b/c.php?id=1&x=2 /a/b/c.php /a/b/c.php?id= /a/b/c.php?id=&x= /c.php?id=&x="},
		{"/a/b/c/d?p=1", none, "/a/b/c/d?p=1 /a/b/c/d /a/b/c/d?p= /a/b/c /d"},
		{"/a/b/c", none, "/a/b/c /a/b /c"},
		{"/x", "", "/x /x?"},
		{"/x", none, "/x"},
		{"/a/b/", "", "/a/b /a/b/? /a/b /b"},
		{"/", none, ""},
		{"/", "", " /?"},
		{"/x", "A=1&B=%41%2f%zz", "/x /x?a=1&b=a/%zz /x?a=1&b=a /x"},
		{"/x?a=1", "body", "/x?a=1 /x /x?a="},
		{"/x?", "body", "/x? /x"},
		{"/x?a=", "", "/x?a= /x /x?a="},
		{"/x/?a", "", "/x/?a /x"}, // without values it is what it was
		{"/a/b?c=/d/e", "", "/a/b?c=/d/e /a/b /a/b?c= /a /e"},
		{"/a=1/b", none, "/a=1/b /a=1 /b"},
	} {
		r := &http.Request{}
		if c.body != none {
			r.HeadEnd, r.Body = true, []byte(c.body)
		}
		var list candidates
		path, marks := trails.AppendPathMarks(nil, []byte(c.path))
		list.fill(path, marks, r)
		var got []string
		for i := range list.n {
			got = append(got, string(list.at(i)))
		}
		if g := strings.Join(got, " "); g != c.want {
			t.Errorf("%s with %q:\n got %q\nwant %q", c.path, c.body, g, c.want)
		}
	}
	long := &http.Request{HeadEnd: true, Body: bytes.Repeat([]byte("x"), table.MaxKey)}
	var list candidates
	if list.fill([]byte("/x"), trails.MarkSlash, long); list.n != 1 || list.body != -1 {
		t.Errorf("a body longer than any key: %d candidates", list.n)
	}
}

func TestAppendValueless(t *testing.T) {
	for path, want := range map[string]string{
		"/x?a=1&b=2": "/x?a=&b=", "/x?a=1=2": "/x?a==2", "/x?a=b=c&d": "/x?a==c&d", "/x?=1": "/x?=1", "=": "=", "=1": "=1", "a=1": "a=",
		"/x?a-=1": "/x?a-=1", "/x?a%20b=1;2 3": "/x?a%20b=", "/x?a=&&b=": "/x?a=&&b=", "/x?a[]=1&b=2": "/x?a[]=1&b=",
	} {
		if got := string(appendValueless([]byte("^"), []byte(path), strings.IndexByte(path, '='))); got != "^"+want {
			t.Errorf("%s: %s, want %s", path, got[1:], want)
		}
	}
}

func TestAppendUnescaped(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "%": "%", "%4": "%4", "%41": "A", "%4g": "%4g", "%g1": "%g1", "%%41": "%A", "%2541": "%41", "a%2Fb%2f": "a/b/", "+": "+", "%00%ff": "\x00\xff", "x%": "x%",
	} {
		if got := string(appendUnescaped([]byte("^"), []byte(text))); got != "^"+want {
			t.Errorf("%s: %q, want %q", text, got[1:], want)
		}
	}
}

// TestIotPath holds the hits and misses of D 12.3 and every token.
func TestIotPath(t *testing.T) {
	hits := []string{"/mips", "/a/b.mips", "/bins/sora.arm7", "/x.sh", "/i686", "/mirai.x86", "/mipsel", "/mips_1", "/m1ps", "/m1ps1234", "/mpsl", "/mpsl1", "/riscv", "/riscv64",
		"/s390", "/s390x", "/i38", "/i4", "/arm", "/arm4", "/armv7", "/a.b_c.9.ppc", "/a-b/c.sh", "/x.arcle-750d", "//sh"}
	for _, token := range strings.Fields("aarch amd64 arcle-750d arcle-hs38 exploit m68 m68k pcc powerpc powerppc ppc pp-c root x86 x32 x64 i386 i486 i586 i686 sparc sh wtf yarn zte") {
		hits = append(hits, "/"+token, "/d/e."+token)
	}
	misses := []string{"/x86_64", "/aarch64", "/armv7l", "/foo-mips", "/x.sh?", "", "/", "sh", "/sh/", "/sh.", "/xsh", "/x-y.sh", "/x.sh.txt", "/arm77", "/armv", "/armx", "/mips12345",
		"/mpsl12", "/riscv6412", "/s390xx", "/i", "/i3867", "/ia", "/sh%20", "/a b.sh", "/x.sh;", "/x:sh", "/é.sh"}
	for _, p := range hits {
		if !iotPath([]byte(p)) {
			t.Errorf("%s is a hit", p)
		}
	}
	for _, p := range misses {
		if iotPath([]byte(p)) {
			t.Errorf("%s is a miss", p)
		}
	}
}

func TestNumericHost(t *testing.T) {
	for host, want := range map[string]bool{"1.2.3.4": true, "1.": true, "1.2": true, "1..2": true, "1234.5.6.7.8": true, "": false, "1": false, ".1": false, "1.2.3.4:80": false, "a.1": false, "1.a": false, "::1": false} {
		if numericHost([]byte(host)) != want {
			t.Errorf("%q: %v", host, !want)
		}
	}
}

func TestDottedQuad(t *testing.T) {
	for text, want := range map[string]string{"1.2.3.4": "1.2.3.4", "255.255.255.255": "255.255.255.255", "0.0.0.0": "0.0.0.0", "10.0.0.1": "10.0.0.1",
		"": "", "1": "", "1.2.3": "", "1.2.3.": "", "1.2.3.4.": "", "1.2.3.4.5": "", "256.1.1.1": "", "1.1.1.999": "", "01.1.1.1": "", "1.1.1.00": "", "1..1.1": "", ".1.1.1": "", "a.1.1.1": "", "1.1.1.1a": "", "1234.1.1.1": ""} {
		a, ok := dottedQuad([]byte(text))
		if ok != (want != "") || ok && a.String() != want {
			t.Errorf("%q: %v %v", text, a, ok)
		}
	}
}

func TestServiceName(t *testing.T) {
	for name, want := range map[string]bool{"ns.x.org": true, "ns1.x.org": true, "dns42.x.org": true, "rns.x": true, "nf1.x": true, "mx.x": true, "nic0.x": true,
		"ns": false, "n.x": false, "nsx.x": false, "ns1a.x": false, "1ns.x": false, "xns.x": false, "12.x": false, "www.ns.x": false, "": false, ".x": false, "ns-1.x": false} {
		if serviceName([]byte(name)) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}

func TestValidName(t *testing.T) {
	for name, want := range map[string]bool{"a.b": true, "_dmarc.a.b": true, "a_b.c": true, "xn--a.b": true, "1.2.3.4.a": true, "a..b": true,
		"a": false, "a.": false, "a.b_": false, "1.2.3.4": false, "1.2": false, "": false, ".": false, "a b.c": false, "a.B": false, "a!.c": false, "é.c": false} {
		if validName([]byte(name)) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}

func TestWithoutPort(t *testing.T) {
	for host, want := range map[string]string{"": "", "a.b": "a.b", "a.b:80": "a.b", "a.b:": "a.b", "1.2.3.4:8080": "1.2.3.4", "[::1]": "[::1]", "[::1]:80": "[::1]", ":80": ""} {
		if got := string(withoutPort([]byte(host))); got != want {
			t.Errorf("%q: %q, want %q", host, got, want)
		}
	}
}

func TestAppendAgent(t *testing.T) {
	for text, want := range map[string]string{"": "", "a": "a", "a(b)": `a\(b\)`, `a\`: "a", `a\\\`: "a", `\a`: `\a`, `(\`: `\(`} {
		if got := string(appendAgent([]byte("^"), []byte(text))); got != "^"+want {
			t.Errorf("%q: %q, want %q", text, got[1:], want)
		}
	}
	for _, a := range harmlessAgents {
		if !bytes.Equal(a, bytes.ToLower(a)) {
			t.Errorf("%s is compared with lower-case text", a)
		}
	}
}
