package check

import "pando.test/cluster/history"

// Watches holds what each watch told against itself, against the others and against the tree.
func Watches(h *history.History) []Violation {
	var v violations
	for _, watch := range h.Watches {
		checkStreams(&v, watch)
		checkChains(&v, watch)
		checkTree(&v, watch, h.Final)
	}
	for _, watch := range h.Watches[min(1, len(h.Watches)):] {
		checkSame(&v, h.Watches[0], watch)
	}
	return v.found
}

// checkStreams: revisions do not go down, and nothing comes that a cursor has passed.
func checkStreams(v *violations, watch history.Watch) {
	var last history.Event
	seen := map[string]int64{} // the last revision told, by path
	for number, stream := range watch.Streams {
		for _, event := range stream.Events {
			if event.Revision < last.Revision || event.Revision <= event.Cursor ||
				event.Revision < stream.Start {
				v.add(WatchOrder, "watch %d, stream %d from %d: cursor %d, %v after %v", watch.Client,
					number, stream.Start, event.Cursor, event, last)
			}
			// Create and delete in one transaction would be two events of one path and revision; no
			// client here does that.
			if seen[event.Path] == event.Revision {
				v.add(WatchOrder, "watch %d, stream %d: %v again", watch.Client, number, event)
			}
			seen[event.Path] = event.Revision
			last = event
		}
	}
}

// checkChains: a path's events follow from one another, so none is missing, acknowledged or not.
func checkChains(v *violations, watch history.Watch) {
	before := map[string]history.Event{}
	for _, event := range watch.Events() {
		last, known := before[event.Path]
		exists := known && last.Kind != history.Deleted
		follows := false
		switch event.Kind {
		case history.Created:
			follows = !exists && event.Version == 0
		case history.Changed:
			follows = exists && event.Version == last.Version+1
		case history.Deleted:
			follows = exists && event.Version == last.Version
		}
		if !follows {
			v.add(WatchGap, "watch %d: %v does not follow %v", watch.Client, event, last)
		}
		before[event.Path] = event
	}
}

// checkTree: the changes, all applied, are the tree at the end.
func checkTree(v *violations, watch history.Watch, final history.Tree) {
	if watch.Progress < final.Revision {
		v.add(WatchGap, "watch %d stopped at %d, before %d", watch.Client, watch.Progress,
			final.Revision)
		return
	}
	tree := map[string]history.Node{}
	for _, event := range watch.Events() {
		if event.Revision > final.Revision {
			break
		}
		if event.Kind == history.Deleted {
			delete(tree, event.Path)
			continue
		}
		tree[event.Path] = history.Node{
			Path: event.Path, Value: event.Value, Version: event.Version, Owner: event.Owner}
	}
	for _, node := range final.Nodes {
		if told, known := tree[node.Path]; !known || told != node {
			v.add(WatchesEndAtTree, "watch %d leads to %+v, the tree has %+v", watch.Client, told, node)
		}
		delete(tree, node.Path)
	}
	for _, node := range tree {
		v.add(WatchesEndAtTree, "watch %d leads to %+v, the tree has none", watch.Client, node)
	}
}

// checkSame: two watches from one revision on told the same, as far as both got.
func checkSame(v *violations, one, other history.Watch) {
	a, b := one.Events(), other.Events()
	until := min(one.Progress, other.Progress)
	for i := 0; i < len(a) || i < len(b); i++ {
		ended := func(events []history.Event) bool {
			return i >= len(events) || events[i].Revision > until
		}
		if ended(a) && ended(b) {
			return
		}
		if ended(a) || ended(b) {
			v.add(WatchesAgree, "up to %d, watch %d told %d events and watch %d %d", until, one.Client,
				len(a), other.Client, len(b))
			return
		}
		x, y := a[i], b[i]
		x.Seen, x.Cursor, y.Seen, y.Cursor = 0, 0, 0, 0
		if x != y {
			v.add(WatchesAgree, "watch %d told %v where watch %d told %v", one.Client, x, other.Client, y)
			return
		}
	}
}
