package load

import (
	"context"
	"math/rand/v2"
	"time"

	"google.golang.org/grpc"

	"pando.test/cluster/client"
	pandov1 "pando.test/cluster/gen/pando/v1"
	"pando.test/cluster/history"
)

// How long a client thinks between two operations, at most.
const thinkMax = 10 * time.Millisecond

// startWriter repeats `do` until writing ends.
func (l *Load) startWriter(do func()) {
	l.writers.Add(1)
	go func() {
		defer l.writers.Done()
		for l.writing.Err() == nil {
			do()
			client.Pause(l.writing, rand.N(thinkMax))
		}
	}()
}

// registersClient works on registers, with a session or without.
type registersClient struct {
	registers
	session *client.Session // nil: none
	request int64
}

func (l *Load) startPlainClient() {
	c := &registersClient{registers: registers{numbered: l.newCaller()}}
	l.startWriter(c.do)
}

func (l *Load) startSessionClient() error {
	k, err := l.newKeeper(8 * time.Second)
	if err != nil {
		return err
	}
	l.keep(k)
	c := &registersClient{registers: registers{numbered: l.newCaller()}, session: k.session}
	l.startWriter(c.do)
	return nil
}

func (c *registersClient) do() {
	ctx, cancel := context.WithTimeout(context.Background(), operationTimeout)
	defer cancel()
	command := c.choose()
	operation := history.Operation{Client: c.client, Command: command}
	header := &pandov1.RequestHeader{}
	switch {
	case command.ReadOnly() && c.random.IntN(3) == 0:
		operation.Local, operation.MinRevision = true, c.revision
		header.MinRevision = c.revision
		header.Consistency = pandov1.Consistency_CONSISTENCY_LOCAL
	case command.ReadOnly():
		header.Consistency = pandov1.Consistency_CONSISTENCY_LINEARIZABLE
	case c.session != nil:
		c.request++
		header = c.session.Header(c.request)
		ctx = c.session.With(ctx)
	}
	repeat := c.Try
	if command.ReadOnly() || c.session != nil {
		repeat = c.Until
	}
	ambiguous := false // whether a try may have been applied
	operation.Call = c.load.Clock.Now()
	err := repeat(ctx, func(ctx context.Context, endpoint client.Endpoint, on *grpc.ClientConn) error {
		var err error
		tree := pandov1.NewTreeServiceClient(on)
		operation.Answer, operation.Server, err = client.Run(ctx, tree, header, command)
		if err != nil {
			failure := client.Failed(err)
			ambiguous = ambiguous || failure.MaybeApplied()
			if failure.Decided() {
				operation.Server = endpoint.Server
			} else if failure.Hopeless() {
				c.load.surprise("%+v on server %d: %v", command, endpoint.Server, failure)
			}
		}
		return err
	})
	operation.Return = c.load.Clock.Now()
	if err != nil && !client.Failed(err).Decided() {
		if !ambiguous || command.ReadOnly() {
			c.load.refuse()
			return
		}
		operation.Answer, operation.Return = history.Answer{}, history.Never
	} else {
		c.learn(command, operation.Answer)
	}
	c.load.record(operation)
}
