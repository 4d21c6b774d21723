package detect

import (
	"slices"
	"testing"

	"trailhound/agent/event"
	"trailhound/tests/corpus"
)

// TestForwardedForms holds how the values of forwarded-for headers are read.
func TestForwardedForms(t *testing.T) {
	for value, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "192.0.2.1, 10.0.0.1": "192.0.2.1", "192.0.2.1:8080": "192.0.2.1", `"192.0.2.1"`: "192.0.2.1",
		"2001:db8::1": "2001:db8::1", "2001:DB8::1, 10.0.0.1": "2001:DB8::1", "[2001:db8::1]": "2001:db8::1", "[2001:db8::1]:443, x": "2001:db8::1",
		`"[2001:db8::1]:443"`: "2001:db8::1", "::ffff:192.0.2.1": "::ffff:192.0.2.1", "fe80::1%eth0": "fe80::1", "::": "::",
		"999.1.": "999.1.", "1.2.3.4.5": "1.2.3.4.5", "face": "", "[2001:db8::1": "", "2001:db8::1]": "2001", "1:2:3:x": "1", "": "", "[": "", "[]": "", ":::": "",
	} {
		if got := forwarded([]byte(value)); string(got) != want {
			t.Errorf("%q: got %q, want %q", value, got, want)
		}
	}
}

// TestForwardedOfEveryEvent holds that each event of a request tells whom it was
// forwarded for, and that the source text of the reference does only for those for
// which the reference's does.
func TestForwardedOfEveryEvent(t *testing.T) {
	w, events := worker(rulesOf(t, Options{Heuristics: true, HostDomains: true, MissingHost: true, Home: event.NewHomeNetworks(nil)}, "evil.example", "/gate.php", "ua:evilbot"))
	ask := func(payload string) {
		frame(w, corpus.IP("203.0.113.1", "198.51.100.1", corpus.Data(1, 80, payload)), corpus.Start)
	}
	const from = "X-Forwarded-For: 2001:db8::1"
	ask(corpus.Get("evil.example", "/gate.php", "User-Agent: EvilBot", from) + corpus.Get("a.example", "/?id=1%20union%20select%20a", from) +
		corpus.Request("GET", "/", []string{from}, "") + corpus.Get("a.example", "/x.exe"))
	ask("HTTP/1.1 200 OK\r\nContent-Type: application/hta\r\n\r\n")
	var got []string
	for _, e := range *events {
		got = append(got, string(e.Code)+" "+e.Forwarded+" "+e.ForwardedSource())
	}
	if want := []string{"trail.dns 2001:db8::1 ", "trail.ua 2001:db8::1 ", "trail.url 2001:db8::1 ", "http.sqli 2001:db8::1 2001", "http.nohost 2001:db8::1 ", "http.download  ", "http.ctype  "}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
