package main

import (
	"fmt"
	"io"
	"slices"
	"sync"

	"pando.test/compat/compare"
	"pando.test/compat/play"
)

// tally counts how often each request had each outcome: what a run has really tried.
type tally struct {
	lock   sync.Mutex
	counts map[string]int
}

func (t *tally) add(transcript play.Transcript) {
	t.lock.Lock()
	defer t.lock.Unlock()
	if t.counts == nil {
		t.counts = map[string]int{}
	}
	for _, line := range transcript {
		t.counts[compare.Gist(line.What)+" -> "+compare.Gist(line.Outcome)]++
	}
}

func (t *tally) print(to io.Writer) {
	t.lock.Lock()
	defer t.lock.Unlock()
	kinds := make([]string, 0, len(t.counts))
	for kind := range t.counts {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	for _, kind := range kinds {
		fmt.Fprintf(to, "%8d %s\n", t.counts[kind], kind)
	}
}
