package scenarios

import "testing"

// A server of another ensemble is found at a member's address, under its id.
func TestStranger(t *testing.T) { onBoth(t, (*run).meetStranger) }

func (r *run) meetStranger() {
	member := r.follower()
	r.inject("SIGTERM of server %d", member.ID)
	r.must(member.Stop())
	stranger, err := member.Stranger()
	r.must(err)
	r.inject("a server %d of another cluster is at %s", stranger.ID, stranger.PeerAddress())
	r.awaitLog(stranger, "reason=WRONG_CLUSTER")
	for _, other := range r.others(member) {
		r.awaitLog(other, "refuses this one: WRONG_CLUSTER")
	}
	r.writes()
	r.rest(1)
	if !stranger.Ready() {
		r.Errorf("the stranger does not serve its own ensemble any more")
	}
	r.must(stranger.Stop())
	r.inject("the stranger has gone; start server %d", member.ID)
	r.must(member.Start())
	r.withoutAsManyAsMayFailBut(member)
}
