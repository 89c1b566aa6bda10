package scenarios

import (
	"testing"
	"time"
)

// An ensemble forms though its members die while it does, and only once all have been there.
func TestFormation(t *testing.T) {
	onEach(t, (*run).formUnderFaults, func(r *run) { r.rest(1) })
}

func (r *run) formUnderFaults() {
	late := r.Members[len(r.Members)-1]
	for _, member := range r.Members[:len(r.Members)-1] {
		r.must(member.Spawn())
	}
	r.inject("server %d is late", late.ID)
	r.rest(1)
	for _, member := range r.Running() {
		if member.Ready() {
			r.Errorf("server %d serves, and server %d was never there", member.ID, late.ID)
		}
	}
	for range 5 {
		for _, member := range r.Running() {
			r.inject("kill -9 of server %d", member.ID)
			r.must(member.Kill())
			r.must(member.Spawn())
			time.Sleep(time.Duration(r.random.IntN(200)) * time.Millisecond)
		}
		if !late.Running() {
			r.inject("start server %d", late.ID)
			r.must(late.Spawn())
		}
	}
	r.must(r.AwaitReady())
	r.say("it has formed")
}
