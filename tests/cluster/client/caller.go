package client

import (
	"context"
	"math/rand/v2"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
)

const (
	// One try on one server; a paused one costs no more than that.
	tryTimeout = 1500 * time.Millisecond
	// Before the next try, so that a server that refuses at once is not asked without a pause.
	retryPause = 10 * time.Millisecond
	// For a connection to come up before another server is tried.
	connectPatience = 100 * time.Millisecond
)

// Caller calls one server, and goes on with another one when that fails. For one goroutine.
type Caller struct {
	pool      *Pool
	endpoints func() []Endpoint
	random    *rand.Rand
	current   int
}

func NewCaller(pool *Pool, endpoints func() []Endpoint, random *rand.Rand) *Caller {
	return &Caller{pool: pool, endpoints: endpoints, random: random, current: random.IntN(1000)}
}

// Connect returns a server that is connected now: the current one, or another. It ends only with
// one, or with ctx.
func (c *Caller) Connect(ctx context.Context) (Endpoint, *grpc.ClientConn, error) {
	for {
		endpoints := c.endpoints()
		endpoint := endpoints[c.current%len(endpoints)]
		connection, err := c.pool.Get(endpoint.Address)
		if err != nil {
			return Endpoint{}, nil, err
		}
		if connected(ctx, connection) {
			return endpoint, connection, nil
		}
		if ctx.Err() != nil {
			return Endpoint{}, nil, ctx.Err()
		}
		c.Next()
	}
}

// Next makes another server the current one.
func (c *Caller) Next() {
	c.current += 1 + c.random.IntN(max(1, len(c.endpoints())-1))
}

// Try calls a server once, with a deadline. After an error the next server is the current one.
func (c *Caller) Try(ctx context.Context,
	call func(context.Context, Endpoint, *grpc.ClientConn) error) error {
	endpoint, connection, err := c.Connect(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, tryTimeout)
	defer cancel()
	if err = call(ctx, endpoint, connection); err != nil && !Failed(err).Decided() {
		c.pool.count(Failed(err))
		c.Next()
	}
	return err
}

// Until repeats Try until `call` is answered for good or ctx ends. For what may be repeated.
func (c *Caller) Until(ctx context.Context,
	call func(context.Context, Endpoint, *grpc.ClientConn) error) error {
	for {
		err := c.Try(ctx, call)
		if err == nil || ctx.Err() != nil {
			return err
		}
		if failure := Failed(err); failure.Decided() || failure.Hopeless() {
			return err
		}
		if !Pause(ctx, retryPause) {
			return err
		}
	}
}

// Pause is false if ctx ended first.
func Pause(ctx context.Context, pause time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(pause):
		return true
	}
}

func connected(ctx context.Context, connection *grpc.ClientConn) bool {
	ctx, cancel := context.WithTimeout(ctx, connectPatience)
	defer cancel()
	for {
		state := connection.GetState()
		if state == connectivity.Ready {
			return true
		}
		connection.Connect()
		if !connection.WaitForStateChange(ctx, state) {
			return false
		}
	}
}
