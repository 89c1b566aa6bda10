package scenarios

import (
	"testing"
	"time"
)

func TestStutter(t *testing.T)           { onBoth(t, (*run).stutter) }
func TestBrokenConnections(t *testing.T) { onBoth(t, (*run).breakConnections) }
func TestKillAtRandom(t *testing.T)      { onBoth(t, (*run).killAtRandom) }

// stutter: any server stops and goes on, again and again, for shorter and longer than an election.
func (r *run) stutter() {
	r.inject("SIGSTOP and SIGCONT of any server, for up to a second, 20 times")
	for range 20 {
		running := r.Running()
		member := running[r.random.IntN(len(running))]
		r.must(member.Pause())
		time.Sleep(time.Duration(r.random.IntN(1000)) * time.Millisecond)
		r.must(member.Resume())
	}
	r.inject("that was all")
	r.writes()
}

// breakConnections: all connections between servers break, again and again; nobody is gone, so
// nobody may be unseated for long.
func (r *run) breakConnections() {
	for range 10 {
		r.inject("break all connections between servers")
		r.Network.Break()
		r.writes()
		time.Sleep(time.Duration(r.random.IntN(500)) * time.Millisecond)
	}
}

// killAtRandom: kill -9 of any server, started again at once, faster than they recover. At times no
// majority lives.
func (r *run) killAtRandom() {
	r.inject("kill -9 and start of any server, 20 times")
	for range 20 {
		running := r.Running()
		member := running[r.random.IntN(len(running))]
		r.must(member.Kill())
		time.Sleep(time.Duration(r.random.IntN(200)) * time.Millisecond)
		r.must(member.Spawn())
		time.Sleep(time.Duration(r.random.IntN(200)) * time.Millisecond)
	}
	r.inject("that was all")
	r.writes()
}
