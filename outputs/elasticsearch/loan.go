package elasticsearch

import (
	"io"
	"net/http"
	"sync"
)

// A lender carries bulk requests, whose bodies are in buffers that are used
// again. The transport may go on reading a body after RoundTrip: the answer, or
// the end of the attempt, can come before the request is out. What it would read
// then are other events under the ids of these.
type lender struct {
	to   http.RoundTripper
	lent sync.WaitGroup // bodies that are not closed yet
}

// RoundTrip is http.RoundTripper's. The body is given back once nothing reads it
// any more, which is soon after the answer was closed: the transport closes the
// connection on which a request is not out by then.
func (l *lender) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.WithContext(r.Context()) // a copy
	r.Body = l.lend(r.Body)
	if again := r.GetBody; again != nil {
		r.GetBody = func() (io.ReadCloser, error) {
			body, err := again()
			if err != nil {
				return nil, err
			}
			return l.lend(body), nil
		}
	}
	return l.to.RoundTrip(r)
}

func (l *lender) lend(body io.ReadCloser) io.ReadCloser {
	l.lent.Add(1)
	return &loan{body, sync.OnceFunc(l.lent.Done)}
}

// wait waits until every body was given back.
func (l *lender) wait() { l.lent.Wait() }

// A loan is a body that is lent until it is closed, which the transport does
// however a request ends.
type loan struct {
	io.ReadCloser
	back func()
}

func (l *loan) Close() error {
	defer l.back()
	return l.ReadCloser.Close()
}
