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

const createsTimeout = 8 * time.Second // of their sessions

// creates is what both kinds of clients share that make sequential nodes.
type creates struct {
	numbered
	session *client.Session
	record  history.CreateRun
}

func (l *Load) newCreates(session *client.Session) *creates {
	caller := l.newCaller()
	return &creates{caller, session, history.CreateRun{
		Client: caller.client, Prefix: fmt.Sprintf("%s/%d-", history.CreatesRoot, caller.client)}}
}

// ask adds a node to those asked for; its request id is its place among them, from 1.
func (c *creates) ask() *pandov1.CreateRequest {
	data := fmt.Sprintf("%d:%d", c.client, len(c.record.Creates)+1)
	c.record.Creates = append(c.record.Creates, history.SequentialCreate{Data: data})
	return c.request(int64(len(c.record.Creates)))
}

func (c *creates) request(id int64) *pandov1.CreateRequest {
	return &pandov1.CreateRequest{
		Path: c.record.Prefix, Data: []byte(c.record.Creates[id-1].Data), Sequential: true}
}

func (c *creates) answered(id, revision int64, path string) {
	create := &c.record.Creates[id-1]
	create.Acknowledged, create.Path, create.Revision = true, path, revision
}

func (c *creates) finish() {
	c.load.mutex.Lock()
	defer c.load.mutex.Unlock()
	c.load.history.Creates = append(c.load.history.Creates, c.record)
}

// startCreates starts a client that makes one sequential node after the other, by calls with
// request ids.
func (l *Load) startCreates() error {
	k, err := l.newKeeper(createsTimeout)
	if err != nil {
		return err
	}
	l.keep(k)
	c := l.newCreates(k.session)
	l.writers.Add(1)
	go func() {
		defer l.writers.Done()
		defer c.finish()
		for l.writing.Err() == nil && c.create() {
			client.Pause(l.writing, thinkMax)
		}
	}()
	return nil
}

// create is false if it was not answered: then what comes after it would say nothing of the order.
func (c *creates) create() bool {
	ctx, cancel := context.WithTimeout(c.session.With(context.Background()), operationTimeout)
	defer cancel()
	request := c.ask()
	id := int64(len(c.record.Creates))
	request.Header = c.session.Header(id)
	err := c.Until(ctx, func(ctx context.Context, _ client.Endpoint, on *grpc.ClientConn) error {
		made, err := pandov1.NewTreeServiceClient(on).Create(ctx, request)
		if err == nil {
			c.answered(id, made.Header.Revision, made.Path)
		}
		return err
	})
	if err != nil {
		c.load.surprise("create %d of client %d: %v", id, c.client, client.Failed(err))
	}
	return err == nil
}
