package pando

import (
	"context"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc/codes"

	pandov1 "pando.test/client/gen/pando/v1"
)

const (
	// A watch that has so many events to be taken lags: it leaves the stream until half are taken.
	watchEventsMax = 10_000
	targetsMax     = 10_000

	never = math.MaxInt64
)

// WatchNode targets all changes of one node.
func WatchNode(path string) *pandov1.WatchTarget {
	return &pandov1.WatchTarget{Path: path, Kind: pandov1.WatchKind_WATCH_KIND_NODE, WithData: true}
}

// WatchChildren targets direct children that come and go.
func WatchChildren(path string) *pandov1.WatchTarget {
	return &pandov1.WatchTarget{Path: path, Kind: pandov1.WatchKind_WATCH_KIND_CHILDREN}
}

// WatchSubtree targets all changes of a node and of all below it.
func WatchSubtree(path string) *pandov1.WatchTarget {
	return &pandov1.WatchTarget{
		Path: path, Kind: pandov1.WatchKind_WATCH_KIND_SUBTREE, WithData: true}
}

// matches as the server does.
func matches(target *pandov1.WatchTarget, event *pandov1.WatchEvent) bool {
	if target.Kind == pandov1.WatchKind_WATCH_KIND_CHILDREN {
		comesOrGoes := event.Kind == pandov1.EventKind_EVENT_KIND_CREATED ||
			event.Kind == pandov1.EventKind_EVENT_KIND_DELETED
		parent := event.Path[:strings.LastIndexByte(event.Path, '/')]
		return comesOrGoes && event.Path != "/" && max(parent, "/") == target.Path
	}
	if event.Path == target.Path {
		return true
	}
	below := strings.TrimSuffix(target.Path, "/") + "/"
	return target.Kind == pandov1.WatchKind_WATCH_KIND_SUBTREE &&
		strings.HasPrefix(event.Path, below)
}

// Watch is the events of some targets: each once, in order, without a gap, over servers that fail.
// It ends with Compacted where changes are no longer kept, and with the session's own end.
type Watch struct {
	// With SendInitial: the state that the events come after, as of StartRevision - 1.
	Initial       []*pandov1.WalkEntry
	StartRevision int64

	targets []*pandov1.WatchTarget
	events  *Feed[*pandov1.WatchEvent]
	home    *watches

	cursor  int64 // all up to here was told; home's
	lagging atomic.Bool
}

// Next is the next event.
func (w *Watch) Next(ctx context.Context) (*pandov1.WatchEvent, error) {
	event, err := w.events.Next(ctx)
	if w.lagging.Load() && w.events.Len() <= watchEventsMax/2 {
		w.home.resume(w)
	}
	return event, err
}

// Len is how many events are there to be taken.
func (w *Watch) Len() int { return w.events.Len() }

// Close ends it.
func (w *Watch) Close() {
	w.home.remove(w)
	w.events.finish(nil)
}

// watches is what a session watches, all of it on one stream.
//
// One stream, because only so it is known which events precede a reply: stream_revision says how
// far the session's streams must have come, and a stream without an event there would say so only
// with its next progress mark. Each watch has a cursor of its own; the stream goes on from the
// lowest, and every watch takes what is above its own.
type watches struct {
	changed chan struct{} // the stream at hand no longer fits what is watched

	mutex    sync.Mutex
	all      []*Watch
	partial  []*pandov1.WatchEvent
	openedAt int64
	moved    chan struct{} // closed and replaced when a cursor moves
	end      error         // of all that comes
}

func newWatches() *watches {
	return &watches{
		changed: make(chan struct{}, 1), openedAt: never, moved: make(chan struct{})}
}

func (w *watches) add(watch *Watch) error {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if w.end != nil {
		return w.end
	}
	count := len(watch.targets)
	for _, other := range w.all {
		count += len(other.targets)
	}
	if count > targetsMax {
		return failure(TooLarge, codes.InvalidArgument,
			"a session watches at most %d targets", targetsMax)
	}
	watch.home = w
	w.all = append(w.all, watch)
	w.change()
	return nil
}

func (w *watches) remove(watch *Watch) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if index := slices.Index(w.all, watch); index >= 0 {
		w.all = slices.Delete(w.all, index, index+1)
		w.change()
	}
}

func (w *watches) resume(watch *Watch) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if watch.lagging.CompareAndSwap(true, false) {
		w.change()
	}
}

// request opens the stream; nil: nothing is watched.
func (w *watches) request(header *pandov1.RequestHeader) *pandov1.WatchRequest {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	select {
	case <-w.changed:
	default:
	}
	w.openedAt, w.partial = never, nil
	live := w.live()
	if len(live) == 0 {
		return nil
	}
	request := &pandov1.WatchRequest{Header: header, StartRevision: w.cursor() + 1}
	for _, watch := range live {
		request.Targets = append(request.Targets, watch.targets...)
	}
	return request
}

func (w *watches) disconnected() {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.openedAt, w.partial = never, nil
}

// take gives a message's events to those who watch for them.
func (w *watches) take(response *pandov1.WatchResponse) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if w.openedAt == never {
		w.openedAt = response.GetHeader().GetRevision()
	}
	w.partial = append(w.partial, response.Events...)
	if response.Partial {
		return // a stream that is resumed begins the revision again
	}
	events := w.partial
	w.partial = nil
	for _, watch := range w.live() {
		its := watch.choose(events)
		watch.cursor = max(watch.cursor, response.ProgressRevision)
		// First: who takes the last of them must see that the stream is to come back.
		if watch.events.Len()+len(its) > watchEventsMax {
			watch.lagging.Store(true)
			w.change()
		}
		watch.events.put(its...)
	}
	w.notify()
}

// choose returns those of events that are for it.
func (w *Watch) choose(events []*pandov1.WatchEvent) []*pandov1.WatchEvent {
	var its []*pandov1.WatchEvent
	for _, event := range events {
		matching := func(target *pandov1.WatchTarget) bool { return matches(target, event) }
		if event.Revision > w.cursor && slices.ContainsFunc(w.targets, matching) {
			its = append(its, event)
		}
	}
	return its
}

// compacted: changes from below its oldest revision are gone, so are the watches that need them.
func (w *watches) compacted(err *Error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	var gone []*Watch
	for _, watch := range w.live() {
		if watch.cursor+1 < err.OldestRevision() {
			gone = append(gone, watch)
		}
	}
	if len(gone) == 0 {
		gone = w.live()
	}
	for _, watch := range gone {
		watch.events.finish(err)
	}
	w.all = slices.DeleteFunc(w.all, func(watch *Watch) bool { return slices.Contains(gone, watch) })
	w.change()
}

// precede returns once all was told that comes before a reply with this header.
func (w *watches) precede(ctx context.Context, header *pandov1.ResponseHeader) error {
	for {
		w.mutex.Lock()
		due := header.GetStreamRevision()
		if header.GetRevision() <= w.openedAt {
			// It may come from when the server did not know the stream yet.
			due = header.GetRevision()
		}
		passed, moved := w.cursor() >= due, w.moved
		w.mutex.Unlock()
		if passed {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// finish ends all watches; nil: with io.EOF.
func (w *watches) finish(err error, later error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.end = later
	for _, watch := range w.all {
		watch.events.finish(err)
	}
	w.all = nil
	w.notify()
}

func (w *watches) live() []*Watch {
	var live []*Watch
	for _, watch := range w.all {
		if !watch.lagging.Load() {
			live = append(live, watch)
		}
	}
	return live
}

func (w *watches) cursor() int64 {
	cursor := int64(never)
	for _, watch := range w.live() {
		cursor = min(cursor, watch.cursor)
	}
	return cursor
}

func (w *watches) change() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
	w.notify()
}

func (w *watches) notify() {
	close(w.moved)
	w.moved = make(chan struct{})
}
