package self

import "net"

// tcpConn is a connection whose flow is known until it is closed.
type tcpConn struct {
	*net.TCPConn
	closed func()
}

// Close closes the connection; its flow is known for Linger longer.
func (c *tcpConn) Close() error {
	defer c.closed() // packets leave until it is closed
	return c.TCPConn.Close()
}

// NetConn is the connection underneath.
func (c *tcpConn) NetConn() net.Conn { return c.TCPConn }

// udpConn is the same for datagrams. Like what it wraps it is a net.PacketConn,
// by which net.Resolver tells datagrams from a stream.
type udpConn struct {
	*net.UDPConn
	closed func()
}

// Close closes the socket; its flow is known for Linger longer.
func (c *udpConn) Close() error {
	defer c.closed()
	return c.UDPConn.Close()
}

// NetConn is the socket underneath.
func (c *udpConn) NetConn() net.Conn { return c.UDPConn }

// wrap ties a flow to a connection.
func (r *Registry) wrap(conn net.Conn, f *flow) net.Conn {
	closed := func() { r.close(f) }
	switch c := conn.(type) {
	case *net.TCPConn:
		return &tcpConn{c, closed}
	case *net.UDPConn:
		return &udpConn{c, closed}
	}
	closed()
	return conn
}

// Listener gives l with its connections known from the moment they are
// accepted; what came before, the sensor did not ask for.
func (r *Registry) Listener(l net.Listener) net.Listener { return &listener{l, r} }

type listener struct {
	net.Listener
	registry *Registry
}

func (l *listener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if _, ok := conn.(*net.TCPConn); !ok { // a unix socket, or wrapped already
		return conn, nil
	}
	f := l.registry.enter(addrPort(conn.LocalAddr()), addrPort(conn.RemoteAddr()), TCP)
	return l.registry.wrap(conn, f), nil
}
