package scenarios

import (
	"testing"
	"time"

	"pando.test/cluster/ensemble"
)

const raised = "the machine is of version 2"

func TestMixedVersions(t *testing.T) { onBoth(t, (*run).upgrade) }

// upgrade: one server after the other gets the next binary. The machine goes on to the next version
// once all have it, not before; from then on the old binary is refused, by name.
func (r *run) upgrade() {
	members := r.Running()
	for i, member := range members {
		r.inject("SIGTERM of server %d, and start of the next version", member.ID)
		r.must(member.Stop())
		member.Upgrade()
		r.must(member.Start())
		r.writes()
		if i+1 < len(members) {
			r.rest(0.5)
			r.notRaised(members)
		}
	}
	for _, member := range members {
		r.awaitLog(member, raised)
	}
	r.writes()

	victim := r.follower()
	r.inject("kill -9 of server %d, and start of the old version", victim.ID)
	r.must(victim.Kill())
	victim.Downgrade()
	r.must(victim.Spawn())
	status, err := victim.Ended(20 * time.Second)
	r.must(err)
	if status == 0 {
		r.Errorf("server %d of the old version ended with exit status 0", victim.ID)
	}
	r.awaitLog(victim, "version 2.*supports up to 1")
	r.writes()
	victim.Upgrade()
	r.must(victim.Start())
	r.writes()
}

func (r *run) notRaised(members []*ensemble.Member) {
	r.Helper()
	for _, member := range members {
		found, err := member.Logged(raised)
		r.must(err)
		if found {
			r.Errorf("server %d: %s, and not all members have it", member.ID, raised)
		}
	}
}
