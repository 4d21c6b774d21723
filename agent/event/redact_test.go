package event

import (
	"bytes"
	"strings"
	"testing"
)

func TestRedact(t *testing.T) {
	for _, c := range [][2]string{
		{"", ""},
		{"=", "="},
		{"/x?a=1&b=2", "/x?a=1&b=2"},
		{"/x?password=p", "/x?password=***"},
		{"/x?password=", "/x?password="},
		{"/x?password=&a=1", "/x?password=&a=1"},
		{"/x?password", "/x?password"},
		{"/x?PassWord=P&x=1", "/x?PassWord=***&x=1"},
		{"pass=a;token=b c", "pass=***;token=*** c"},
		{"/x?user_pass=a&access-token=b&a.secret=c&u[session]=d", "/x?user_pass=***&access-token=***&a.secret=***&u[session]=***"},
		{"/x?api_key=a&apikey=b&api-key=c&cookie=d&authorization=e", "/x?api_key=***&apikey=***&api-key=***&cookie=***&authorization=***"},
		{"/x?compass=1&spasse=2&retoken=3", "/x?compass=1&spasse=2&retoken=3"},
		{"/x?compass_pass=1", "/x?compass_pass=***"},
		{"/x?pass=a=b=c&d", "/x?pass=***&d"},
		{"/x?a=pass=b", "/x?a=pass=***"},
		{`/x?token="quoted"`, `/x?token="quoted"`},
		{`shop(/x \(POST pass=a\))`, `shop(/x \(POST pass=***\))`},
		{"(shop)/x?pass=(secret)", "(shop)/x?pass=(***)"},
		{"/x?pass=(", "/x?pass=("},
		{"/x?pass=()", "/x?pass=()"},
		{"/x?pass==", "/x?pass=***"},
		{"/x?pass=\xff\x00\n", "/x?pass=***"},
		{"token=***", "token=***"},
		{"http://a?token=/&b:c@h", "http://a?token=***&b:c@h"},
		{"://token=/&b:c@h", "://token=***&b:***@h"},
		{"/x?to=https%3A%2F%2Fa%2Fcb%3Faccess_token%3DABC%26x%3D1&y=2", "/x?to=https%3A%2F%2Fa%2Fcb%3Faccess_token%3D***%26x%3D1&y=2"},
		{"/x?to=%2Flogin%3fpassword%3dhunter2", "/x?to=%2Flogin%3fpassword%3d***"},
		{"/x?a=100%password=p&%access_token=t&%3Fcompass%3D1&b%3D2", "/x?a=100%password=***&%access_token=***&%3Fcompass%3D1&b%3D2"},
		{`{"user":"me","password":"a\"b&c","x":1}`, `{"user":"me","password":"***","x":1}`},
		{`{"user_pass" : "p", "compass": "n", "token":12, "secret":""}`, `{"user_pass" : "***", "compass": "n", "token":12, "secret":""}`},
		{`{"token":"no end\`, `{"token":"***`},
		{`"token"` + strings.Repeat(" ", 50) + `:"p"`, `"token"` + strings.Repeat(" ", 50) + `:"p"`},
		{"http://user:hunter2@proxy.example/x", "http://user:***@proxy.example/x"},
		{"HTTP://u:p@h:8080/?pass=x", "HTTP://u:***@h:8080/?pass=***"},
		{"http://user@h/", "http://user@h/"},
		{"http://user:@h/", "http://user:@h/"},
		{"http://:p@h/", "http://:***@h/"},
		{"http://h:80/a@b:c@d", "http://h:80/a@b:c@d"},
		{"http://u@h:80/", "http://u@h:80/"},
		{"http://u:p@q:r@h/", "http://u:***@h/"},
		{"http://u:p(a)s@h", "http://u:***@h"},
		{"http://u:p@h", "http://u:***@h"},
		{"http://[::1]:80/x", "http://[::1]:80/x"},
		{"/go?to=http://u:p@h/&x=ftp://a:b@c", "/go?to=http://u:***@h/&x=ftp://a:***@c"},
		{"/go?token=http://u:p@h/", "/go?token=***"},
		{"x://token=a&b:c@h/", "x://token=***&b:***@h/"},
		{"x://token=a:c@h/", "x://token=***"},
		{"http://a://b:c@d", "http://a://b:***@d"},
		{"see http://u:p w@h", "see http://u:p w@h"},
		{"/go?to=http:/u:p@h/&x=ftp:/a:b@c", "/go?to=http:/u:***@h/&x=ftp:/a:***@c"},
		{"/x:/y/z:1@h?a:/b", "/x:/y/z:1@h?a:/b"},
		{"http:///u:p@h", "http:///u:***@h"},
		{"://:@", "://:@"},
		{"u:p@h:443", "u:p@h:443"}, // as text; RedactTarget knows better
	} {
		in := []byte(c[0])
		if got := string(Redact(in)); got != c[1] {
			t.Errorf("%q: %q, want %q", c[0], got, c[1])
		}
		if string(in) != c[0] {
			t.Errorf("%q: the input was changed to %q", c[0], in)
		}
		if again := string(Redact([]byte(c[1]))); again != c[1] {
			t.Errorf("%q: redacted twice %q", c[1], again)
		}
	}
	clean := []byte("/index.php?page=7&sort=name")
	if got := Redact(clean); &got[0] != &clean[0] || testing.AllocsPerRun(10, func() { Redact(clean) }) != 0 {
		t.Error("text without secrets is copied")
	}
}

// The target of CONNECT has no scheme.
func TestRedactTarget(t *testing.T) {
	for _, c := range [][2]string{
		{"", ""},
		{"u:p@h:443", "u:***@h:443"},
		{"u@h:443", "u@h:443"},
		{"h:443", "h:443"},
		{"*", "*"},
		{"/u:p@h", "/u:p@h"},
		{"http://u:p@h/", "http://u:***@h/"},
		{":p@h", ":***@h"},
		{"token=x:p@h", "token=***"},
	} {
		if got := string(RedactTarget([]byte(c[0]))); got != c[1] {
			t.Errorf("%q: %q, want %q", c[0], got, c[1])
		}
	}
}

func FuzzRedact(f *testing.F) {
	for _, s := range []string{"/x?password=p&token=(x)&a=1", "=", "pass=", "pass==pass=(=", "session=\xff;", "u[pass]=1\\", "pass=(pass=(pass=(",
		"http://u:p@h/?pass=a://u:p@h", "://a:b@://c=:d@", "x://token=a&b:c@h/", "u:p@h", `{"pass" : "a\"b","token":""}`, "%3Ftoken%3Da%26b%3dc", ":/token=/&:0@"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		in := bytes.Clone(text)
		out := Redact(text)
		if !bytes.Equal(in, text) {
			t.Fatal("the input was changed")
		}
		// "***" takes the place of at least one byte of each value.
		if len(out) > len(text)+2*bytes.Count(text, []byte("="))+2*bytes.Count(text, []byte("%3"))+2*bytes.Count(text, []byte(":")) {
			t.Fatalf("%d bytes grew to %d", len(text), len(out))
		}
		secret := bytes.Contains(text, []byte(":/"))
		for _, w := range secretWords {
			secret = secret || bytes.Contains(bytes.ToLower(text), w)
		}
		if !secret && !bytes.Equal(out, text) {
			t.Fatalf("%q became %q", text, out)
		}
		if again := Redact(out); !bytes.Equal(again, out) {
			t.Fatalf("%q, redacted twice %q", out, again)
		}
		target := RedactTarget(text)
		if again := RedactTarget(target); !bytes.Equal(again, target) {
			t.Fatalf("%q as a target, redacted twice %q", target, again)
		}
	})
}
