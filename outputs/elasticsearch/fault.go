package elasticsearch

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"trailhound/outputs"
)

// ErrDenied is in every error that says that the credentials are wrong or lack a
// right. Nothing but the operator can mend that, so there is no use in asking
// again soon.
var ErrDenied = outputs.ErrDenied

// Waits that are asked of the delivery loop.
const (
	deniedWait  = time.Minute // after 401 and 403
	longestWait = 10 * time.Minute
)

// A fault is an answer that refuses a request as a whole.
type fault struct {
	status int
	kind   string // security_exception
	reason string
	wait   time.Duration // the receiver's wish
	from   string        // URL of the node
	right  string        // what is missing, for people
}

func (f *fault) Error() string {
	text := fmt.Sprintf("%s answers %d", f.from, f.status)
	if f.kind != "" {
		text += " " + f.kind
	}
	if f.reason != "" {
		text += ": " + f.reason
	}
	switch f.status {
	case http.StatusUnauthorized:
		text += " (api_key, or username and password, are missing or not valid there)"
	case http.StatusForbidden:
		text += " (" + f.right + ")"
	}
	return text
}

// Is says what kind of refusal it is, in the terms that all outputs have.
func (f *fault) Is(target error) bool {
	return target == kindOf(f.status) || target == outputs.ErrCredentials && f.status == http.StatusUnauthorized
}

// kindOf is what a status says of a whole request, or of an event that is put
// off for it.
func kindOf(status int) error {
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return ErrDenied
	case status == http.StatusTooManyRequests:
		return outputs.ErrThrottled
	case status >= 500, status == http.StatusRequestTimeout, status == http.StatusNotFound:
		return outputs.ErrUnavailable
	case status >= 400:
		return outputs.ErrRefused
	}
	return outputs.ErrProtocol
}

// maxFault bounds what is read of a refusal.
const maxFault = 32 << 10

// readFault reads the answer to a request that was refused as a whole: JSON of
// the node, or whatever a proxy in front of it says. Some quote the request with
// its headers, and what they say is logged and shown: so our credentials, which
// are the request's authorization, are taken out.
func readFault(status int, header http.Header, body io.Reader, authorization string) *fault {
	f := &fault{status: status, wait: retryAfter(header, time.Now())}
	text, _ := io.ReadAll(io.LimitReader(body, maxFault))
	if _, secret, ok := strings.Cut(authorization, " "); ok {
		text = bytes.ReplaceAll(text, []byte(secret), []byte("***"))
	}
	var answer struct{ Error json.RawMessage }
	var detail struct {
		Type, Reason string
		CausedBy     struct{ Reason string } `json:"caused_by"`
	}
	switch {
	case json.Unmarshal(text, &answer) != nil || len(answer.Error) == 0:
		if !strings.HasPrefix(strings.TrimSpace(string(text)), "<") { // a page of HTML says nothing here
			f.reason = clean(text)
		}
	case json.Unmarshal(answer.Error, &detail) == nil:
		f.kind, f.reason = clean([]byte(detail.Type)), clean([]byte(detail.Reason))
		if cause := detail.CausedBy.Reason; cause != "" && cause != detail.Reason {
			f.reason += " (" + clean([]byte(cause)) + ")"
		}
	default:
		var plain string
		json.Unmarshal(answer.Error, &plain)
		f.reason = clean([]byte(plain))
	}
	f.reason = strings.TrimSpace(f.reason)
	if f.Is(ErrDenied) {
		f.wait = max(f.wait, deniedWait)
	}
	return f
}

// retryAfter reads the header of that name (RFC 9110 10.2.3), seconds or a date.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := h.Get("Retry-After")
	if text == "" {
		return 0
	}
	wait := time.Duration(0)
	if n, err := strconv.ParseUint(text, 10, 31); err == nil {
		wait = time.Duration(n) * time.Second
	} else if t, err := http.ParseTime(text); err == nil {
		wait = t.Sub(now)
	}
	return min(max(wait, 0), longestWait)
}
