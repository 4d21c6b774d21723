package format

import (
	"strings"

	"trailhound/agent/event"
	"trailhound/trails"
)

func (d *document) http(e *event.Event) {
	if e.HTTP.Target != "" || e.HTTP.Host != "" {
		d.url(e)
	}
	m := d.object("http")
	if e.HTTP.Method != "" || e.HTTP.Body != "" {
		r := d.object("request")
		d.string("method", e.HTTP.Method)
		if e.HTTP.Body != "" {
			body := d.object("body")
			d.string("content", e.HTTP.Body)
			d.close(body)
		}
		d.close(r)
	}
	if e.HTTP.Status != 0 || e.HTTP.ContentType != "" {
		r := d.object("response")
		d.number("status_code", uint64(e.HTTP.Status))
		d.string("mime_type", mimeType(e.HTTP.ContentType))
		d.close(r)
	}
	d.close(m)
	if e.HTTP.UserAgent != "" {
		m = d.object("user_agent")
		d.string("original", e.HTTP.UserAgent)
		d.close(m)
	}
}

func (d *document) url(e *event.Event) {
	l := locate(e)
	m := d.object("url")
	d.string("original", e.HTTP.Target)
	d.fullURL("full", e, &l)
	d.string("scheme", l.scheme)
	d.string("domain", l.host)
	d.number("port", uint64(l.port))
	d.string("path", l.path)
	d.string("query", l.query)
	d.string("extension", l.extension)
	d.close(m)
}

// fullURL writes the URL where its scheme and host are known.
func (d *document) fullURL(name string, e *event.Event, l *location) {
	if l.scheme == "" || l.host == "" {
		return
	}
	d.key(name)
	d.b = append(d.b, '"')
	if e.HTTP.Target[0] == '/' {
		d.b = append(append(d.b, l.scheme...), "://"...)
		d.b = appendEscaped(d.b, e.HTTP.Host)
	}
	d.b = appendEscaped(d.b, e.HTTP.Target)
	d.b = append(d.b, '"')
}

// mimeType is the type of a Content-Type without its parameters (RFC 9110 8.3).
func mimeType(contentType string) string {
	contentType, _, _ = strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(contentType))
}

// ja3 is the client's JA3, if need be from the indicator that it matched.
func ja3(e *event.Event) string {
	if e.TLS.JA3 == "" && e.Kind == trails.JA3 {
		return strings.TrimPrefix(e.Indicator, "ja3:")
	}
	return e.TLS.JA3
}

func ja4(e *event.Event) string {
	if e.TLS.JA4 == "" && e.Kind == trails.JA4 {
		return strings.TrimPrefix(e.Indicator, "ja4:")
	}
	return e.TLS.JA4
}

func (d *document) tls(e *event.Event) {
	m := d.object("tls")
	c := d.object("client")
	d.string("server_name", e.TLS.ServerName)
	d.string("ja3", ja3(e))
	d.close(c)
	if e.TLS.SHA1 != "" || e.TLS.SHA256 != "" {
		s := d.object("server")
		h := d.object("hash")
		d.upper("sha1", e.TLS.SHA1)
		d.upper("sha256", e.TLS.SHA256)
		d.close(h)
		d.close(s)
	}
	d.close(m)
}

// upper writes a digest the way ECS wants those of tls: in upper case.
func (d *document) upper(name, digest string) {
	if digest != "" {
		d.key(name)
		d.upperText(digest)
	}
}

// upperElement is upper for a list.
func (d *document) upperElement(digest string) {
	if digest != "" {
		d.comma()
		d.upperText(digest)
	}
}

func (d *document) upperText(digest string) {
	d.b = append(d.b, '"')
	at := len(d.b)
	d.b = appendEscaped(d.b, digest)
	for i, c := range d.b[at:] {
		if c >= 'a' && c <= 'f' {
			d.b[at+i] = c - 'a' + 'A'
		}
	}
	d.b = append(d.b, '"')
}
