package remote

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	socks "golang.org/x/net/proxy"
)

// proxy is a host that connects on one's behalf.
type proxy struct {
	socks   bool
	address string // host:port
	user    *url.Userinfo
}

type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// parseProxy reads the URL of a proxy. No error repeats it: it may hold a
// password.
func parseProxy(text Secret) (*proxy, error) {
	u, err := url.Parse(string(text))
	if err != nil || u.Host == "" || u.Path != "" && u.Path != "/" || u.RawQuery != "" {
		return nil, errors.New("proxy: not a URL such as http://proxy.example:3128")
	}
	p := &proxy{user: u.User}
	port := "3128"
	switch u.Scheme {
	case "http":
	case "socks5", "socks5h":
		p.socks, port = true, "1080"
	default:
		return nil, errors.New("proxy: its scheme is neither http nor socks5")
	}
	if p.address = u.Host; u.Port() == "" {
		p.address = net.JoinHostPort(u.Hostname(), port)
	}
	if checkAddress(p.address) != nil {
		return nil, errors.New("proxy: its host or port is none")
	}
	return p, nil
}

// dial connects to address through the proxy.
func (p *proxy) dial(ctx context.Context, dial dialFunc, address string) (net.Conn, error) {
	conn, err := dial(ctx, "tcp", p.address)
	if err != nil {
		return nil, err
	}
	if p.socks {
		err = p.ask(ctx, conn, address)
	} else {
		err = p.connect(ctx, conn, address)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// ask asks a SOCKS proxy for a connection.
func (p *proxy) ask(ctx context.Context, conn net.Conn, address string) error {
	var auth *socks.Auth
	if p.user != nil {
		auth = &socks.Auth{User: p.user.Username()}
		auth.Password, _ = p.user.Password()
	}
	d, err := socks.SOCKS5("tcp", p.address, auth, nil)
	if err != nil {
		return err
	}
	// Its own way to dial hides what kind of connection it is.
	with, ok := d.(interface {
		DialWithConn(ctx context.Context, c net.Conn, network, address string) (net.Addr, error)
	})
	if !ok {
		return errors.New("BUG: a SOCKS dialer that cannot use a connection")
	}
	_, err = with.DialWithConn(ctx, conn, "tcp", address)
	return err
}

// errPassword is the answer of a proxy that does not know us.
type errPassword struct{}

func (errPassword) Error() string { return "it wants a user and a password, or others: 407" }

// Credentials says that other credentials might help.
func (errPassword) Credentials() bool { return true }

// errTunnel is the status with which a proxy makes no connection: most say in
// this way that they cannot reach the receiver, or may not.
type errTunnel int

func (e errTunnel) Error() string { return fmt.Sprintf("it answered %d to CONNECT", int(e)) }

// Unconnected says that there is no connection to the receiver.
func (errTunnel) Unconnected() bool { return true }

// maxAnswer bounds the header of a proxy's answer.
const maxAnswer = 16 << 10

// connect asks a HTTP proxy for a tunnel.
func (p *proxy) connect(ctx context.Context, conn net.Conn, address string) error {
	if end, ok := ctx.Deadline(); ok {
		conn.SetDeadline(end)
	}
	defer context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })()
	request := "CONNECT " + address + " HTTP/1.1\r\nHost: " + address + "\r\n"
	if p.user != nil {
		password, _ := p.user.Password()
		request += "Proxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(p.user.Username()+":"+password)) + "\r\n"
	}
	if _, err := io.WriteString(conn, request+"\r\n"); err != nil {
		return err
	}
	r := bufio.NewReader(io.LimitReader(conn, maxAnswer))
	answer, err := http.ReadResponse(r, &http.Request{Method: http.MethodConnect})
	if err != nil {
		return fmt.Errorf("its answer cannot be read: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		if answer.StatusCode == http.StatusProxyAuthRequired {
			return errPassword{}
		}
		return errTunnel(answer.StatusCode)
	}
	if r.Buffered() > 0 {
		return errors.New("it sent more than its answer")
	}
	return conn.SetDeadline(time.Time{})
}
