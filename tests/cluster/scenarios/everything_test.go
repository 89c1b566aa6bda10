package scenarios

import "testing"

// TestEverything does all of it to one ensemble, in a random order.
func TestEverything(t *testing.T) {
	onBoth(t, func(r *run) {
		faults := []func(){
			func() { r.killLeader(1) },
			func() { r.killFollowers(1) },
			func() { r.pauseLeader(1, 2) },
			func() { r.pauseFollower(2) },
			r.installs, r.installFromDyingLeader, r.stutter, r.breakConnections, r.killAtRandom,
			r.isolateLeader, r.isolateFollower, r.muteLeader, r.muteFollower, r.deafenLeader,
			r.deafenFollower, r.breakTriangle, r.split, r.rollingRestart, r.killAll, r.move,
			r.meetStranger,
			func() { r.randomCuts(4) },
			func() { r.handOver(2) },
			func() { r.replace(r.follower()) },
		}
		r.random.Shuffle(len(faults), func(i, j int) { faults[i], faults[j] = faults[j], faults[i] })
		for _, fault := range faults {
			fault()
		}
	})
}
