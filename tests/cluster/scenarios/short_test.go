package scenarios

import "testing"

// TestShort is what every change runs: the faults that are the likeliest, one after the other on
// one ensemble.
func TestShort(t *testing.T) {
	underLoad(t, 3, func(r *run) { r.must(r.Start()) }, func(r *run) {
		r.killLeader(1)
		r.killFollowers(1)
		r.pauseLeader(1, 1)
		r.isolateLeader()
		r.muteLeader()
		r.deafenFollower()
		r.rollingRestart()
		r.replace(r.follower())
	})
}
