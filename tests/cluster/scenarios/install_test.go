package scenarios

import "testing"

// A member that was away while the logs moved on gets a snapshot, and is killed while it does.
func TestInstall(t *testing.T) { onBoth(t, (*run).installs) }

// A new server gets a snapshot too, from a leader that dies while it sends it.
func TestInstallFromDyingLeader(t *testing.T) { onBoth(t, (*run).installFromDyingLeader) }

const installed = "installed a snapshot at revision"

// moveOn writes until the logs no longer reach back to where a member stopped: --snapshot-wal-bytes
// is 2 MiB.
func (r *run) moveOn() {
	const times, bytes = 400, 64 << 10
	r.inject("write %d MiB meanwhile", times*bytes>>20)
	r.must(r.load.Bulk(times, bytes))
}

func (r *run) installs() {
	victim := r.follower()
	r.inject("kill -9 of server %d", victim.ID)
	r.must(victim.Kill())
	r.moveOn()
	for range 6 {
		r.inject("start server %d", victim.ID)
		r.must(victim.Spawn())
		r.rest(0.1 + 0.4*r.random.Float64())
		r.inject("kill -9 of server %d", victim.ID)
		r.must(victim.Kill())
	}
	r.inject("start server %d", victim.ID)
	r.must(victim.Start())
	r.awaitLog(victim, installed)
	r.writes()
	r.withoutAsManyAsMayFailBut(victim)
}

func (r *run) installFromDyingLeader() {
	r.moveOn()
	r.inject("a server with an empty disk joins")
	joined, err := r.Join()
	r.must(err)
	r.rest(0.2 + 0.3*r.random.Float64())
	leader := r.leader()
	if leader == joined {
		r.Fatalf("server %d leads, and is a learner", joined.ID)
	}
	r.inject("kill -9 of server %d, the leader", leader.ID)
	r.must(leader.Kill())
	r.writes()
	r.inject("start server %d", leader.ID)
	r.must(leader.Start())
	r.must(joined.AwaitReady())
	r.inject("server %d has joined", joined.ID)
	r.must(r.Promote(joined.ID))
	r.awaitLog(joined, installed)
	r.inject("remove server %d", leader.ID)
	r.must(r.Retire(leader))
	r.writes()
	r.withoutAsManyAsMayFailBut(joined)
}
