package event

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"
)

// What bounds memory by Size must not hold much more than that.
func TestSize(t *testing.T) {
	var e Event
	if n, want := e.Size(), int(reflect.TypeFor[Event]().Size()); n < want || n > want+256 {
		t.Errorf("an empty event is %d bytes, Size says %d", want, n)
	}
	text := strings.Repeat("x", 100)
	for name, set := range map[string]func(*Event){
		"community id": func(e *Event) { e.CommunityID = text }, "answers": func(e *Event) { e.DNS.Answers = []string{text} },
		"content type": func(e *Event) { e.HTTP.ContentType = text }, "body": func(e *Event) { e.HTTP.Body = text },
		"ja3": func(e *Event) { e.TLS.JA3 = text }, "ja4": func(e *Event) { e.TLS.JA4 = text },
		"hosts": func(e *Event) { e.Retro.Hosts = make([]netip.Addr, 5) }, "trails": func(e *Event) { e.Aggregate.Trails = []string{text} },
	} {
		full := e
		if set(&full); full.Size() < e.Size()+100 {
			t.Errorf("%s: not counted", name)
		}
	}
}
