package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"google.golang.org/grpc"

	"pando.test/cluster/client"
	pandov1 "pando.test/cluster/gen/pando/v1"
	"pando.test/cluster/history"
)

// Finish ends the writing, lets sessions end that are silent, reads the tree, waits until all
// watches have told as much, and ends everything. An error says what did not come about; the
// history is whole as far as it goes.
func (l *Load) Finish() (*history.History, error) {
	ctx, cancel := context.WithTimeout(context.Background(), finishTimeout)
	defer cancel()
	l.stopWriting()
	l.writers.Wait()
	tree, err := l.read(ctx)
	if err == nil {
		err = l.awaitWatches(ctx, tree.Revision)
	}
	l.stopLiving()
	l.lives.Wait()
	l.pool.Close()
	l.history.Final = tree
	if len(l.surprises) > 0 {
		err = errors.Join(err, errors.New("unexpected answers:\n"+strings.Join(l.surprises, "\n")))
	}
	return &l.history, err
}

// read reads the tree, again and again until the silent sessions have ended.
func (l *Load) read(ctx context.Context) (history.Tree, error) {
	caller := l.newCaller()
	for {
		var tree history.Tree
		err := caller.Until(ctx, func(ctx context.Context, _ client.Endpoint, c *grpc.ClientConn) error {
			var err error
			tree, err = walk(ctx, c)
			return err
		})
		if err != nil {
			return tree, fmt.Errorf("read the tree: %w", err)
		}
		ephemerals := 0
		for _, node := range tree.Nodes {
			if node.Owner != 0 {
				ephemerals++
			}
		}
		// One that does not end is found by the check, which says which.
		if ephemerals <= beatingSessions || !client.Pause(ctx, time.Second) {
			return tree, nil
		}
	}
}

func walk(ctx context.Context, connection *grpc.ClientConn) (history.Tree, error) {
	var tree history.Tree
	parts, err := pandov1.NewTreeServiceClient(connection).Walk(ctx, &pandov1.WalkRequest{
		Header: &pandov1.RequestHeader{Consistency: pandov1.Consistency_CONSISTENCY_LINEARIZABLE},
		Path:   history.Root,
	})
	if err != nil {
		return tree, err
	}
	for {
		part, err := parts.Recv()
		if err == io.EOF {
			return tree, nil
		}
		if err != nil {
			return tree, err
		}
		tree.Revision = part.Revision
		for _, entry := range part.Entries {
			tree.Nodes = append(tree.Nodes, history.Node{
				Path:    entry.Path,
				Value:   string(entry.Data),
				Version: entry.Stat.Version,
				Owner:   entry.Stat.EphemeralOwner,
			})
		}
	}
}

func (l *Load) awaitWatches(ctx context.Context, revision int64) error {
	for _, w := range l.watches {
		for w.progress.Load() < revision {
			if !client.Pause(ctx, 5*time.Millisecond) {
				return fmt.Errorf("watch %d has told up to %d, not to %d", w.client, w.progress.Load(),
					revision)
			}
		}
	}
	return nil
}

// Totals say in a line what was done.
func (l *Load) Totals() string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	unknown, creates, beats, events, streams := 0, 0, 0, 0, 0
	for _, o := range l.history.Operations {
		if !o.Known() {
			unknown++
		}
	}
	for _, c := range l.history.Creates {
		creates += len(c.Creates)
	}
	for _, s := range l.history.Sessions {
		beats += len(s.Beats)
	}
	for _, w := range l.history.Watches {
		events += len(w.Events())
		streams += len(w.Streams)
	}
	return fmt.Sprintf("%d operations (%d of unknown outcome, %d refused), %d sequential creates, "+
		"%d sessions with %d beats, %d watches with %d streams and %d events; failed tries: %v",
		len(l.history.Operations), unknown, l.refused, creates, len(l.history.Sessions), beats,
		len(l.history.Watches), streams, events, l.pool.Failures())
}

// Abandon ends everything without a look at it; fine after Finish.
func (l *Load) Abandon() {
	l.stopWriting()
	l.stopLiving()
	l.pool.Close()
}
