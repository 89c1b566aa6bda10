package play

import (
	"errors"
	"fmt"
	"time"

	"pando.test/compat/program"
	"pando.test/compat/wire"
)

const (
	answerTimeout = 20 * time.Second // generous: a server that is slow is not different
	closeTimeout  = 2 * time.Second
	sessionMs     = 40_000
	connectTries  = 20
	connectPause  = 20 * time.Millisecond
)

// client is one of a program's clients: its session, and the connection that it has now, if any.
type client struct {
	number     int
	conn       *wire.Conn
	session    wire.Session
	attached   int   // how often it has chosen a server
	zxid       int64 // the newest that it was told
	mayBeStale bool  // others have written since it last asked anything
}

// connection does what a client does with its socket.
func (p *player) connection(c *client, op program.Op) {
	request := wire.ConnectRequest{TimeoutMs: op.TimeoutMs, OmitReadOnly: op.OmitReadOnly,
		LastZxidSeen: c.zxid}
	switch op.Kind {
	case "connect":
		request.LastZxidSeen = 0
	case "reattach":
		request.Session = c.session
	case "reattach-wrong-password":
		request.Session = wire.Session{ID: c.session.ID, Password: make([]byte, 16)}
	case "reattach-from-the-future":
		request.Session = c.session
		request.LastZxidSeen += 1 << 40
	}
	outcome := p.connect(c, request)
	// A server that is behind what this client has seen closes, and clients try the next one.
	for try := 0; try < connectTries && c.conn == nil && outcome == wire.ErrClosed.Error() &&
		op.Kind != "reattach-from-the-future"; try++ {
		time.Sleep(connectPause)
		outcome = p.connect(c, request)
	}
	p.say(c, op.String(), outcome)
}

func (p *player) connect(c *client, request wire.ConnectRequest) string {
	c.drop()
	c.mayBeStale = true
	conn, err := wire.Dial(p.target.address(c.number+c.attached), answerTimeout)
	if err != nil {
		return err.Error()
	}
	c.attached++
	response, err := conn.Connect(request, answerTimeout)
	if err != nil {
		conn.Close()
		return err.Error()
	}
	text := fmt.Sprintf("timeout=%d length=%d read-only=%v", response.TimeoutMs, response.Length,
		response.ReadOnly)
	if response.Session.ID == 0 {
		_, err := conn.ReadPayload(closeTimeout)
		conn.Close()
		return fmt.Sprintf("refused %s, then %v", text, err)
	}
	p.names.session(response.Session.ID)
	c.conn, c.session = conn, response.Session
	return fmt.Sprintf("session %s %s", markOwner(response.Session.ID), text)
}

// drop ends the connection, not the session.
func (c *client) drop() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}

// send writes all requests at once, and returns their xids.
func (p *player) send(c *client, ops []program.Op) []int32 {
	var bytes []byte
	xids := make([]int32, len(ops))
	seen := make([]int64, len(ops))
	for i, op := range ops {
		seen[i] = p.names.before(op.Behind)
		xids[i] = xidOf(c.conn, op)
		switch op.Kind {
		case "oversize":
			bytes = append(bytes, 0, 0x20, 0, 0, 'x')
		case "negative-length":
			bytes = append(bytes, 0xff, 0xff, 0xff, 0xfe, 'x')
		default:
			body := op.Encode(p.root, seen[i])
			bytes = wire.AppendFrame(bytes, wire.Request(xids[i], op.Code(), body))
		}
	}
	// If it fails the server has closed, which reading will tell, after what came before.
	_ = c.conn.Write(bytes)
	return xids
}

func xidOf(conn *wire.Conn, op program.Op) int32 {
	switch op.Kind {
	case "ping":
		return wire.XidPing
	case "addauth":
		return wire.XidAuth
	case "setWatches", "setWatches2":
		return wire.XidSetWatches
	}
	return conn.Xid()
}

// ask sends requests and writes down what comes back, events too, in its order.
func (p *player) ask(c *client, ops []program.Op) {
	xids := p.send(c, ops)
	for i, op := range ops {
		if c.conn == nil {
			p.say(c, op.String(), "no connection")
			continue
		}
		frame, err := p.nextReply(c)
		switch {
		case err != nil:
			c.drop()
			p.say(c, op.String(), err.Error())
		case frame.Xid != xids[i]:
			c.drop()
			p.say(c, op.String(), fmt.Sprintf("XID %d ANSWERED INSTEAD OF %d", frame.Xid, xids[i]))
		default:
			p.reply(c, op, frame)
		}
	}
}

func (p *player) reply(c *client, op program.Op, frame wire.Frame) {
	if frame.Err == 0 && isWrite(op) {
		p.names.write(frame.Zxid)
		if op.Kind == "close" {
			p.names.closes[frame.Zxid] = true
		}
	}
	outcome := p.describer.reply(op, frame) + p.order(c, frame)
	if op.MayClose() {
		outcome += p.awaitEnd(c)
	}
	p.say(c, op.String(), outcome)
}

// order checks the one rule of zxids that holds for every reply.
func (p *player) order(c *client, frame wire.Frame) string {
	if frame.Zxid <= 0 {
		return ""
	}
	if frame.Zxid < c.zxid {
		return " ZXID WENT DOWN"
	}
	c.zxid = frame.Zxid
	return ""
}

func isWrite(op program.Op) bool {
	switch op.Kind {
	case "create", "create2", "createContainer", "createTTL", "delete", "set", "setACL", "close":
		return true
	case "multi":
		return true // one that fails says so inside, and names a write that is known
	}
	return false
}

// nextReply writes down events until a reply comes.
func (p *player) nextReply(c *client) (wire.Frame, error) {
	return p.nextReplyWithin(c, answerTimeout)
}

func (p *player) nextReplyWithin(c *client, timeout time.Duration) (wire.Frame, error) {
	for {
		frame, err := c.conn.ReadFrame(timeout)
		if err != nil || frame.Xid != wire.XidNotification {
			return frame, err
		}
		p.lines = append(p.lines, Line{Burst: p.burst, Client: c.number, What: "event",
			Outcome: p.describer.event(frame), zxid: frame.Zxid})
	}
}

func (p *player) awaitEnd(c *client) string {
	_, err := p.nextReplyWithin(c, closeTimeout)
	c.drop()
	if errors.Is(err, wire.ErrClosed) {
		return ", then closed"
	}
	return ", STAYS OPEN"
}
