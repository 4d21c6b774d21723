package status

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// Client asks a sensor's status endpoint.
type Client struct {
	listen string
	http   http.Client
}

// Bounds of an answer. What answers need not be a sensor.
const (
	maxAnswer     = 32 << 20 // bytes; 64 interfaces with 4 workers each take some 150 KiB
	clientTimeout = 10 * time.Second
)

// NewClient makes a client for the server at an address, see Address. An
// address that stands for all of the host's is asked for at the loopback's.
func NewClient(listen string) (*Client, error) {
	network, address, err := dialAddress(listen)
	if err != nil {
		return nil, err
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	return &Client{listen: listen, http: http.Client{
		Timeout: clientTimeout,
		// No proxy: the sensor is on this host or is named by its address.
		Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true, MaxResponseHeaderBytes: maxHeader},
		// A redirect would lead away from the address that was asked.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Status asks for the snapshot. It gives the document, which is valid JSON,
// and what this version understands of it. All texts in it are what the other
// side chose: clean them before they reach a terminal.
func (c *Client) Status(ctx context.Context) (*Snapshot, []byte, error) {
	// The name is for the Host header only, and is one that every server goes by.
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/status", nil)
	if err != nil {
		return nil, nil, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot ask a sensor at %s: %w", c.listen, reason(err))
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return nil, nil, fmt.Errorf("cannot read the answer from %s: %w", c.listen, reason(err))
	}
	switch {
	case response.StatusCode == http.StatusServiceUnavailable:
		return nil, nil, fmt.Errorf("the sensor at %s does not answer in time", c.listen)
	case response.StatusCode != http.StatusOK:
		return nil, nil, fmt.Errorf("what answers at %s is no sensor: its /status gives %d", c.listen, response.StatusCode)
	case len(body) > maxAnswer:
		return nil, nil, fmt.Errorf("the answer from %s is longer than %d bytes", c.listen, maxAnswer)
	}
	s := new(Snapshot)
	if err := json.Unmarshal(body, s); err != nil {
		return nil, nil, fmt.Errorf("what answers at %s is no sensor: %w", c.listen, err)
	}
	return s, body, nil
}

// reason takes the made-up URL off an error.
func reason(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	for errors.Unwrap(err) != nil {
		err = errors.Unwrap(err)
	}
	var timeout net.Error
	if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout() {
		return errors.New("no answer in time")
	}
	return err
}
