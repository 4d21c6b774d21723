package e2e

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"trailhound/agent/event"
)

// readCEF reads a CEF record, by the book and not by what the encoder does.
func readCEF(text string) (header []string, keys map[string]string, err error) {
	rest, ok := strings.CutPrefix(strings.TrimPrefix(text, " "), "CEF:0|")
	if !ok {
		return nil, nil, errors.New("no CEF")
	}
	for field := []byte(nil); len(header) < 6; rest = rest[1:] {
		switch {
		case rest == "":
			return nil, nil, errors.New("the header ends early")
		case rest[0] == '\\' && len(rest) > 1:
			rest = rest[1:]
			field = append(field, rest[0])
		case rest[0] == '|':
			header, field = append(header, string(field)), nil
		default:
			field = append(field, rest[0])
		}
	}
	keys = map[string]string{}
	for rest != "" {
		key, value, ok := strings.Cut(rest, "=")
		if !ok {
			return nil, nil, fmt.Errorf("no key in %q", rest)
		}
		out, end := []byte(nil), len(value)
		for i := 0; i < len(value) && end == len(value); i++ {
			switch c := value[i]; {
			case c == '\\' && i+1 < len(value):
				i++
				out = append(out, map[byte]byte{'n': '\n', 'r': '\r'}[value[i]])
				if out[len(out)-1] == 0 {
					out[len(out)-1] = value[i]
				}
			case c == '=':
				end = strings.LastIndexByte(value[:i], ' ')
				out = out[:len(out)-(i-end)]
			default:
				out = append(out, c)
			}
		}
		keys[key], rest = string(out), strings.TrimPrefix(value[end:], " ")
	}
	return header, keys, nil
}

// cleanText is what becomes of text in a value.
func cleanText(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r != '\n' && r != '\r' && unicode.IsControl(r):
			return -1
		}
		return r
	}, s)
}

// oneLine makes spaces of line ends.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\r' || r == '\n' {
			return ' '
		}
		return r
	}, s)
}

// sameMessage compares what arrived with what the event says. In what was cut
// the values are beginnings.
func sameMessage(t testing.TB, m *syslogMessage, e *event.Event, short bool) {
	t.Helper()
	header, keys, err := readCEF(m.Msg)
	if err != nil {
		t.Fatalf("event %d: %v in %q", e.Seq, err, m.Msg)
	}
	severity := map[event.Severity][2]string{event.Info: {"166", "1"}, event.Low: {"165", "3"}, event.Medium: {"164", "5"}, event.High: {"162", "8"}}[e.Severity]
	port := func(n uint16) string {
		if n == 0 {
			return ""
		}
		return strconv.Itoa(int(n))
	}
	for what, pair := range map[string][2]string{"priority": {m.Pri, severity[0]}, "app": {m.App, "trailhound"}, "pid": {m.Pid, strconv.Itoa(os.Getpid())},
		"version": {header[2], "1.0.0"}, "code": {header[3], string(e.Code)}, "severity": {header[5], severity[1]},
		"rt": {keys["rt"], strconv.FormatInt(e.Time.UnixMilli(), 10)}, "src": {keys["src"], e.Src.String()}, "spt": {keys["spt"], port(e.SrcPort)},
		"dst": {keys["dst"], "2001:db8::1"}, "c6a3": {keys["c6a3"], "2001:db8::1"}, "dpt": {keys["dpt"], port(e.DstPort)}, "proto": {keys["proto"], e.Protocol},
		"externalId": {keys["externalId"], event.IDString(e.ID)}, "sensor": {keys["deviceExternalId"], "edge-1"}, "epoch": {keys["cn2"], strconv.FormatUint(e.Epoch, 10)},
		"sequence": {keys["cn3"], strconv.FormatUint(e.Seq, 10)}, "confidence": {keys["flexNumber1"], strconv.Itoa(int(e.Confidence))},
		"tenant": {keys["tenant"], "acme = 1"}, "method": {keys["requestMethod"], e.HTTP.Method}} {
		if pair[0] != pair[1] {
			t.Errorf("event %d: %s is %q, want %q", e.Seq, what, pair[0], pair[1])
		}
	}
	request := ""
	if e.HTTP.Host != "" {
		request = "http://" + e.HTTP.Host + cleanText(e.HTTP.Target)
	}
	for what, pair := range map[string][2]string{"name": {header[4], oneLine(cleanText(e.Info))}, "trail": {keys["cs1"], cleanText(e.Trail)}, "forwarded": {keys["cs4"], cleanText(e.Forwarded)},
		"agent": {keys["requestClientApplication"], cleanText(e.HTTP.UserAgent)}, "request": {keys["request"], request}, "msg": {keys["msg"], cleanText(e.Info)}} {
		want, most := pair[1], 1023
		switch what {
		case "name":
			most = 512
		case "trail", "forwarded":
			most = 4000
		}
		if r := []rune(want); len(r) > most {
			want = string(r[:most])
		}
		if pair[0] != want && !(short && strings.HasPrefix(want, pair[0])) {
			t.Errorf("event %d: %s is %q, want %q", e.Seq, what, pair[0], want)
		}
	}
}
