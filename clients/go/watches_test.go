package pando

import (
	"runtime"
	"testing"

	pandov1 "pando.test/client/gen/pando/v1"
)

// Who can take too many events sees that the watch lags. Else a reader could take all of them, ask
// for no more, and then be left by the stream for ever.
func TestWatchLagsBeforeItsEventsAreThere(t *testing.T) {
	response := &pandov1.WatchResponse{}
	for range watchEventsMax + 1 {
		response.Events = append(response.Events, &pandov1.WatchEvent{Path: "/", Revision: 1})
	}
	for range 200 {
		feed := newFeed[*pandov1.WatchEvent]()
		watch := &Watch{targets: []*pandov1.WatchTarget{WatchNode("/")}, events: feed}
		all := newWatches()
		if err := all.add(watch); err != nil {
			t.Fatal(err)
		}
		go all.take(response)
		for there, lags := false, false; !there; runtime.Gosched() {
			feed.mutex.Lock() // holds up who would look at the events before it says so
			there, lags = len(feed.items) > watchEventsMax, watch.lagging.Load()
			feed.mutex.Unlock()
			if there && !lags {
				t.Fatal("too many events are there, and it does not lag")
			}
		}
		for range response.Events {
			if _, err := watch.Next(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if watch.lagging.Load() {
			t.Fatal("all events are taken, and it lags")
		}
	}
}
