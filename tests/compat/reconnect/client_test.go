// Package reconnect tests what happens to watches over a lost connection: a client that comes back
// names what it has seen, and is told of each watch's change exactly once, whether it happened
// before the cut was noticed, while the client was away, or after.
package reconnect

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"pando.test/compat/program"
	"pando.test/compat/wire"
)

const (
	answerTimeout = 20 * time.Second
	sessionMs     = 20_000
	asIs          = program.Rooted("") // paths are sent as they are written
)

var paths atomic.Int64

// freshPath is a node that nobody has made yet.
func freshPath() string {
	return fmt.Sprintf("/reconnect-%d-%d", time.Now().UnixNano(), paths.Add(1))
}

// client is one session, on one connection at a time.
type client struct {
	t       *testing.T
	conn    *wire.Conn
	session wire.Session
	zxid    int64 // the newest that it was told in a reply
	events  []wire.Event
}

func open(t *testing.T, address string) *client {
	c := &client{t: t}
	c.attach(address)
	t.Cleanup(func() {
		c.call(program.Op{Kind: "close"})
		c.drop()
	})
	return c
}

// attach connects, with the session if there is one. A server that is behind what the client has
// seen closes the connection, and clients ask again.
func (c *client) attach(address string) {
	c.t.Helper()
	var err error
	for range 50 {
		if err = c.tryAttach(address); err == nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	c.t.Fatalf("attach to %s: %v", address, err)
}

func (c *client) tryAttach(address string) error {
	conn, err := wire.Dial(address, answerTimeout)
	if err != nil {
		return err
	}
	request := wire.ConnectRequest{TimeoutMs: sessionMs, Session: c.session, LastZxidSeen: c.zxid}
	response, err := conn.Connect(request, answerTimeout)
	if err != nil {
		conn.Close()
		return err
	}
	if response.Session.ID == 0 || c.session.ID != 0 && c.session.ID != response.Session.ID {
		conn.Close()
		c.t.Fatalf("session %x became %x", c.session.ID, response.Session.ID)
	}
	c.conn, c.session = conn, response.Session
	return nil
}

func (c *client) drop() { c.conn.Close() }

// call makes a request, and collects the events that come before its reply.
func (c *client) call(op program.Op) wire.Frame {
	c.t.Helper()
	frame, err := c.conn.Call(op.Code(), op.Encode(asIs, c.zxid), answerTimeout, &c.events)
	if err != nil {
		c.t.Fatalf("%v: %v", op, err)
	}
	c.zxid = max(c.zxid, frame.Zxid)
	return frame
}

// must is a call that succeeds.
func (c *client) must(op program.Op) wire.Frame {
	c.t.Helper()
	frame := c.call(op)
	if frame.Err != 0 {
		c.t.Fatalf("%v: %v", op, frame.Err)
	}
	return frame
}

// settle waits until whatever others have written before is here, and so are its events.
func (c *client) settle() {
	c.t.Helper()
	c.must(program.Op{Kind: "sync", Path: "/"})
}
