package tls

const (
	typeCertificate = 11 // RFC 5246 7.4
	// maxCertificates bounds the certificates taken from one segment. The
	// server's own is the first; real chains have fewer than ten.
	maxCertificates = 32
)

// Certificates steps through the X.509 certificates that lie whole in a
// segment, following its records and handshake messages: ServerHello,
// Certificate and the like may share a record. From TLS 1.3 on certificates
// are encrypted, and none is found.
//
//	certs.Init(payload)
//	for der, ok := certs.Next(); ok; der, ok = certs.Next() {
//
// Keep one and reuse it: it holds the buffer for certificates split over
// records (which may be up to 16 KiB long; others have no bound).
type Certificates struct {
	r       records
	list    int // bytes of the certificate_list still to be read
	count   int // certificates returned
	head    [4]byte
	scratch [maxGather]byte
}

// Init starts over with the payload of a segment, which has to begin with a
// record.
func (c *Certificates) Init(b []byte) {
	c.r, c.list, c.count = records{rest: b}, 0, 0
}

// Next returns the next certificate, DER, in the order sent. It is valid until
// the next call or until the payload changes. Once ok is false it stays so.
func (c *Certificates) Next() (der []byte, ok bool) {
	if der, ok = c.next(); !ok {
		c.r, c.list = records{}, 0
	}
	return der, ok
}

func (c *Certificates) next() ([]byte, bool) {
	for c.count < maxCertificates {
		if c.list == 0 && !c.message() {
			return nil, false
		}
		h, ok := c.r.take(3, c.head[:3])
		if !ok || c.list < 3 {
			return nil, false
		}
		n := uint24(h)
		if c.list -= 3; n > c.list {
			return nil, false
		}
		c.list -= n
		if n == 0 {
			continue
		}
		c.count++
		return c.r.take(n, c.scratch[:])
	}
	return nil, false
}

// message goes to the next Certificate message that is not empty.
func (c *Certificates) message() bool {
	for {
		h, ok := c.r.take(4, c.head[:])
		if !ok {
			return false
		}
		kind, n := h[0], uint24(h[1:])
		if kind != typeCertificate {
			if !c.r.skip(n) {
				return false
			}
			continue
		}
		// The list is all the message holds. An encrypted message that starts
		// with the right byte by chance fails here.
		h, ok = c.r.take(3, c.head[:3])
		if !ok || uint24(h) != n-3 {
			return false
		}
		if c.list = n - 3; c.list > 0 {
			return true
		}
	}
}
