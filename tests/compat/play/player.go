package play

import (
	"fmt"
	"sync/atomic"
	"time"

	"pando.test/compat/program"
	"pando.test/compat/wire"
)

// Target is a server, or the servers of an ensemble: clients spread over them.
type Target struct {
	Name      string
	Addresses []string
}

func (t Target) address(n int) string { return t.Addresses[n%len(t.Addresses)] }

// roots makes the root of each play one that no play had before.
var roots atomic.Int64

// Root is a fresh node below which a program plays. One number for all targets: a path's length
// is seen in nothing, but equal is equal.
func Root() program.Rooted {
	return program.Rooted(fmt.Sprintf("/fuzz-%d-%d", start, roots.Add(1)))
}

var start = time.Now().UnixMilli()

type player struct {
	target    Target
	root      program.Rooted
	describer describer
	names     *names
	clients   []*client
	lines     Transcript
	burst     int
}

// Play has the target play the program below `root`, which it makes. The error is about the target
// being out of order, not about what it answers.
func Play(target Target, root program.Rooted, prog program.Program) (Transcript, error) {
	p := &player{target: target, root: root, describer: describer{string(root)}, names: newNames()}
	if err := p.makeRoot(); err != nil {
		return nil, fmt.Errorf("%s: %w", target.Name, err)
	}
	for number := range program.Clients {
		p.clients = append(p.clients, &client{number: number, mayBeStale: true})
	}
	for i, burst := range prog.Bursts {
		p.burst = i
		p.play(p.clients[burst.Client], burst.Ops)
	}
	p.burst = len(prog.Bursts)
	for _, c := range p.clients {
		if c.conn != nil {
			p.play(c, []program.Op{{Kind: "close"}})
		}
	}
	return p.names.finish(p.lines), nil
}

func (p *player) say(c *client, what, outcome string) {
	p.lines = append(p.lines, Line{Burst: p.burst, Client: c.number, What: what, Outcome: outcome})
}

func (p *player) play(c *client, ops []program.Op) {
	if ops[0].IsConnection() {
		p.connection(c, ops[0])
		return
	}
	if c.conn == nil {
		p.connection(c, program.Op{Kind: "connect", TimeoutMs: sessionMs})
		if c.conn == nil {
			return
		}
	}
	if c.mayBeStale {
		// On another server the others' writes may still be under way: after a sync all of their
		// events are here, whichever server it is.
		c.mayBeStale = false
		p.ask(c, []program.Op{{Kind: "sync", Path: "/"}})
	}
	if c.conn != nil {
		p.ask(c, ops)
	}
	for _, other := range p.clients {
		other.mayBeStale = other.mayBeStale || other != c
	}
}

// makeRoot creates the root with a session of its own.
func (p *player) makeRoot() error {
	conn, err := wire.Dial(p.target.address(0), answerTimeout)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.Connect(wire.ConnectRequest{TimeoutMs: sessionMs}, answerTimeout); err != nil {
		return err
	}
	op := program.Op{Kind: "create", Path: "/", ACL: wire.OpenACL}
	for _, request := range []program.Op{op, {Kind: "close"}} {
		frame, err := conn.Call(request.Code(), request.Encode(p.root, 0), answerTimeout, nil)
		if err != nil {
			return err
		}
		if frame.Err != 0 {
			return fmt.Errorf("%s: %v", request.Kind, frame.Err)
		}
	}
	return nil
}
