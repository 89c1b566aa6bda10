// Package network stands between servers: each is reached through a Front, which tells who dials,
// and the Network says which directions are cut.
//
// A cut direction loses nothing that TCP would not bring later: bytes wait, and so do the ends of
// connections. They arrive when the cut heals, if the connection still lives.
package network

import (
	"net"
	"sync"
)

// Outside is whoever is no member: clients, and the test itself. It is never cut off.
const Outside = 0

type direction struct{ from, to int }

// Network of members, by id. Safe for concurrent use.
type Network struct {
	mutex   sync.Mutex
	changed *sync.Cond
	cut     map[direction]bool
	members map[int]int       // of running processes, by pid
	open    map[net.Conn]bool // between members
}

func New() *Network {
	n := &Network{
		cut: map[direction]bool{}, members: map[int]int{}, open: map[net.Conn]bool{}}
	n.changed = sync.NewCond(&n.mutex)
	return n
}

// Cut stops all that `from` sends to `to`, also as answers on connections of the other.
func (n *Network) Cut(from, to int) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	n.cut[direction{from, to}] = true
}

// Heal ends all cuts.
func (n *Network) Heal() {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	clear(n.cut)
	n.changed.Broadcast()
}

// Break breaks all connections between members.
func (n *Network) Break() {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	for connection := range n.open {
		connection.Close()
	}
}

// keep has Break know a connection between members, until the returned function is called.
func (n *Network) keep(connection net.Conn) func() {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	n.open[connection] = true
	return func() {
		n.mutex.Lock()
		defer n.mutex.Unlock()
		delete(n.open, connection)
	}
}

// SetProcess says which process a member is. 0: none.
func (n *Network) SetProcess(member, pid int) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	for known, id := range n.members {
		if id == member {
			delete(n.members, known)
		}
	}
	if pid != 0 {
		n.members[pid] = member
	}
}

// await returns as soon as the direction is open.
func (n *Network) await(way direction) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	for n.cut[way] {
		n.changed.Wait()
	}
}

func (n *Network) processes() map[int]int {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	processes := make(map[int]int, len(n.members))
	for pid, id := range n.members {
		processes[pid] = id
	}
	return processes
}
