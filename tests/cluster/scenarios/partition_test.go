package scenarios

import (
	"testing"

	"pando.test/cluster/ensemble"
)

func TestIsolatedLeader(t *testing.T)   { onBoth(t, (*run).isolateLeader) }
func TestIsolatedFollower(t *testing.T) { onBoth(t, (*run).isolateFollower) }
func TestMuteLeader(t *testing.T)       { onBoth(t, (*run).muteLeader) }
func TestMuteFollower(t *testing.T)     { onBoth(t, (*run).muteFollower) }
func TestDeafLeader(t *testing.T)       { onBoth(t, (*run).deafenLeader) }
func TestDeafFollower(t *testing.T)     { onBoth(t, (*run).deafenFollower) }
func TestBrokenTriangle(t *testing.T)   { onBoth(t, (*run).breakTriangle) }
func TestSplit(t *testing.T)            { onBoth(t, (*run).split) }
func TestRandomCuts(t *testing.T)       { onBoth(t, func(r *run) { r.randomCuts(8) }) }

// others are all members but one.
func (r *run) others(but *ensemble.Member) []*ensemble.Member {
	var others []*ensemble.Member
	for _, member := range r.Running() {
		if member != but {
			others = append(others, member)
		}
	}
	return others
}

// How long cuts last, so that what only a timeout notices is noticed.
const cutSeconds = 3

// heal ends all cuts, after a while.
func (r *run) heal() {
	r.rest(cutSeconds)
	r.healNow()
}

func (r *run) healNow() {
	r.inject("heal")
	r.Network.Heal()
	r.writes()
}

// isolate cuts both ways between a member and all others. Clients still reach it.
func (r *run) isolate(member *ensemble.Member) {
	r.inject("cut server %d off from all others, both ways", member.ID)
	for _, other := range r.others(member) {
		r.Network.Cut(member.ID, other.ID)
		r.Network.Cut(other.ID, member.ID)
	}
	r.writes()
}

// mute cuts the way from a member to all others.
func (r *run) mute(member *ensemble.Member) {
	r.inject("cut the way from server %d to all others", member.ID)
	for _, other := range r.others(member) {
		r.Network.Cut(member.ID, other.ID)
	}
	r.writes()
}

// deafen cuts the way from all others to a member.
func (r *run) deafen(member *ensemble.Member) {
	r.inject("cut the way from all others to server %d", member.ID)
	for _, other := range r.others(member) {
		r.Network.Cut(other.ID, member.ID)
	}
	r.writes()
}

func (r *run) isolateLeader() {
	leader := r.leader()
	r.isolate(leader)
	r.must(r.AwaitAnotherLeader(leader))
	r.must(r.AwaitLeaderless(leader))
	r.heal()
}

func (r *run) isolateFollower() {
	follower := r.follower()
	r.isolate(follower)
	r.must(r.AwaitLeaderless(follower))
	r.heal()
}

// muteLeader: it hears the others, and that they have another leader.
func (r *run) muteLeader() {
	leader := r.leader()
	r.mute(leader)
	r.must(r.AwaitAnotherLeader(leader))
	r.heal()
}

// muteFollower: the leader is heard, and hears nothing of it.
func (r *run) muteFollower() {
	r.mute(r.follower())
	r.heal()
}

// deafenLeader: what it says arrives, but it does not hear that it does.
func (r *run) deafenLeader() {
	leader := r.leader()
	r.deafen(leader)
	r.must(r.AwaitAnotherLeader(leader))
	r.heal()
}

// deafenFollower: it would have itself elected, again and again. As nobody tells it that they would
// vote for it, it begins no election: one at a higher term would unseat the leader. That the leader
// stays is not asked: on a busy machine a follower that hears may miss it too.
func (r *run) deafenFollower() {
	follower := r.follower()
	r.deafen(follower)
	r.must(r.AwaitLeaderless(follower))
	before := r.term(follower)
	r.rest(cutSeconds)
	if now := r.term(follower); now != before {
		r.Errorf("server %d, which hears nobody, went from term %d to %d", follower.ID, before, now)
	}
	r.healNow()
}

func (r *run) term(member *ensemble.Member) int64 {
	term, err := r.Term(member)
	r.must(err)
	return term
}

// breakTriangle: the leader and one follower do not hear each other; all others hear all.
func (r *run) breakTriangle() {
	leader, follower := r.leader(), r.follower()
	r.inject("cut server %d, the leader, and server %d apart, both ways", leader.ID, follower.ID)
	r.Network.Cut(leader.ID, follower.ID)
	r.Network.Cut(follower.ID, leader.ID)
	r.writes()
	r.heal()
}

// split: the leader with as many as are no majority, and the rest.
func (r *run) split() {
	leader := r.leader()
	minority := []*ensemble.Member{leader}
	for _, member := range r.others(leader) {
		if 2*(len(minority)+1) < len(r.Running()) {
			minority = append(minority, member)
		}
	}
	inMinority := map[*ensemble.Member]bool{}
	for _, member := range minority {
		inMinority[member] = true
	}
	r.inject("cut the leader and %d more off from the majority, both ways", len(minority)-1)
	for _, one := range r.Running() {
		for _, other := range r.Running() {
			if inMinority[one] != inMinority[other] {
				r.Network.Cut(one.ID, other.ID)
			}
		}
	}
	r.writes()
	r.must(r.AwaitAnotherLeader(leader))
	r.heal()
}

// randomCuts: some directions are cut for a moment, again and again. A majority may not hear one
// another meanwhile, so only after all of it must there be progress.
func (r *run) randomCuts(times int) {
	for range times {
		cuts := 0
		for _, one := range r.Running() {
			for _, other := range r.Running() {
				if one != other && r.random.IntN(3) == 0 {
					r.Network.Cut(one.ID, other.ID)
					cuts++
				}
			}
		}
		r.inject("cut %d of %d ways", cuts, len(r.Running())*(len(r.Running())-1))
		r.rest(0.2 + r.random.Float64())
		r.Network.Heal()
		r.rest(0.1)
	}
	r.inject("heal")
	r.writes()
}
