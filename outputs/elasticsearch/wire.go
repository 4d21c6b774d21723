package elasticsearch

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"trailhound/outputs"
	"trailhound/outputs/remote"
)

// product is the header with which Elasticsearch names itself in every answer.
const product = "X-Elastic-Product"

// wire carries requests, those of go-elasticsearch and those of our own. It puts
// the credentials in, so that none of the client's rules about them applies.
type wire struct {
	base          *http.Transport
	authorization string
	agent         string
}

func newWire(k *Keys, env Env, agent string) (*wire, error) {
	opt := remote.DialerOptions{Proxy: k.Proxy, Dial: env.Dial, Resolver: env.Resolver}
	t, err := remote.NewTLS(k.TLS, env.Log)
	if err != nil {
		return nil, err
	}
	opt.TLS = t
	dialer, err := remote.NewDialer(opt)
	if err != nil {
		return nil, err
	}
	return &wire{
		base: &http.Transport{
			DialContext:    dialer.DialContext,
			DialTLSContext: dialer.DialTLSContext,
			// An answer may be compressed to a fraction of its size: do not ask for that.
			DisableCompression:     true,
			MaxIdleConnsPerHost:    2,
			IdleConnTimeout:        90 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
			WriteBufferSize:        64 << 10,
			ReadBufferSize:         16 << 10,
		},
		authorization: k.authorization(),
		agent:         agent,
	}, nil
}

// RoundTrip is http.RoundTripper's.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("User-Agent", w.agent)
	if r.Body != nil && r.Body != http.NoBody {
		r.Header.Set("Content-Type", "application/json")
	}
	// Sending twice is harmless, for documents have their ids and templates are
	// put as a whole: net/http may try again on a connection that the node closed
	// while it was idle. An empty list is not sent.
	r.Header["Idempotency-Key"] = nil
	if w.authorization != "" {
		r.Header.Set("Authorization", w.authorization)
	}
	answer, err := w.base.RoundTrip(r)
	if err != nil {
		return nil, foreign(err)
	}
	answer.Body = answerBody{answer.Body}
	return answer, nil
}

// foreign marks an error of net/http that is of no other kind: then the receiver
// gave an answer, and it was not HTTP. Package net/http exports none of these.
func foreign(err error) error {
	if outputs.ClassOf(err) == outputs.Other && !errors.Is(err, context.Canceled) {
		return outputs.Mark(err, outputs.ErrProtocol)
	}
	return err
}

// answerBody does the same for what is wrong with a body.
type answerBody struct{ io.ReadCloser }

func (b answerBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		err = foreign(err)
	}
	return n, err
}
