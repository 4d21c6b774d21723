package attack

import (
	"bytes"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

// sinkholes is the description of Sinkhole as an expression, for ASCII.
var sinkholes = regexp.MustCompile(`(?im)^(?:X-Sinkhole: |Server: )(?:sinkhole|malwaresinkhole|malware-sinkhole)|\bSinkholed? by ` +
	`|^(?:X-Sinkholed?:|X-Sinkholed?-Domain:|X-Zinkhole:)| a malware sinkhole|\bSinkhole(?: Project)?</title>|This is a sinkhole|bots party hard` +
	`|computers connecting to this sinkhole| Sinkhole by |^Set-Cookie: snkz=|^Server: Apache [\d.]+/SinkSoft|^Location:.*\.sinkdns\.org:80`)

func TestSinkhole(t *testing.T) {
	for text, want := range map[string]string{
		"HTTP/1.1 200 OK\r\nX-Sinkhole: Malware-Sinkhole 2\r\n":    "X-Sinkhole: Malware-Sinkhole",
		"HTTP/1.1 200 OK\r\nX-SINKHOLE: other\r\n":                 "X-SINKHOLE:",
		"HTTP/1.1 200 OK\nserver: sinkhole":                        "server: sinkhole",
		"server: malwareſinKhole":                                  "server: malwareſinKhole",
		"HTTP/1.1 200 OK\r\nServer: nginx sinkhole\r\n":            "",
		"HTTP/1.1 200 OK\r\nNo-Server: sinkhole\r\n":               "",
		"<b>Sinkhole by x":                                         "Sinkhole by ",
		"a Sinkhole by x":                                          " Sinkhole by ",
		"a Sinkholed by x":                                         "Sinkholed by ",
		"aSinkholed by x, éSinkhole by x":                          "",
		"\nX-Sinkholed: x":                                         "X-Sinkholed:",
		"\nX-Sinkhole-Domain: x":                                   "X-Sinkhole-Domain:",
		"\nX-Sinkholed-Domain: x":                                  "X-Sinkholed-Domain:",
		"\nX-Zinkhole: x":                                          "X-Zinkhole:",
		" X-Zinkhole: x":                                           "",
		"this is a Malware Sinkhole":                               " a Malware Sinkhole",
		"a malware sinkhole":                                       "",
		"<title>Sinkhole</title>":                                  "Sinkhole</title>",
		"<title>The Sinkhole Project</title>":                      "Sinkhole Project</title>",
		"<title>The_Sinkhole Project</title>":                      "",
		"<p>This is a sinkhole.":                                   "This is a sinkhole",
		"This is no sinkhole":                                      "",
		"where BOTS party hard":                                    "BOTS party hard",
		"where bots work hard":                                     "",
		"9 computers connecting to this sinkhole":                  "computers connecting to this sinkhole",
		"computers connected to this sinkhole":                     "",
		"\r\nSet-Cookie: snkz=1":                                   "Set-Cookie: snkz=",
		"\r\nSet-Cookie: a=1; snkz=1":                              "",
		"\r\nServer: Apache 2.4.٣/SinkSoft":                        "Server: Apache 2.4.٣/SinkSoft",
		"\r\nServer: Apache /SinkSoft":                             "",
		"\r\nServer: Apache 2.4a/SinkSoft":                         "",
		"\r\nLocation: http://a.sinkdns.org:80/x.sinkdns.org:80/y": "Location: http://a.sinkdns.org:80/x.sinkdns.org:80",
		"\r\nLocation: http://a\r\nx.sinkdns.org:80":               "",
		"\r\nLocation: http://a.sinkdns.org:8080":                  "Location: http://a.sinkdns.org:80",
		strings.Repeat("x", 1982) + "This is a sinkhole":           "This is a sinkhole",
		strings.Repeat("x", 1983) + "This is a sinkhole":           "",
		strings.Repeat("é", 1982) + "This is a sinkhole":           "This is a sinkhole",
		strings.Repeat("é", 1983) + "This is a sinkhole":           "",
		strings.Repeat("x", 9000) + "This is a sinkhole":           "",
		"think of a Sinkhole by ":                                  " Sinkhole by ",
		"":                                                         "",
	} {
		got, ok := Sinkhole([]byte(text))
		if string(got) != want || ok != (want != "") {
			t.Errorf("Sinkhole(%q) = %q, %v; want %q", text, got, ok, want)
		}
	}
}

func TestSinkholeTranscript(t *testing.T) {
	parts := strings.Split("\n|\n|\r\n| | |x|X-|Sinkhole|sinkhole|Sinkholed|: |:| by |-Domain:|malware|malware-|Server: |server: |Apache |1.2|/SinkSoft|Zinkhole|zinkhole:| a malware sinkhole|</title>| Project</title>|"+
		"This is a |bots party hard|computers connecting to this |Set-Cookie: snkz=|Location:|http://x|12345|.sinkdns.org:80|K|_", "|")
	r := rand.New(rand.NewPCG(5, 6))
	hits := 0
	for range 40000 {
		var b []byte
		for range 1 + r.IntN(7) {
			b = append(b, parts[r.IntN(len(parts))]...)
		}
		want := sinkholes.Find(b)
		got, ok := Sinkhole(b)
		if !bytes.Equal(got, want) || ok != (want != nil) {
			t.Fatalf("Sinkhole(%q) = %q, %v; the expression says %q", b, got, ok, want)
		}
		if ok {
			hits++
		}
	}
	if hits < 4000 {
		t.Errorf("only %d sinkholes", hits)
	}
}

func TestSeized(t *testing.T) {
	for text, want := range map[string]string{
		"<title>This domain name has been seized by X</title>": "This domain name has been seized by X",
		"a<title>Domain Seized</title><title>x</title>":        "Domain Seized",
		"<title>\nDomain Seizure\n</title>":                    "\nDomain Seizure\n",
		"<title>domain seized</title>":                         "",
		"<title>Domain Seized":                                 "",
		"<TITLE>Domain Seized</TITLE>":                         "",
		"</title><title>x</title>Domain Seized":                "",
		"Domain Seized</title>":                                "",
		"":                                                     "",
	} {
		if got, ok := Seized([]byte(text)); string(got) != want || ok != (want != "") {
			t.Errorf("Seized(%q) = %q, %v; want %q", text, got, ok, want)
		}
	}
}

func TestContentType(t *testing.T) {
	for _, script := range scripts {
		for _, value := range []string{script, " " + strings.ToUpper(script) + "\t", script + "; charset=utf-8", script + " ;"} {
			if got, ok := ContentType([]byte(value)); got != script || !ok {
				t.Errorf("ContentType(%q) = %q, %v", value, got, ok)
			}
		}
	}
	for _, value := range []string{"", ";", "text/html", "application/x-sh2", "text/x-s", "x; application/x-sh", "application/x-sh, text/html", "text /x-sh"} {
		if got, ok := ContentType([]byte(value)); got != "" || ok {
			t.Errorf("ContentType(%q) = %q, %v", value, got, ok)
		}
	}
}

// FuzzResponse: no panic, and what is found stands in the text.
func FuzzResponse(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nServer: sinkhole\r\nLocation: x.sinkdns.org:80\r\n\r\n<title>Domain Seized</title>"))
	f.Add([]byte("n\xe2\x84\xaa \xff\xaa Sinkhole by \nServer: Apache \u0663./SinkSoft bots party hard"))
	f.Fuzz(func(t *testing.T, text []byte) {
		matched, ok := Sinkhole(text)
		if ok != (len(matched) > 0) || !bytes.Contains(text, matched) {
			t.Errorf("Sinkhole(%q) = %q, %v", text, matched, ok)
		}
		ascii := true
		for _, c := range text {
			ascii = ascii && c < 0x80
		}
		if ascii {
			if want := sinkholes.Find(text[:min(len(text), headRunes)]); !bytes.Equal(matched, want) {
				t.Errorf("Sinkhole(%q) = %q, the expression says %q", text, matched, want)
			}
		}
		if title, ok := Seized(text); ok && !bytes.Contains(text, append(append([]byte("<title>"), title...), "</title>"...)) {
			t.Errorf("Seized(%q) = %q", text, title)
		}
		ContentType(text)
		FileOf(text, true).Download()
		FileOf(text, true).ScanFile()
		Exempt(text)
		Worth(text)
	})
}
