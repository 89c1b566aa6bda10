package scenarios

import "testing"

func TestRollingRestart(t *testing.T) { onBoth(t, (*run).rollingRestart) }
func TestRestartOfAll(t *testing.T)   { onBoth(t, (*run).killAll) }
func TestHandOver(t *testing.T)       { onBoth(t, func(r *run) { r.handOver(5) }) }

// rollingRestart: SIGTERM and start of each, the leader among them. Nothing stops for long.
func (r *run) rollingRestart() {
	for _, member := range r.Running() {
		r.inject("SIGTERM of server %d", member.ID)
		r.must(member.Stop())
		r.writes()
		r.inject("start server %d", member.ID)
		r.must(member.Start())
		r.writes()
	}
}

// killAll: kill -9 of all at once. What was acknowledged is on disks.
func (r *run) killAll() {
	r.inject("kill -9 of all")
	for _, member := range r.Running() {
		r.must(member.Kill())
	}
	r.inject("start all")
	r.must(r.Start())
	r.writes()
}

// handOver: planned changes of the leader.
func (r *run) handOver(times int) {
	for range times {
		to := r.follower()
		r.inject("hand the leadership over to server %d", to.ID)
		r.must(r.TransferLeadership(to.ID))
		r.writes()
		r.rest(0.3)
	}
}
