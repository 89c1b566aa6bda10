package scenarios

import (
	"testing"
	"time"

	"pando.test/cluster/ensemble"
)

func TestFullDiskOfFollower(t *testing.T) { onSmallDisks(t, (*run).fillFollower) }
func TestFullDiskOfLeader(t *testing.T)   { onSmallDisks(t, (*run).fillLeader) }
func TestFullDisks(t *testing.T)          { onSmallDisks(t, (*run).fillMajority) }

const (
	underReserve = 8 << 20 // --disk-reserve is 16 MiB
	nothing      = 0
)

func onSmallDisks(t *testing.T, scenario func(*run)) {
	onEach(t, func(r *run) {
		r.must(r.MountDisks())
		r.must(r.Start())
	}, scenario)
}

func (r *run) fill(member *ensemble.Member, leave int64) {
	r.inject("fill the disk (a tmpfs) of server %d but for %d bytes", member.ID, leave)
	r.must(member.FillDisk(leave))
}

func (r *run) free(members ...*ensemble.Member) {
	for _, member := range members {
		r.inject("free the disk of server %d", member.ID)
		r.must(member.FreeDisk())
	}
	r.writes()
	for _, member := range members {
		if !member.Running() {
			r.Errorf("server %d did not outlive its full disk", member.ID)
		}
	}
}

func (r *run) fillFollower() {
	follower := r.follower()
	for _, leave := range []int64{underReserve, nothing} {
		r.fill(follower, leave)
		r.writes()
		r.rest(2)
	}
	r.free(follower)
}

// fillLeader: it hands over to one that has room.
func (r *run) fillLeader() {
	leader := r.leader()
	r.fill(leader, underReserve)
	r.writes()
	r.must(r.AwaitAnotherLeader(leader))
	r.fill(leader, nothing)
	r.writes()
	r.rest(2)
	r.free(leader)
}

// fillMajority: once what their logs had set aside is used up, nothing is acknowledged any more.
// Nobody dies, and it heals by itself.
func (r *run) fillMajority() {
	full := r.Running()[:len(r.Members)/2+1]
	for _, member := range full {
		r.fill(member, underReserve)
	}
	for _, member := range full {
		r.fill(member, nothing)
	}
	r.awaitStall()
	r.rest(2)
	r.free(full...)
}

// awaitStall waits until nothing is acknowledged for a second.
func (r *run) awaitStall() {
	r.Helper()
	filled := r.last
	for r.clock.Now()-filled < 30*time.Second {
		r.last = r.clock.Now()
		r.rest(1)
		if _, found := r.load.FirstWrite(r.last); !found {
			r.say("nothing is acknowledged since %.3f s", r.last.Seconds())
			return
		}
	}
	r.Error("writes go on with the disks of a majority full")
}
