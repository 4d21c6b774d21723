package detect

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"

	"trailhound/agent/event"
	"trailhound/trails"
)

// certificates looks up the digests of each certificate in a server's flight
// (D 13). The reference looks at the first one and at SHA-1 only; a listed
// issuer further up the chain counts here too.
func (w *Worker) certificates(b []byte) {
	t := w.rules.table
	w.certs.Init(b)
	for {
		der, ok := w.certs.Next()
		if !ok {
			return
		}
		// The worker keeps the digests: an event may point to them, and on the
		// stack they would be moved to the heap for every certificate.
		w.sha1, w.sha256 = sha1.Sum(der), sha256.Sum256(der)
		w.rules.trace.certificate(w.sha1[:], w.sha256[:])
		ref := w.rules.listed(w.rules.trace.digest("sha1", w.sha1[:], t.Find(trails.Certificate, w.sha1[:])))
		if ref == 0 {
			ref = w.rules.listed(w.rules.trace.digest("sha256", w.sha256[:], t.Find(trails.Certificate, w.sha256[:])))
		}
		if ref == 0 {
			continue
		}
		f := &w.facts
		f.app, f.serverName, f.sha1, f.sha256 = "tls", nil, w.sha1[:], w.sha256[:]
		text := hex.AppendEncode(w.text[:0], t.Key(ref))
		w.trail(event.CERT, ref, text, text)
		f.app = ""
	}
}
