package elasticsearch

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"trailhound/outputs"
)

// about is who answers.
type about struct {
	opensearch bool
	serverless bool // of Elastic: lifecycle is of data streams only, shards are nobody's business
	major      int  // version; 0: unknown
	minor      int
}

func (a *about) atLeast(major, minor int) bool {
	return a.major > major || a.major == major && a.minor >= minor
}

// meet makes sure, before the first event is sent, that the node is one that
// answers as it must, and installs the templates where that is wanted. It does
// nothing once both went well.
func (o *Output) meet(ctx context.Context) error {
	if o.ready {
		return nil
	}
	if o.keys.Flavor == "auto" || o.keys.Setup {
		a, err := o.ask(ctx)
		if err != nil {
			return err
		}
		if o.keys.Setup {
			if err := o.install(ctx, a); err != nil {
				return err
			}
		}
	}
	o.ready = true
	return nil
}

// ask asks the node what it is: GET /.
func (o *Output) ask(ctx context.Context) (*about, error) {
	o.mu.Lock()
	known := o.about
	o.mu.Unlock()
	if known != nil {
		return known, nil
	}
	answer, err := o.plain(ctx, http.MethodGet, "/", nil)
	if err != nil {
		return nil, err
	}
	a, err := o.recognise(answer)
	if err != nil {
		return nil, err
	}
	o.mu.Lock()
	o.about = a
	o.mu.Unlock()
	return a, nil
}

// recognise reads an answer to GET /. Elasticsearch names itself in a header of
// every answer, also of those that refuse.
func (o *Output) recognise(r *reply) (*about, error) {
	a := &about{opensearch: o.keys.Flavor == "opensearch"}
	switch {
	case r.status == http.StatusOK:
	case r.status == http.StatusForbidden && (o.keys.Flavor != "auto" || r.header.Get(product) == "Elasticsearch"):
		return a, nil
	case r.status == http.StatusForbidden:
		f := r.fault()
		f.right = "without the right to ask with GET / set flavor to elasticsearch or opensearch"
		return nil, f
	default:
		f := r.fault()
		f.right = o.rights()
		return nil, f
	}
	var told struct {
		Version struct{ Number, Distribution string }
		Tagline string
	}
	var version struct {
		Version struct {
			BuildFlavor string `json:"build_flavor"`
		}
	}
	if json.Unmarshal(r.body, &told) != nil || json.Unmarshal(r.body, &version) != nil {
		if o.keys.Flavor != "auto" {
			return a, nil
		}
		return nil, outputs.Mark(fmt.Errorf("%s answers GET / with something that is not of Elasticsearch or OpenSearch", r.from), outputs.ErrProtocol)
	}
	a.serverless = version.Version.BuildFlavor == "serverless"
	major, rest, _ := strings.Cut(told.Version.Number, ".")
	minor, _, _ := strings.Cut(rest, ".")
	a.major, _ = strconv.Atoi(major)
	a.minor, _ = strconv.Atoi(minor)
	if o.keys.Flavor == "auto" {
		a.opensearch = told.Version.Distribution == "opensearch"
		if !a.opensearch && r.header.Get(product) != "Elasticsearch" && told.Tagline != "You Know, for Search" {
			return nil, outputs.Mark(fmt.Errorf("%s answers GET / but is neither Elasticsearch nor OpenSearch: if it behaves as one of them, set flavor", r.from), outputs.ErrProtocol)
		}
	}
	return a, nil
}

// A reply is an answer to a request of our own.
type reply struct {
	status int
	header http.Header
	body   []byte
	from   string

	authorization string // of the request
}

func (r *reply) fault() *fault {
	f := readFault(r.status, r.header, bytes.NewReader(r.body), r.authorization)
	f.from = r.from
	return f
}

// maxReply bounds what is read of an answer that is not to a bulk request.
const maxReply = 1 << 20

// plain sends one request to the first node that can be reached. Any status is
// a reply.
func (o *Output) plain(ctx context.Context, method, path string, body []byte) (*reply, error) {
	var failed error
	for range o.nodes.list {
		conn := o.nodes.peek()
		r, err := o.exchange(ctx, conn.URL, method, path, body)
		if err == nil {
			o.nodes.OnSuccess(conn)
			return r, nil
		}
		failed = fmt.Errorf("%s: %w", conn.URL, err)
		if ctx.Err() != nil {
			return nil, failed
		}
		o.nodes.OnFailure(conn)
	}
	return nil, failed
}

func (o *Output) exchange(ctx context.Context, node *url.URL, method, path string, body []byte) (*reply, error) {
	var in io.Reader = http.NoBody
	if body != nil {
		in = bytes.NewReader(body)
	}
	request, err := http.NewRequestWithContext(ctx, method, node.String()+path, in)
	if err != nil {
		return nil, err
	}
	answer, err := o.wire.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxReply+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxReply {
		return nil, errTooLong
	}
	return &reply{answer.StatusCode, answer.Header, text, node.String(), o.wire.authorization}, nil
}
