package ensemble

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"time"

	"pando.test/cluster/network"
	"pando.test/cluster/pandod"
)

const (
	readyTimeout = 60 * time.Second
	// What SIGTERM promises.
	stopTimeout = 10 * time.Second
)

// Member is one server of an ensemble: a data dir, two addresses that stay, and a process that
// comes and goes.
type Member struct {
	ID      int
	DataDir string
	Log     string

	ensemble     *Ensemble
	client, peer *network.Front
	origin       string   // the flag that says how it forms or joins the ensemble; "": none
	flags        []string // what else is special about it
	binary       string   // its name
	disk         string   // where a file system of its own is mounted; "": it has none
	process      *pandod.Process
}

// ClientAddress is where clients reach it.
func (m *Member) ClientAddress() string { return m.client.Address() }

// PeerAddress is where other members reach it.
func (m *Member) PeerAddress() string { return m.peer.Address() }

// Running tells whether its process is there; it may be paused.
func (m *Member) Running() bool { return m.process != nil && m.process.Running() }

// Spawn starts the process and does not wait for it.
func (m *Member) Spawn(more ...string) error {
	listen, err := m.ensemble.ports.Free(4)
	if err != nil {
		return err
	}
	client, peer, http, zookeeper := listen[0], listen[1], listen[2], listen[3]
	flags := append([]string{
		"--id=" + strconv.Itoa(m.ID), "--data-dir=" + m.DataDir,
		"--listen-client=" + client, "--advertise-client=" + m.client.Address(),
		"--listen-peer=" + peer, "--advertise-peer=" + m.peer.Address(),
		"--listen-http=" + http, "--listen-zookeeper=" + zookeeper,
	}, m.flags...)
	if m.origin != "" {
		flags = append(flags, m.origin)
	}
	m.process, err = pandod.Start(filepath.Join(m.ensemble.binaries, m.binary), http, m.Log,
		append(flags, more...)...)
	if err != nil {
		return err
	}
	m.ensemble.Network.SetProcess(m.ID, m.process.PID())
	m.client.SetTarget(client)
	m.peer.SetTarget(peer)
	return nil
}

// Start starts the process and waits until it serves.
func (m *Member) Start(more ...string) error {
	if err := m.Spawn(more...); err != nil {
		return err
	}
	return m.AwaitReady()
}

// Ready tells whether it serves now.
func (m *Member) Ready() bool { return m.Running() && m.process.Ready() }

func (m *Member) AwaitReady() error {
	return await(readyTimeout, fmt.Sprintf("server %d is ready", m.ID), func() (bool, error) {
		if !m.process.Running() {
			return false, fmt.Errorf("server %d ended; see %s", m.ID, m.Log)
		}
		return m.process.Ready(), nil
	})
}

// Kill is kill -9.
func (m *Member) Kill() error {
	m.down()
	return m.process.Kill()
}

// Stop is SIGTERM, and holds it to its promise: exit status 0 in time.
func (m *Member) Stop() error {
	if err := m.process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	status, err := m.process.Wait(stopTimeout)
	m.down()
	if err == nil && status != 0 {
		err = fmt.Errorf("server %d: exit status %d after SIGTERM; see %s", m.ID, status, m.Log)
	}
	return err
}

// Ended waits until the process ends by itself, and returns its exit status.
func (m *Member) Ended(timeout time.Duration) (int, error) {
	status, err := m.process.Wait(timeout)
	if err == nil {
		m.down()
	}
	return status, err
}

func (m *Member) down() {
	m.client.SetTarget("")
	m.peer.SetTarget("")
	m.ensemble.Network.SetProcess(m.ID, 0)
}

// Upgrade makes its next start that of the next version of pandod; Downgrade takes that back.
func (m *Member) Upgrade()   { m.binary = "pandod_next" }
func (m *Member) Downgrade() { m.binary = "pandod" }

// Pause is SIGSTOP: it neither runs nor dies, and its connections stay open.
func (m *Member) Pause() error { return m.process.Signal(syscall.SIGSTOP) }

// Resume is SIGCONT.
func (m *Member) Resume() error { return m.process.Signal(syscall.SIGCONT) }

// Wipe removes its data. It must not run.
func (m *Member) Wipe() error { return os.RemoveAll(m.DataDir) }

// Move gives it another peer address, from its next start on. How it was formed or joined is not
// said again: it would name the old address.
func (m *Member) Move() error {
	peer, err := m.ensemble.Network.NewFront(m.ID)
	if err != nil {
		return err
	}
	m.peer.Close()
	m.peer, m.origin = peer, ""
	return nil
}

// Logged tells whether its log has a line that matches.
func (m *Member) Logged(pattern string) (bool, error) {
	expression, err := regexp.Compile(pattern)
	if err != nil {
		return false, err
	}
	log, err := os.ReadFile(m.Log)
	return expression.Match(log), err
}
