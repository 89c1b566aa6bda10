// Package client is what the load's clients have in common: connections, sessions, what an error
// says, and the translation of the history's commands.
package client

import (
	"maps"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
)

// Endpoint is a server as clients know it.
type Endpoint struct {
	Server  int
	Address string
}

// Pool has one connection an address, and counts why tries on them failed. Safe for concurrent use.
type Pool struct {
	mutex       sync.Mutex
	connections map[string]*grpc.ClientConn
	failures    map[string]int // by reason, or else by code
}

func NewPool() *Pool {
	return &Pool{connections: map[string]*grpc.ClientConn{}, failures: map[string]int{}}
}

// Failures by reason, or else by code.
func (p *Pool) Failures() map[string]int {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return maps.Clone(p.failures)
}

func (p *Pool) count(failure Failure) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if failure.Reason != "" {
		p.failures[failure.Reason]++
	} else {
		p.failures[failure.Code.String()]++
	}
}

// Get connects lazily, and again soon: a server that comes back is to be used at once.
func (p *Pool) Get(address string) (*grpc.ClientConn, error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if connection := p.connections[address]; connection != nil {
		return connection, nil
	}
	connection, err := grpc.NewClient("passthrough:///"+address,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithNoProxy(),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: backoff.Config{
				BaseDelay: 20 * time.Millisecond, MaxDelay: 200 * time.Millisecond,
				Multiplier: 1.5, Jitter: 0.2},
			MinConnectTimeout: time.Second,
		}))
	if err != nil {
		return nil, err
	}
	p.connections[address] = connection
	return connection, nil
}

// Close ends all calls.
func (p *Pool) Close() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for address, connection := range p.connections {
		connection.Close()
		delete(p.connections, address)
	}
}
