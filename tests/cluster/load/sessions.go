package load

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc"

	"pando.test/cluster/client"
	pandov1 "pando.test/cluster/gen/pando/v1"
	"pando.test/cluster/history"
)

// silentAfter is how long a session that is to expire beats before.
const silentAfter = 2 * time.Second

// startSession opens a session with an ephemeral node, and beats: to the end, or only for a while.
func (l *Load) startSession(timeout time.Duration, silent bool) error {
	k, err := l.newKeeper(timeout)
	if err != nil {
		return err
	}
	k.record.Ephemeral = fmt.Sprintf("%s/%d", history.EphemeralsRoot, k.client)
	ctx, cancel := context.WithTimeout(context.Background(), setupTimeout)
	defer cancel()
	err = k.Until(ctx, func(ctx context.Context, _ client.Endpoint, c *grpc.ClientConn) error {
		_, err := pandov1.NewTreeServiceClient(c).Create(k.session.With(ctx), &pandov1.CreateRequest{
			Header: k.session.Header(1), Path: k.record.Ephemeral, Data: []byte{},
			Kind: pandov1.NodeKind_NODE_KIND_EPHEMERAL})
		return err
	})
	if err != nil {
		return fmt.Errorf("create %s: %w", k.record.Ephemeral, err)
	}
	l.lives.Add(1)
	go func() {
		defer l.lives.Done()
		ctx := l.living
		if silent {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(l.living, silentAfter)
			defer cancel()
		}
		k.run(ctx)
		if silent {
			k.record.Silent = l.Clock.Now()
		}
		l.recordSession(k.record)
	}()
	return nil
}

// keep beats for a session that works, to the end.
func (l *Load) keep(k *keeper) {
	l.lives.Add(1)
	go func() {
		defer l.lives.Done()
		k.run(l.living)
		l.recordSession(k.record)
	}()
}

func (l *Load) recordSession(session history.Session) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.history.Sessions = append(l.history.Sessions, session)
}
