package network

import (
	"io"
	"net"
	"sync"
)

// Front is an address that stays a member's while its process comes and goes, on ports that others
// need not know. Safe for concurrent use.
type Front struct {
	network  *Network
	member   int
	listener net.Listener

	mutex  sync.Mutex
	target string // "": nothing listens there, and who connects is hung up on
}

// NewFront listens on loopback, in front of the member.
func (n *Network) NewFront(member int) (*Front, error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	front := &Front{network: n, member: member, listener: listener}
	go front.serve()
	return front, nil
}

func (f *Front) Address() string { return f.listener.Addr().String() }

// SetTarget leads new connections to an address. "": nowhere.
func (f *Front) SetTarget(address string) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.target = address
}

// Close refuses new connections; those that are open stay until one of their ends closes.
func (f *Front) Close() { f.listener.Close() }

func (f *Front) serve() {
	for {
		connection, err := f.listener.Accept()
		if err != nil {
			return
		}
		go f.connect(connection.(*net.TCPConn))
	}
}

func (f *Front) connect(dialer *net.TCPConn) {
	from := f.network.dialerOf(dialer)
	f.network.await(direction{from, f.member})
	f.mutex.Lock()
	target := f.target
	f.mutex.Unlock()
	if target == "" {
		reset(dialer)
		return
	}
	dialled, err := net.Dial("tcp4", target)
	if err != nil {
		reset(dialer)
		return
	}
	member := dialled.(*net.TCPConn)
	if from != Outside {
		defer f.network.keep(member)()
	}
	go f.network.pump(dialer, member, direction{from, f.member})
	f.network.pump(member, dialer, direction{f.member, from})
}

// pump carries one direction until it ends, and passes on how: closed in order, or broken off.
func (n *Network) pump(from, to *net.TCPConn, way direction) {
	buffer := make([]byte, 64<<10)
	for {
		count, err := from.Read(buffer)
		n.await(way)
		if _, failed := to.Write(buffer[:count]); failed != nil {
			reset(from)
			to.Close()
			return
		}
		if err == io.EOF {
			_ = to.CloseWrite()
			return
		}
		if err != nil {
			from.Close()
			reset(to)
			return
		}
	}
}

// reset hangs up as the kernel does for a process that is gone.
func reset(connection *net.TCPConn) {
	_ = connection.SetLinger(0)
	connection.Close()
}
