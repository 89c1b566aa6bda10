package scenarios

import "testing"

func TestKillLeader(t *testing.T)    { onBoth(t, func(r *run) { r.killLeader(3) }) }
func TestKillFollowers(t *testing.T) { onBoth(t, func(r *run) { r.killFollowers(3) }) }

// killLeader: kill -9 of whoever leads; it comes back while its successor serves.
func (r *run) killLeader(times int) {
	for range times {
		leader := r.leader()
		r.inject("kill -9 of server %d, the leader", leader.ID)
		r.must(leader.Kill())
		r.writes()
		r.rest(1.5)
		r.inject("start server %d", leader.ID)
		r.must(leader.Start())
		r.rest(1)
	}
}

// killFollowers: kill -9 of as many as may fail.
func (r *run) killFollowers(times int) {
	for range times {
		followers, err := r.Followers()
		r.must(err)
		r.random.Shuffle(len(followers), func(i, j int) {
			followers[i], followers[j] = followers[j], followers[i]
		})
		victims := followers[:len(r.Members)/2]
		for _, victim := range victims {
			r.inject("kill -9 of server %d, a follower", victim.ID)
			r.must(victim.Kill())
		}
		r.writes()
		r.rest(1.5)
		for _, victim := range victims {
			r.inject("start server %d", victim.ID)
			r.must(victim.Start())
		}
		r.rest(1)
	}
}
