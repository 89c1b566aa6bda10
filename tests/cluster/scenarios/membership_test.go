package scenarios

import (
	"testing"
	"time"

	"pando.test/cluster/ensemble"
)

func TestReplacedMember(t *testing.T) {
	onBoth(t, func(r *run) { r.replace(r.follower()) })
}

func TestReplacedLeader(t *testing.T) {
	onBoth(t, func(r *run) { r.replace(r.leader()) })
}

func TestMovedMember(t *testing.T) { onBoth(t, (*run).move) }

// replace: a member loses its disk. Under its id it is refused, and its vote does not count,
// whatever it says; a new server with a new id takes its place.
func (r *run) replace(victim *ensemble.Member) {
	r.inject("kill -9 of server %d, and its disk is wiped", victim.ID)
	r.must(victim.Kill())
	r.must(victim.Wipe())
	r.writes()
	r.inject("start server %d on the empty disk", victim.ID)
	r.must(victim.Spawn())
	r.awaitLog(victim, "the data of (this one|server [0-9]+) is gone")
	r.writes()
	r.withoutMajorityBut(victim)
	if victim.Ready() {
		r.Errorf("server %d lost its data, and serves", victim.ID)
	}
	if victim.Running() {
		r.must(victim.Kill())
	}
	r.inject("remove server %d", victim.ID)
	r.must(r.Remove(victim.ID))
	r.writes()
	joined, err := r.Join()
	r.must(err)
	r.must(joined.AwaitReady())
	r.inject("server %d has joined", joined.ID)
	r.must(r.Promote(joined.ID))
	r.inject("server %d is promoted", joined.ID)
	r.writes()
	r.withoutAsManyAsMayFailBut(joined)
}

// withoutMajorityBut: only with the wiped member would the rest be a majority, so nothing may be
// acknowledged.
func (r *run) withoutMajorityBut(wiped *ensemble.Member) {
	killed := r.killBut(wiped)
	r.stalls("without a majority of disks")
	for _, member := range killed {
		r.inject("start server %d", member.ID)
		r.must(member.Spawn())
	}
	r.writes()
}

// withoutAsManyAsMayFailBut: the member that is left with just a majority must count.
func (r *run) withoutAsManyAsMayFailBut(counts *ensemble.Member) {
	killed := r.killBut(counts)
	r.writes()
	r.rest(1)
	for _, member := range killed {
		r.inject("start server %d", member.ID)
		r.must(member.Start())
	}
}

// move: a member comes back under another peer address, and the others learn it from itself.
func (r *run) move() {
	member := r.follower()
	r.inject("SIGTERM of server %d, at %s", member.ID, member.PeerAddress())
	r.must(member.Stop())
	r.must(member.Move())
	r.inject("start server %d, at %s", member.ID, member.PeerAddress())
	r.must(member.Start())
	r.writes()
	r.must(r.AwaitAddress(member))
	r.withoutAsManyAsMayFailBut(member)
}

// killBut kills as many as may fail, and not this one.
func (r *run) killBut(spared *ensemble.Member) []*ensemble.Member {
	killed := r.others(spared)[:(len(r.Members)-1)/2]
	for _, member := range killed {
		r.inject("kill -9 of server %d: server %d makes the majority", member.ID, spared.ID)
		r.must(member.Kill())
	}
	return killed
}

// awaitLog waits until a server's log has a line that matches.
func (r *run) awaitLog(member *ensemble.Member, pattern string) {
	r.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		found, err := member.Logged(pattern)
		r.must(err)
		if found {
			return
		}
		if time.Now().After(deadline) {
			r.Fatalf("the log of server %d does not say %q", member.ID, pattern)
		}
	}
}
