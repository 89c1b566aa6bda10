// Package ensemble runs the servers of one ensemble, all on loopback, with a Network between them.
package ensemble

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"pando.test/cluster/client"
	"pando.test/cluster/network"
	"pando.test/cluster/pandod"
)

// small makes what is rare at the default sizes happen within seconds: new segments of the log,
// snapshots, a log that no longer reaches back to where a follower is.
var small = []string{
	"--wal-segment-bytes=1MiB", "--snapshot-wal-bytes=2MiB", "--disk-reserve=16MiB",
}

// Ensemble of servers. What changes who is a member is called by the test's goroutine only;
// Endpoints by any.
type Ensemble struct {
	Network *network.Network
	Members []*Member // that are or were; a removed one does not run

	folder, binaries string
	pool             *client.Pool
	ports            *pandod.Ports

	mutex     sync.Mutex
	endpoints []client.Endpoint
}

// New lays out an ensemble below folder; nothing runs yet.
func New(folder, binaries string, servers int) (*Ensemble, error) {
	e := &Ensemble{
		Network: network.New(), folder: folder, binaries: binaries,
		pool: client.NewPool(), ports: pandod.NewPorts()}
	var list []string
	for id := 1; id <= servers; id++ {
		member, err := e.newMember(id)
		if err != nil {
			return nil, err
		}
		e.Members = append(e.Members, member)
		list = append(list, fmt.Sprintf("%d=%s", id, member.PeerAddress()))
	}
	for _, member := range e.Members {
		member.origin = "--initial-cluster=" + strings.Join(list, ",")
	}
	e.publish()
	return e, nil
}

func (e *Ensemble) newMember(id int) (*Member, error) {
	member := &Member{
		ID:       id,
		DataDir:  filepath.Join(e.folder, fmt.Sprintf("data-%d", id)),
		Log:      filepath.Join(e.folder, fmt.Sprintf("pandod-%d.log", id)),
		ensemble: e,
		flags:    append([]string{}, small...),
		binary:   "pandod",
	}
	var err error
	if member.client, err = e.Network.NewFront(id); err != nil {
		return nil, err
	}
	member.peer, err = e.Network.NewFront(id)
	return member, err
}

// Start starts all members at once, and waits until all serve.
func (e *Ensemble) Start() error {
	for _, member := range e.Members {
		if err := member.Spawn(); err != nil {
			return err
		}
	}
	return e.AwaitReady()
}

// AwaitReady waits until all that run serve.
func (e *Ensemble) AwaitReady() error {
	for _, member := range e.Running() {
		if err := member.AwaitReady(); err != nil {
			return err
		}
	}
	return nil
}

// Running members, by id.
func (e *Ensemble) Running() []*Member {
	var running []*Member
	for _, member := range e.Members {
		if member.Running() {
			running = append(running, member)
		}
	}
	return running
}

// Member by its id.
func (e *Ensemble) Member(id int) *Member {
	for _, member := range e.Members {
		if member.ID == id {
			return member
		}
	}
	return nil
}

// Endpoints of all members for clients, whether they run or not.
func (e *Ensemble) Endpoints() []client.Endpoint {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	return e.endpoints
}

func (e *Ensemble) publish() {
	var endpoints []client.Endpoint
	for _, member := range e.Members {
		endpoints = append(endpoints, client.Endpoint{Server: member.ID, Address: member.ClientAddress()})
	}
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.endpoints = endpoints
}

// Close kills what runs.
func (e *Ensemble) Close() error {
	var failed error
	e.Network.Heal()
	for _, member := range e.Running() {
		failed = errors.Join(failed, member.Kill())
	}
	for _, member := range e.Members {
		failed = errors.Join(failed, member.unmountDisk())
		member.client.Close()
		member.peer.Close()
	}
	e.pool.Close()
	return failed
}

// await asks until it is so, or an error says that it never will be.
func await(timeout time.Duration, what string, so func() (bool, error)) error {
	for deadline := time.Now().Add(timeout); ; time.Sleep(5 * time.Millisecond) {
		done, err := so()
		if done || err != nil {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("not within %v: %s", timeout, what)
		}
	}
}
