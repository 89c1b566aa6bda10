// Package load is the clients of a run: they write, read, watch and keep sessions while the test
// breaks what they talk to, and record all of it.
package load

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"google.golang.org/grpc"

	"pando.test/cluster/client"
	pandov1 "pando.test/cluster/gen/pando/v1"
	"pando.test/cluster/history"
)

// How many clients of each kind there are.
const (
	plainClients     = 3 // without a session: a lost answer is an unknown outcome
	sessionClients   = 3 // with request ids: repeated until answered
	createClients    = 2
	pipelineClients  = 1
	beatingSessions  = 4
	silentSessions   = 2 // they stop beating after a while, and must end
	watchClients     = 3
	groups           = 4
	setupTimeout     = 20 * time.Second
	operationTimeout = 20 * time.Second
	finishTimeout    = 30 * time.Second
)

// Load is the clients at work. Safe for concurrent use.
type Load struct {
	Clock history.Clock

	pool      *client.Pool
	endpoints func() []client.Endpoint
	seed      uint64
	start     int64 // the revision that made Root

	writing      context.Context // ends first: no new writes
	stopWriting  context.CancelFunc
	living       context.Context // ends last: sessions and watches
	stopLiving   context.CancelFunc
	writers      sync.WaitGroup
	lives        sync.WaitGroup
	lastOfCaller int // numbers the clients

	mutex     sync.Mutex
	history   history.History
	watches   []*watcher
	refused   int
	surprises []string
}

// Start makes the nodes that all clients need, and starts the clients.
func Start(clock history.Clock, endpoints func() []client.Endpoint, seed uint64) (*Load, error) {
	l := &Load{Clock: clock, pool: client.NewPool(), endpoints: endpoints, seed: seed}
	l.writing, l.stopWriting = context.WithCancel(context.Background())
	l.living, l.stopLiving = context.WithCancel(context.Background())
	if err := l.setUp(); err != nil {
		return nil, fmt.Errorf("set up: %w", err)
	}
	for range watchClients {
		l.startWatch()
	}
	for number := range beatingSessions {
		timeout := time.Duration(1+number%2) * 4 * time.Second
		if err := l.startSession(timeout, false); err != nil {
			return nil, err
		}
	}
	for range silentSessions {
		if err := l.startSession(3*time.Second, true); err != nil {
			return nil, err
		}
	}
	for range plainClients {
		l.startPlainClient()
	}
	for range sessionClients {
		if err := l.startSessionClient(); err != nil {
			return nil, err
		}
	}
	for range createClients {
		if err := l.startCreates(); err != nil {
			return nil, err
		}
	}
	for range pipelineClients {
		if err := l.startPipeline(); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// numbered is a Caller with the client's number and randomness.
type numbered struct {
	*client.Caller
	load   *Load
	client int
	random *rand.Rand
}

func (l *Load) newCaller() numbered {
	l.lastOfCaller++
	random := rand.New(rand.NewPCG(l.seed, uint64(l.lastOfCaller)))
	return numbered{client.NewCaller(l.pool, l.endpoints, random), l, l.lastOfCaller, random}
}

func (l *Load) setUp() error {
	ctx, cancel := context.WithTimeout(context.Background(), setupTimeout)
	defer cancel()
	caller := l.newCaller()
	for _, path := range []string{
		history.Root, history.RegistersRoot, history.CreatesRoot, history.EphemeralsRoot,
	} {
		err := caller.Until(ctx, func(ctx context.Context, _ client.Endpoint, c *grpc.ClientConn) error {
			made, err := pandov1.NewTreeServiceClient(c).Create(ctx,
				&pandov1.CreateRequest{Path: path, Data: []byte{}, IfNotExists: true})
			if err == nil && path == history.Root {
				l.start = made.Stat.CreateRevision
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("create %s: %w", path, err)
		}
	}
	return nil
}

// surprise keeps an answer that no client should get, whatever was broken.
func (l *Load) surprise(format string, arguments ...any) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	what := fmt.Sprintf(format, arguments...)
	l.surprises = append(l.surprises, fmt.Sprintf("%v: %s", l.Clock.Now(), what))
}

func (l *Load) record(o history.Operation) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.history.Operations = append(l.history.Operations, o)
}

func (l *Load) refuse() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.refused++
}

// FirstWrite is when the first write was acknowledged that was asked for after a time; false if
// none was yet.
func (l *Load) FirstWrite(after history.Time) (history.Time, bool) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	first, found := history.Never, false
	for i := len(l.history.Operations) - 1; i >= 0; i-- {
		o := l.history.Operations[i]
		if o.Return < after {
			break
		}
		if o.Call >= after && o.Known() && !o.ReadOnly() && o.Reason == "" {
			first, found = min(first, o.Return), true
		}
	}
	return first, found
}
