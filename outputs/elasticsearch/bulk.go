package elasticsearch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/elastic/go-elasticsearch/v8/esapi"
)

// roundTrip sends n events to the first node that takes the request and reads
// its answer. Nodes that cannot be reached or are not ready are passed over. A
// refusal of the whole request is a *fault. Nothing reads text any more when it
// returns.
func (o *Output) roundTrip(ctx context.Context, text []byte, n int) ([]result, error) {
	defer o.loans.wait()
	header := http.Header{}
	if o.body.zip != nil {
		text = o.body.compress(text)
		header.Set("Content-Encoding", "gzip")
	}
	var failed error
	for range o.nodes.list {
		request := esapi.BulkRequest{Index: o.stream, Body: bytes.NewReader(text), Pipeline: o.keys.Pipeline, FilterPath: filterPath, Header: header.Clone()}
		answer, err := request.Do(ctx, o.client)
		if err != nil {
			failed = fmt.Errorf("%s: %w", o.nodes.current(), err)
			if ctx.Err() != nil {
				return nil, failed
			}
			continue
		}
		results, err := o.take(answer, n)
		answer.Body.Close()
		if err == nil {
			o.counts.requests.Add(1)
			o.counts.bytes.Add(uint64(len(text)))
			return results, nil
		}
		failed = err
		var f *fault
		if !errors.As(err, &f) || !f.isOutage() {
			return nil, err
		}
		o.nodes.reject()
	}
	return nil, failed
}

// take reads the answer to a bulk request.
func (o *Output) take(answer *esapi.Response, n int) ([]result, error) {
	if answer.StatusCode != http.StatusOK {
		f := readFault(answer.StatusCode, answer.Header, answer.Body, o.wire.authorization)
		f.from, f.right = o.nodes.current(), o.rights()
		return nil, f
	}
	results, err := o.answers.read(answer.Body, n)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.nodes.current(), err)
	}
	return results, nil
}

// isOutage says whether another node may do better.
func (f *fault) isOutage() bool {
	switch f.status {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// isMissingPipeline knows the error of an item whose pipeline there is not.
func isMissingPipeline(reason string) bool {
	return strings.HasPrefix(reason, "pipeline with id [") && strings.Contains(reason, "does not exist")
}
