package scenarios

import "testing"

func TestPauseLeader(t *testing.T)   { onBoth(t, func(r *run) { r.pauseLeader(2, 2) }) }
func TestPauseFollower(t *testing.T) { onBoth(t, func(r *run) { r.pauseFollower(2) }) }

// A leader that was away for longer than the sessions' timeouts must not end them when it wakes.
func TestPauseLeaderForLong(t *testing.T) { onBoth(t, func(r *run) { r.pauseLeader(1, 9) }) }

// pauseLeader: SIGSTOP of whoever leads. Its connections stay open, and it wakes as a leader.
func (r *run) pauseLeader(times int, seconds float64) {
	for range times {
		leader := r.leader()
		r.inject("SIGSTOP of server %d, the leader", leader.ID)
		r.must(leader.Pause())
		r.writes()
		r.rest(seconds)
		r.inject("SIGCONT of server %d", leader.ID)
		r.must(leader.Resume())
		r.writes()
		r.rest(1)
	}
}

func (r *run) pauseFollower(seconds float64) {
	follower := r.follower()
	r.inject("SIGSTOP of server %d, a follower", follower.ID)
	r.must(follower.Pause())
	r.writes()
	r.rest(seconds)
	r.inject("SIGCONT of server %d", follower.ID)
	r.must(follower.Resume())
	r.writes()
}
