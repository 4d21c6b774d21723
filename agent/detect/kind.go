package detect

// Kind is what a packet that was decoded turned out to be: the application
// when it was recognised by its first bytes, else the transport. It tells an
// operator whether a sensor sees what it can detect in.
type Kind uint8

// The kinds.
const (
	KindOther Kind = iota // IP that carries none of the below
	KindTCP               // a segment without a message that is understood
	KindUDP
	KindICMP
	KindDNS
	KindHTTP
	KindTLS
	KindQUIC
	NumKinds = iota
)

// String names the kind as status and metrics do.
func (k Kind) String() string {
	return [NumKinds]string{"other", "tcp", "udp", "icmp", "dns", "http", "tls", "quic"}[k]
}

// Kind gives the kind of the packet last matched.
func (w *Worker) Kind() Kind { return w.kind }
