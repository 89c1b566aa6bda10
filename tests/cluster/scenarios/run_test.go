// Package scenarios breaks ensembles of real servers while clients work, and checks what they saw.
// It has tests only.
package scenarios

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"pando.test/cluster/check"
	"pando.test/cluster/ensemble"
	"pando.test/cluster/history"
	"pando.test/cluster/load"
)

var (
	binaries = flag.String("bin", os.Getenv("PANDO_BIN"), "folder of pandod; default: $PANDO_BIN")
	seed     = flag.Uint64("seed", 0, "of what is broken and what clients do; 0: another each time")
	keep     = flag.String("keep", "", "where histories, logs and data of failed runs stay; "+
		"default: pando-cluster in the folder for temporary files")
)

// writesAgain is how soon after a fault a write must be acknowledged as long as a majority lives.
// The budgets of failover are the benchmark's to hold; where servers get no processor for longer
// than an election timeout, leaders change until they do.
const writesAgain = 30 * time.Second

// run is one ensemble and its clients under test.
type run struct {
	*testing.T
	*ensemble.Ensemble
	load   *load.Load
	clock  history.Clock
	random *rand.Rand
	folder string
	last   history.Time // of the last fault
}

// prepare lays out an ensemble that does not run yet.
func prepare(t *testing.T, servers int) *run {
	t.Helper()
	chosen := *seed
	if chosen == 0 {
		chosen = rand.Uint64()
	}
	r := &run{T: t, clock: history.NewClock(), random: rand.New(rand.NewPCG(chosen, 0))}
	root := *keep
	if root == "" {
		root = filepath.Join(os.TempDir(), "pando-cluster")
	}
	r.must(os.MkdirAll(root, 0o755))
	var err error
	r.folder, err = os.MkdirTemp(root, filepath.Base(t.Name())+"-")
	r.must(err)
	r.Ensemble, err = ensemble.New(r.folder, *binaries, servers)
	r.must(err)
	t.Cleanup(r.clear)
	r.say("%d servers, seed %d", servers, chosen)
	return r
}

// begin starts the clients.
func (r *run) begin() {
	r.Helper()
	var err error
	r.load, err = load.Start(r.clock, r.Endpoints, r.random.Uint64())
	r.must(err)
}

func (r *run) clear() {
	if r.load != nil {
		r.load.Abandon()
	}
	if err := r.Ensemble.Close(); err != nil {
		r.Error(err)
	}
	if r.Failed() {
		r.Logf("kept: %s", r.folder)
	} else if err := os.RemoveAll(r.folder); err != nil {
		r.Error(err)
	}
}

// say prints a line with the time of the run.
func (r *run) say(format string, arguments ...any) {
	r.Helper()
	r.Logf("%8.3f s  %s", r.clock.Now().Seconds(), fmt.Sprintf(format, arguments...))
}

// inject prints what is about to be done to the ensemble.
func (r *run) inject(format string, arguments ...any) {
	r.Helper()
	r.last = r.clock.Now()
	r.say("inject: "+format, arguments...)
}

func (r *run) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// writes waits until a write is acknowledged that was asked for after the last fault, and says how
// long that took.
func (r *run) writes() {
	r.Helper()
	for r.clock.Now()-r.last < writesAgain {
		if at, found := r.load.FirstWrite(r.last); found {
			r.say("a write is acknowledged again after %.3f s", (at - r.last).Seconds())
			return
		}
		time.Sleep(time.Millisecond)
	}
	r.Fatalf("no write was acknowledged within %v", writesAgain)
}

// stalls holds that nothing is acknowledged for a while that is asked for from now on.
func (r *run) stalls(why string) {
	r.Helper()
	r.last = r.clock.Now()
	r.rest(2)
	if at, found := r.load.FirstWrite(r.last); found {
		r.Errorf("%s, a write was acknowledged at %v", why, at)
	}
}

// rest lets the clients work.
func (r *run) rest(seconds float64) {
	time.Sleep(time.Duration(seconds * float64(time.Second)))
}

func (r *run) leader() *ensemble.Member {
	r.Helper()
	leader, err := r.Leader()
	r.must(err)
	return leader
}

// follower is any that runs and does not lead.
func (r *run) follower() *ensemble.Member {
	r.Helper()
	followers, err := r.Followers()
	r.must(err)
	return followers[r.random.IntN(len(followers))]
}

// finish ends the clients' work and checks what they saw.
func (r *run) finish() {
	r.Helper()
	r.Network.Heal()
	r.must(r.AwaitReady())
	seen, err := r.load.Finish()
	if err != nil {
		r.Error(err)
	}
	r.say("%s", r.load.Totals())
	if err := r.AwaitConverged(); err != nil {
		r.Error(err)
	}
	for _, violation := range check.All(seen, r.folder) {
		r.Error(violation)
	}
	if r.Failed() {
		r.must(seen.Save(r.folder))
		return
	}
	r.say("checked: all promises are kept")
}

// onBoth runs a scenario on three servers and on five.
func onBoth(t *testing.T, scenario func(*run)) {
	onEach(t, func(r *run) { r.must(r.Start()) }, scenario)
}

// onEach does the same with ensembles that start in a way of their own.
func onEach(t *testing.T, start, scenario func(*run)) {
	for _, servers := range []int{3, 5} {
		t.Run(fmt.Sprint(servers), func(t *testing.T) { underLoad(t, servers, start, scenario) })
	}
}

// underLoad runs a scenario while clients work, and checks what they saw.
func underLoad(t *testing.T, servers int, start, scenario func(*run)) {
	r := prepare(t, servers)
	start(r)
	r.begin()
	r.rest(1)
	scenario(r)
	r.rest(1)
	r.finish()
}
