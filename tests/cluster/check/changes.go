package check

import (
	"sort"

	"pando.test/cluster/history"
)

// changes is what a watch told, by path: the registers' states over the revisions.
type changes map[string][]history.Event

// changesOf takes the watch that got the furthest. That they tell the same is checked elsewhere.
func changesOf(h *history.History) (changes, int64) {
	var furthest history.Watch
	for _, watch := range h.Watches {
		if watch.Progress > furthest.Progress {
			furthest = watch
		}
	}
	c := changes{}
	for _, event := range furthest.Events() {
		c[event.Path] = append(c[event.Path], event)
	}
	return c, furthest.Progress
}

// at is the register at a revision.
func (c changes) at(path string, revision int64) history.Register {
	events := c[path]
	after := sort.Search(len(events), func(i int) bool { return events[i].Revision > revision })
	if after == 0 || events[after-1].Kind == history.Deleted {
		return history.Register{}
	}
	last := events[after-1]
	return history.Register{
		Exists: true, Version: last.Version, Modified: last.Modified, Value: last.Value}
}

// Writes looks for every acknowledged write among the changes.
func Writes(h *history.History) []Violation {
	var v violations
	c, progress := changesOf(h)
	for _, o := range h.Operations {
		if !o.Known() || o.Reason != "" || o.Revision > progress {
			continue
		}
		steps := o.Then
		if !o.ComparedTrue {
			steps = o.Else
		}
		last := map[int]history.Register{} // what it left, by register
		for i, s := range steps {
			if s.Kind != history.Get {
				last[s.Register] = o.Results[i]
			}
		}
		for register, left := range last {
			is := c.at(history.RegisterPath(o.Group, register), o.Revision)
			if is.Exists != left.Exists || is.Version != left.Version ||
				(is.Exists && is.Modified != o.Revision) {
				v.add(Acknowledged, "%v left register %d as %+v, and no change says so: %+v", o, register,
					left, is)
			}
		}
	}
	return v.found
}
