package corpus

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// Office is what the gateway of an office sees while nobody attacks: hosts that
// browse over TLS, QUIC and HTTP, over IPv4 and IPv6, ask a resolver first,
// mistype names, ping, and keep their clocks; popular servers more than others.
// Of the sites visited some are the listed ones, evenly spread. The same seed
// gives the same frames, at least so many.
func Office(seed uint64, packets int, listed ...string) []Stamped {
	o := office{r: rand.New(rand.NewPCG(seed, 0)), start: Start, sites: sites(4000)}
	for len(o.frames) < packets {
		o.start = o.start.Add(time.Duration(5+o.r.IntN(40)) * time.Millisecond)
		o.now, o.port = o.start, 32768+o.port%28000
		if done := len(o.frames) * (len(listed) + 1) / packets; done > o.listed {
			o.visit(listed[o.listed])
			o.listed++
			continue
		}
		o.session()
	}
	slices.SortStableFunc(o.frames, func(a, b Stamped) int { return a.Time.Compare(b.Time) })
	return o.frames
}

const (
	officeResolver = "10.1.0.2"
	officeHosts    = 120
)

// office writes sessions one after the other, which overlap in time.
type office struct {
	r          *rand.Rand
	start, now time.Time // of the session, and in it
	port       uint16
	sites      []string
	listed     int // how many of the listed names were visited
	frames     []Stamped
}

// sites are names as sites have them.
func sites(n int) (all []string) {
	syllables := strings.Fields("ka lo mi ren tas vu pex dor li ban gra shi ton wel qua zi mar fen co ul")
	ends := strings.Fields("com com com net org io de fr info co.uk")
	fronts := []string{"www.", "www.", "", "cdn.", "api.", "static.eu.", "mail."}
	for i := range n {
		name := syllables[i%20] + syllables[i/20%20] + syllables[i/400%20]
		all = append(all, fmt.Sprintf("%s%s%d.%s", fronts[i%len(fronts)], name, i%97, ends[i%len(ends)]))
	}
	return all
}

// site draws one; of a hundred visits about half go to the first tenth.
func (o *office) site() (name string, number int) {
	x := o.r.Float64()
	number = int(x * x * x * float64(len(o.sites)))
	return o.sites[number], number
}

func (o *office) send(src, dst string, s Segment) {
	o.now = o.now.Add(time.Duration(200+o.r.IntN(12_000)) * time.Microsecond)
	o.frames = append(o.frames, Stamped{o.now, IP(src, dst, s).Ethernet()})
}

// pair is a host and the server of a site, over IPv6 now and then.
func (o *office) pair(site int) (host, host4, server string) {
	n := 10 + o.r.IntN(officeHosts)
	host4 = fmt.Sprintf("10.1.%d.%d", n/100, n%100)
	if o.r.IntN(10) == 0 {
		return fmt.Sprintf("fd00:10:1::%x", n), host4, fmt.Sprintf("2001:db8:%x::%x", site%512, site)
	}
	return host4, host4, fmt.Sprintf("198.18.%d.%d", site/250, 1+site%250)
}

// next gives a source port.
func (o *office) next() uint16 {
	o.port++
	return o.port
}

func (o *office) session() {
	name, site := o.site()
	host, host4, server := o.pair(site)
	switch kind := o.r.IntN(100); {
	case kind < 60:
		o.browse(host, host4, server, name)
	case kind < 70:
		o.page(host, host4, server, name)
	case kind < 82:
		o.ask(host4, name, server)
		port := o.next()
		o.send(host, server, UDP(port, 443, Initial(QUICv1, []byte(name[:8]), Piece{0, ClientHello(name)})))
		for range 2 + o.r.IntN(8) {
			o.send(server, host, UDP(443, port, "\x40"+string(make([]byte, 1200))))
			o.send(host, server, UDP(port, 443, "\x40"+string(make([]byte, 30))))
		}
	case kind < 88:
		o.send(host4, "198.19.0.1", UDP(123, 123, "\x23"+string(make([]byte, 47))))
		o.send("198.19.0.1", host4, UDP(123, 123, "\x24"+string(make([]byte, 47))))
	case kind < 93:
		o.send(host4, "10.1.0.9", Data(o.next(), 445, "\x00\x00\x00\x10\xfeSMB"+string(make([]byte, 12)))) // the file server
	case kind < 97:
		o.send(host4, officeResolver, ICMP(8, 0))
		o.send(officeResolver, host4, ICMP(0, 0))
	default: // a slip of the finger; of few letters, lest the name look made by a machine
		query, port := Query(Ask(fmt.Sprintf("ww%s.com", strings.Map(letter, strings.TrimPrefix(name, "www."))[:5]))), o.next()
		o.send(host4, officeResolver, UDP(port, 53, query))
		o.send(officeResolver, host4, UDP(53, port, Reply(NoSuchName, query)))
	}
}

// letter drops what is no letter.
func letter(r rune) rune {
	if r < 'a' || r > 'z' {
		return -1
	}
	return r
}

// visit is a host that goes to a listed site.
func (o *office) visit(name string) {
	host, host4, server := o.pair(o.r.IntN(len(o.sites)))
	o.browse(host, host4, server, name)
}

// ask looks a name up and gets the server's address.
func (o *office) ask(host, name, server string) {
	port, query := o.next(), Query(Ask(name))
	if strings.Contains(server, ":") {
		query = Query(Question{Name: name, Type: TypeAAAA, Class: ClassIN})
	}
	o.send(host, officeResolver, UDP(port, 53, query))
	o.send(officeResolver, host, UDP(53, port, Answered(query, server)))
}

// browse is a connection of TLS: the handshake, what the server sends, and what
// acknowledges it.
func (o *office) browse(host, host4, server, name string) {
	o.ask(host4, name, server)
	port := o.next()
	o.send(host, server, Syn(port, 443))
	o.send(server, host, TCP(443, port, SYN|ACK, ""))
	o.send(host, server, Data(port, 443, Record(ClientHello(name, ALPN()))))
	for range 3 + o.r.IntN(12) {
		o.send(server, host, TCP(443, port, ACK, "\x17\x03\x03\x05\x73"+string(make([]byte, 1300))))
		o.send(host, server, TCP(port, 443, ACK, ""))
	}
	o.send(host, server, TCP(port, 443, FIN|ACK, ""))
}

// page is a request and its response in the clear.
func (o *office) page(host, host4, server, name string) {
	o.ask(host4, name, server)
	port := o.next()
	o.send(host, server, Syn(port, 80))
	o.send(server, host, TCP(80, port, SYN|ACK, ""))
	o.send(host, server, Data(port, 80, Get(name, fmt.Sprintf("/news/%d/page?id=%d&lang=en", o.r.IntN(5), o.r.IntN(10_000)), "Connection: keep-alive",
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Accept: text/html,application/xhtml+xml,*/*;q=0.8",
		"Accept-Language: en-US,en;q=0.5", "Cookie: sid=5f3a9c0e77aa41b2; theme=light")))
	o.send(server, host, Data(80, port, "HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 1000\r\n\r\n<!DOCTYPE html><title>News</title>"+strings.Repeat("<p>text</p>", 80)))
	o.send(host, server, TCP(port, 80, ACK, ""))
}
