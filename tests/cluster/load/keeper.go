package load

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc"

	"pando.test/cluster/client"
	pandov1 "pando.test/cluster/gen/pando/v1"
	"pando.test/cluster/history"
)

// A beat's answer is waited for so long, in parts of the session's timeout, and they are so far
// apart.
const (
	beatPatience = 5
	beatInterval = 6
)

var (
	errExpired  = errors.New("the session is over")
	errNoLeader = errors.New("no leader")
	errNoAnswer = errors.New("a beat was not answered")
)

// keeper keeps one session alive, on whichever server, and records its beats. For one goroutine.
type keeper struct {
	numbered
	session *client.Session
	record  history.Session
}

func (l *Load) newKeeper(timeout time.Duration) (*keeper, error) {
	ctx, cancel := context.WithTimeout(context.Background(), setupTimeout)
	defer cancel()
	caller := l.newCaller()
	session, err := caller.Open(ctx, timeout)
	if err != nil {
		return nil, err
	}
	return &keeper{numbered: caller, session: session, record: history.Session{
		ID: session.ID, Timeout: session.Timeout, Opened: l.Clock.Now(),
		Silent: history.Never, Expired: history.Never,
	}}, nil
}

// run beats until ctx ends, or the session does. It moves on when a server fails it.
func (k *keeper) run(ctx context.Context) {
	for moved := false; ctx.Err() == nil && k.record.Expired == history.Never; moved = true {
		endpoint, connection, err := k.Connect(ctx)
		if err != nil {
			return
		}
		// Both ways to go on are promised: just to beat elsewhere, and to move there first.
		if moved && k.random.IntN(2) == 0 && k.attach(ctx, connection) != nil {
			k.Next()
			continue
		}
		if err := k.beat(ctx, endpoint, connection); err != nil && ctx.Err() == nil {
			k.Next()
			client.Pause(ctx, 10*time.Millisecond)
		}
	}
}

func (k *keeper) attach(ctx context.Context, connection *grpc.ClientConn) error {
	ctx, cancel := context.WithTimeout(k.session.With(ctx), k.session.Timeout/beatPatience)
	defer cancel()
	_, err := pandov1.NewSessionServiceClient(connection).Attach(ctx,
		&pandov1.AttachRequest{Header: k.session.Header(0)})
	return err
}

// beat sends signs of life to one server until one is not answered with OK.
func (k *keeper) beat(ctx context.Context, endpoint client.Endpoint, on *grpc.ClientConn) error {
	ctx, cancel := context.WithCancel(k.session.With(ctx))
	defer cancel()
	stream, err := pandov1.NewSessionServiceClient(on).KeepAlive(ctx)
	if err != nil {
		return err
	}
	answers := make(chan *pandov1.KeepAliveResponse)
	failed := make(chan error, 1)
	go func() {
		for {
			answer, err := stream.Recv()
			if err != nil {
				failed <- err
				return
			}
			select {
			case answers <- answer:
			case <-ctx.Done():
				return
			}
		}
	}()
	for {
		sent := k.load.Clock.Now()
		if err := stream.Send(&pandov1.KeepAliveRequest{Header: k.session.Header(0)}); err != nil {
			return <-failed
		}
		select {
		case answer := <-answers:
			if err := k.hear(endpoint, sent, answer); err != nil {
				return err
			}
		case err := <-failed:
			return k.explain(endpoint, err)
		case <-time.After(k.session.Timeout / beatPatience):
			return errNoAnswer
		}
		select {
		case <-time.After(k.session.Timeout / beatInterval):
		case err := <-failed:
			return k.explain(endpoint, err)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (k *keeper) hear(endpoint client.Endpoint, sent history.Time,
	answer *pandov1.KeepAliveResponse) error {
	now := k.load.Clock.Now()
	switch answer.State {
	case pandov1.SessionState_SESSION_STATE_OK:
		k.record.Beats = append(k.record.Beats, history.Beat{
			Server: endpoint.Server, Sent: sent, Answered: now,
			TimeLeft: time.Duration(answer.TimeLeftMs) * time.Millisecond,
		})
		return nil
	case pandov1.SessionState_SESSION_STATE_EXPIRED:
		k.record.Expired = now
		return errExpired
	default:
		return errNoLeader
	}
}

func (k *keeper) explain(endpoint client.Endpoint, err error) error {
	if failure := client.Failed(err); failure.Hopeless() {
		k.load.surprise("beat of session %#x on server %d: %v", k.session.ID, endpoint.Server, failure)
	}
	return err
}
