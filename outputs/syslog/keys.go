package syslog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"trailhound/agent/event"
	"trailhound/outputs/format"
	"trailhound/outputs/remote"
)

// Keys are those of a syslog output, beside the ones that all outputs have.
type Keys struct {
	Address    string            `key:"address" default:"" yaml:"address" doc:"udp://host:port, tcp://host:port, tls://host:port, unix:///path, or local for this host's syslog; without a port 514, for tls 6514"`
	Addresses  []string          `key:"addresses" default:"[]" yaml:"addresses" doc:"instead of address: several receivers, tried in this order; tcp and tls"`
	Format     string            `key:"format" default:"cef" oneof:"cef json" yaml:"format" doc:"what the message is: cef, or json for an ECS 8 document"`
	Profile    string            `key:"profile" default:"standard" oneof:"standard maltrail" yaml:"profile" doc:"maltrail: the reference's own datagrams, byte for byte; cef over udp"`
	RFC        string            `key:"rfc" default:"auto" oneof:"auto 3164 5424" yaml:"rfc" doc:"header of the message; auto: 3164 over tcp, 5424 over tls, over udp and local the one of go-syslog: 3164 with the time as in 5424"`
	Framing    string            `key:"framing" default:"auto" oneof:"auto newline octet-counting" yaml:"framing" doc:"how messages are parted in a stream; auto: newline over tcp, octet-counting over tls"`
	Facility   string            `key:"facility" default:"local4" yaml:"facility" doc:"kern, user, daemon, auth, authpriv, local0 to local7 ..."`
	AppName    string            `key:"app_name" default:"trailhound" yaml:"app_name" doc:"name of the program in the header: letters, digits and -, at most 32"`
	Hostname   string            `key:"hostname" default:"" yaml:"hostname" doc:"host in the header; empty: the host's name; over udp it needs rfc 3164 or 5424"`
	TimeZone   string            `key:"time_zone" default:"" yaml:"time_zone" doc:"zone of times that are written without one (rfc 3164, profile maltrail), as in Europe/Berlin; empty: that of this machine"`
	Extra      map[string]string `key:"extra" default:"{}" yaml:"extra" doc:"cef: further keys with their values, in every message"`
	MaxMessage int               `key:"max_message" default:"0" min:"512" max:"1048576" zero:"the default of the transport" yaml:"max_message" doc:"bytes of a message with its header; a longer event is cut; 0: 1400 over udp (8000 for json), otherwise 8000"`
	TLS        remote.TLSKeys    `key:"tls" yaml:"tls"`
	Proxy      remote.Secret     `key:"proxy" default:"" yaml:"proxy" doc:"tcp and tls: http://host:port or socks5://host:port, with user:password@ if it wants them"`
}

// Env is what the program gives to the output.
type Env struct {
	Identity *event.Identity
	Log      *slog.Logger                                                         // nil: slog.Default
	Dial     func(ctx context.Context, network, address string) (net.Conn, error) // nil: package net's
	Resolver *net.Resolver                                                        // nil: package net's
	// Trails says when the trails in use were made: the event class of the
	// reference's profile. Nil or a zero time: the event's own.
	Trails func() time.Time
}

// Sizes of messages in bytes.
const (
	smallUDP     = 1400  // in one frame of Ethernet, whatever tunnel lies between
	largeMessage = 8000  // rsyslog takes 8096 unless it is told otherwise, and then begins a new message
	maxUDP       = 65507 // what UDP over IPv4 can carry
	maxMessage   = 1 << 20
	minMessage   = 512
	minJSON      = 4096 // an ECS document cannot be made much smaller
)

// settings are the keys as they are used.
type settings struct {
	scheme     string   // udp, tcp, tls, unix or local
	addresses  []string // host:port; the path for unix
	facility   int
	rfc        string // 3164, 5424, go-syslog or none
	counting   bool
	size       int
	hostname   string
	app        string
	zone       *time.Location
	extra      []format.CEFField
	json       bool
	maltrail   bool
	bareHeader bool // without a host, as on this host's own socket
}

// settings checks the keys and puts in what depends on the transport. The errors
// name the key.
func (k *Keys) settings() (s settings, err error) {
	if err := k.receivers(&s); err != nil {
		return s, err
	}
	stream := s.scheme == "tcp" || s.scheme == "tls"
	if s.scheme != "tls" && k.TLS.Given() {
		return s, errors.New("tls: the address is not one of tls://")
	}
	if !stream && k.Proxy != "" {
		return s, errors.New("proxy: for tcp and tls only")
	}
	switch k.Format {
	case "", "cef":
	case "json":
		s.json = true
	default:
		return s, fmt.Errorf("format: %q is neither cef nor json", k.Format)
	}
	switch k.Profile {
	case "", "standard":
	case "maltrail":
		if s.maltrail = true; s.scheme != "udp" || s.json {
			return s, errors.New("profile: maltrail is CEF over udp")
		}
	default:
		return s, fmt.Errorf("profile: %q is neither standard nor maltrail", k.Profile)
	}
	if err := k.header(&s, stream); err != nil {
		return s, err
	}
	if s.extra, err = k.extra(); err != nil {
		return s, err
	}
	return s, k.size(&s)
}

func (k *Keys) receivers(s *settings) error {
	list := k.Addresses
	if k.Address != "" {
		if len(list) > 0 {
			return errors.New("addresses: is given beside address")
		}
		list = []string{k.Address}
	}
	if len(list) == 0 {
		return errors.New("address: is missing")
	}
	for _, text := range list {
		scheme, address, err := receiver(text)
		if err != nil {
			return fmt.Errorf("address: %w", err)
		}
		if s.scheme != "" && s.scheme != scheme {
			return errors.New("addresses: the receivers of one output are reached in one way")
		}
		if s.scheme = scheme; scheme != "local" {
			s.addresses = append(s.addresses, address)
		}
	}
	if len(list) > 1 && s.scheme != "tcp" && s.scheme != "tls" {
		return errors.New("addresses: only tcp and tls notice that one does not work")
	}
	return nil
}

func receiver(text string) (scheme, address string, err error) {
	if text == "local" || text == "unix:///dev/log" {
		return "local", "", nil
	}
	if path, ok := strings.CutPrefix(text, "unix://"); ok {
		if !filepath.IsAbs(path) || len(path) > 107 {
			return "", "", fmt.Errorf("%q: want unix:// and an absolute path of at most 107 bytes", text)
		}
		return "unix", path, nil
	}
	port := "514"
	if strings.HasPrefix(strings.ToLower(text), "tls:") {
		port = "6514"
	}
	scheme, address, err = remote.ParseAddress(text, port)
	if err == nil && scheme != "udp" && scheme != "tcp" && scheme != "tls" {
		err = fmt.Errorf("%q: want udp://, tcp://, tls://, unix:// or local", text)
	}
	return scheme, address, err
}

func (k *Keys) header(s *settings, stream bool) error {
	facility := strings.ToLower(k.Facility)
	if facility == "" {
		facility = "local4"
	}
	if s.facility = slices.Index(facilities[:], facility); s.facility < 0 || facility == "" {
		return fmt.Errorf("facility: %q is none", k.Facility)
	}
	if s.app = k.AppName; s.app == "" {
		s.app = "trailhound"
	}
	// A tag CEF hides the signature: readers look for the first CEF:.
	if !word(s.app, "-") || len(s.app) > 32 || strings.EqualFold(s.app, "CEF") {
		return fmt.Errorf("app_name: %q: want letters, digits and -, at most 32, and not CEF", s.app)
	}
	s.rfc = k.RFC
	switch k.RFC {
	case "", "auto":
		switch {
		case s.maltrail:
			s.rfc = "none"
		case s.scheme == "tls":
			s.rfc = "5424"
		case s.scheme == "udp" || s.scheme == "local":
			s.rfc = "go-syslog"
		default:
			s.rfc = "3164"
		}
	case "3164", "5424":
		if s.maltrail {
			return errors.New("rfc: the profile maltrail has a header of its own")
		}
		if s.scheme == "local" {
			return errors.New("rfc: this host's syslog knows one header only; use unix:// and a path")
		}
	default:
		return fmt.Errorf("rfc: %q is none of auto, 3164, 5424", k.RFC)
	}
	if s.hostname = k.Hostname; s.hostname != "" {
		if !word(s.hostname, "-._:") || len(s.hostname) > 255 {
			return fmt.Errorf("hostname: %q is no name of a host", s.hostname)
		}
		if s.rfc == "go-syslog" || s.maltrail {
			return errors.New("hostname: needs rfc 3164 or 5424 here")
		}
	}
	s.zone = time.Local
	if k.TimeZone != "" && !strings.EqualFold(k.TimeZone, "local") {
		var err error
		if s.zone, err = time.LoadLocation(k.TimeZone); err != nil {
			return fmt.Errorf("time_zone: %w", err)
		}
	}
	s.bareHeader = s.scheme == "unix" && s.rfc == "3164"
	switch k.Framing {
	case "", "auto":
		s.counting = s.scheme == "tls"
	case "newline":
	case "octet-counting":
		s.counting = true
	default:
		return fmt.Errorf("framing: %q is none of auto, newline, octet-counting", k.Framing)
	}
	if !stream && k.Framing != "" && k.Framing != "auto" {
		return errors.New("framing: for tcp and tls only, a datagram is a message")
	}
	return nil
}

// extra gives the operator's keys in order. What is an event's own key would be
// there twice.
func (k *Keys) extra() (list []format.CEFField, err error) {
	if len(k.Extra) > 0 && (k.Format == "json" || k.Profile == "maltrail") {
		return nil, errors.New("extra: for cef in the standard profile only; labels reach json")
	}
	for key, value := range k.Extra {
		own := strings.TrimSuffix(key, "Label")
		switch {
		case !word(key, "") || len(key) > 64:
			return nil, fmt.Errorf("extra: %q: a key of CEF is of letters and digits", key)
		case slices.Contains(format.CEFKeys(), key), slices.Contains(format.CEFKeys(), own):
			return nil, fmt.Errorf("extra: %q is used by the event itself", key)
		case len(value) > 1023:
			return nil, fmt.Errorf("extra: the value of %q is longer than 1023 bytes", key)
		}
		list = append(list, format.CEFField{Key: key, Value: value})
	}
	slices.SortFunc(list, func(a, b format.CEFField) int { return strings.Compare(a.Key, b.Key) })
	return list, nil
}

func (k *Keys) size(s *settings) error {
	least, most := minMessage, maxMessage
	if s.json {
		least = minJSON
	}
	if s.scheme == "udp" {
		most = maxUDP
	}
	switch s.size = k.MaxMessage; {
	case s.size == 0 && s.scheme == "udp" && !s.json:
		s.size = smallUDP
	case s.size == 0:
		s.size = largeMessage
	case s.size < least || s.size > most:
		return fmt.Errorf("max_message: %d is not from %d to %d", s.size, least, most)
	}
	total := 0
	for _, f := range s.extra {
		total += len(f.Key) + len(f.Value) + 2
	}
	if total > s.size/2 {
		return fmt.Errorf("extra: takes %d bytes of max_message %d, at most half is for it", total, s.size)
	}
	return nil
}

// word says whether text is of ASCII letters, digits and the further bytes.
func word(text, further string) bool {
	for i := range len(text) {
		c := text[i]
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && strings.IndexByte(further, c) < 0 {
			return false
		}
	}
	return text != ""
}

// facilities are those of RFC 5424 6.2.1 with the names that syslog.conf(5) and
// go-syslog have for them.
var facilities = [...]string{"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "", "", "", "",
	"local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"}

// host is the host's name in a header.
func (s *settings) host(id *event.Identity) string {
	if s.hostname != "" {
		return s.hostname
	}
	if name := hostWord(id.Hostname); name != "" {
		return name
	}
	name, _ := os.Hostname()
	if name = hostWord(name); name != "" {
		return name
	}
	return "-"
}

// hostWord makes a name one word of what RFC 5424 allows there.
func hostWord(name string) string {
	name = strings.Map(func(r rune) rune {
		if r <= 0x20 || r >= 0x7F {
			return -1
		}
		return r
	}, name)
	return name[:min(len(name), 255)]
}
