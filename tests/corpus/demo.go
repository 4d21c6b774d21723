package corpus

import "time"

// The hosts of the demo's office. Servers that are no trail have addresses for
// documentation (RFC 5737, RFC 3849).
const (
	demoResolver = "10.0.0.53"
	demoWeb      = "10.0.0.80" // reachable from outside
	demoAlice    = "10.0.0.21"
	demoBob      = "10.0.0.34"
	demoCarol    = "10.0.0.47"
	demoCarol6   = "2001:db8:10::47"
)

// Demo is a day in a small office, for people who want to see the program work:
// clean browsing, and traffic to trails of each kind from the starter set.
// demo.pcap is made of it.
func Demo() []Stamped {
	d := demo{day: time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC), port: 49200}

	d.clock("08:02:11")
	d.send(demoAlice, "203.0.113.123", UDP(123, 123, "\x23"+string(make([]byte, 47)))) // NTP
	d.browse(demoAlice, "www.wikipedia.org", "203.0.113.10")

	// From outside: a scanner whose network is listed, and a tool that names
	// itself in the User-Agent header.
	d.clock("08:14:37")
	d.send("80.82.77.33", demoWeb, Syn(61007, 23))
	d.send(demoWeb, "80.82.77.33", TCP(23, 61007, RST|ACK, ""))
	d.clock("08:31:02")
	d.send("198.51.100.7", demoWeb, Data(d.next(), 80, Get("shop.example.com", "/item?id=7", "User-Agent: sqlmap/1.8.2")))

	// A false hotel booking sends the visitor on to a fake check, which fetches an
	// information stealer.
	d.clock("08:52:45")
	d.query(demoBob, "confirmation-id56102.com", "203.0.113.41")
	d.connect(demoBob, "203.0.113.41", d.next(), 443)
	d.clock("08:53:20")
	d.hello(demoBob, "203.0.113.77", "triallyforwhgh.shop") // its name came over HTTPS
	d.clock("08:53:58")
	d.query(demoBob, "cdn.tenseddrywsqio.shop", "203.0.113.78")
	d.clock("08:54:31")
	d.send(demoBob, "203.0.113.79", Data(d.next(), 80, Request("POST", "/a6d914969291bf07.php",
		[]string{"Host: 203.0.113.79", "Content-Type: application/octet-stream", "Content-Length: 4"}, "hwid")))

	d.clock("09:30:05")
	d.browse(demoCarol, "mail.example.org", "203.0.113.25")
	d.send(demoCarol, demoWeb, ICMP(8, 0))
	d.send(demoWeb, demoCarol, ICMP(0, 0))

	// An implant calls home every ten seconds: one event, then a summary.
	d.clock("10:17:00")
	for range 6 {
		port := d.next()
		d.send(demoBob, "62.171.148.172", Syn(port, 8888))
		d.send("62.171.148.172", demoBob, TCP(8888, port, RST|ACK, ""))
		d.now = d.now.Add(10 * time.Second)
	}

	d.clock("11:05:19")
	d.send(demoAlice, "203.0.113.66", Data(d.next(), 80, Get("sarkerrentacars.com", "/zshrc", "User-Agent: curl/8.6.0")))
	d.clock("11:46:40")
	d.query(demoAlice, "ql48213.pw", "203.0.113.90") // one of a family that an expression describes

	d.clock("13:20:08")
	d.browse(demoAlice, "news.example.net", "203.0.113.61")
	d.clock("13:41:54")
	d.send(demoCarol6, "2001:db8:443::5", UDP(d.next(), 443, Initial(QUICv1, []byte("trailhnd"), Piece{0, ClientHello("biigband.click")})))
	d.clock("14:08:33")
	d.send(demoCarol6, "2a12:bec4:1460:50::2", Syn(d.next(), 3478))
	d.clock("15:12:26")
	d.connect(demoCarol, "163.172.226.194", d.next(), 3333)
	d.clock("16:37:49")
	d.query(demoCarol, "facebookcorewwwi.onion", "")

	d.clock("17:24:13")
	d.browse(demoCarol, "www.example.com", "203.0.113.80")
	return d.frames
}

// demo writes the frames of a day, a few milliseconds from one to the next.
type demo struct {
	day, now time.Time
	port     uint16
	frames   []Stamped
}

// clock goes on to a time of the day.
func (d *demo) clock(text string) {
	at := must(time.Parse(time.TimeOnly, text))
	d.now = d.day.Add(time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute + time.Duration(at.Second())*time.Second)
}

// next gives a source port.
func (d *demo) next() uint16 {
	d.port += 37
	return d.port
}

func (d *demo) send(src, dst string, s Segment) {
	d.now = d.now.Add(time.Duration(1700+311*(len(d.frames)%17)) * time.Microsecond)
	d.frames = append(d.frames, Stamped{d.now, IP(src, dst, s).Ethernet()})
}

// query asks for a name, and gets an answer if there is one to give.
func (d *demo) query(client, name, answer string) {
	port, query := d.next(), Query(Ask(name))
	d.send(client, demoResolver, UDP(port, 53, query))
	if answer != "" {
		d.send(demoResolver, client, UDP(53, port, Answered(query, answer)))
	}
}

// connect is a handshake of TCP.
func (d *demo) connect(client, server string, sport, dport uint16) {
	d.send(client, server, Syn(sport, dport))
	d.send(server, client, TCP(dport, sport, SYN|ACK, ""))
	d.send(client, server, TCP(sport, dport, ACK, ""))
}

// hello opens a TLS connection and names the server.
func (d *demo) hello(client, server, name string) {
	port := d.next()
	d.connect(client, server, port, 443)
	d.send(client, server, Data(port, 443, Record(ClientHello(name))))
}

// browse asks for a name and opens a TLS connection to its server.
func (d *demo) browse(client, name, server string) {
	d.query(client, name, server)
	d.hello(client, server, name)
}
