package load

import (
	"context"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"pando.test/cluster/client"
	pandov1 "pando.test/cluster/gen/pando/v1"
	"pando.test/cluster/history"
)

// A watch that says nothing for so long, not even a progress mark, is resumed on another server.
const watchPatience = 3 * time.Second

// watcher watches all below Root from its beginning, and resumes where a stream ended.
type watcher struct {
	numbered
	record   history.Watch
	progress atomic.Int64 // = record.Progress, for whoever waits
}

func (l *Load) startWatch() {
	caller := l.newCaller()
	w := &watcher{numbered: caller, record: history.Watch{
		Client: caller.client, Start: l.start, Progress: l.start - 1}}
	l.watches = append(l.watches, w)
	l.lives.Add(1)
	go func() {
		defer l.lives.Done()
		w.run(l.living)
		l.mutex.Lock()
		defer l.mutex.Unlock()
		l.history.Watches = append(l.history.Watches, w.record)
	}()
}

func (w *watcher) run(ctx context.Context) {
	for {
		endpoint, connection, err := w.Connect(ctx)
		if err != nil {
			return
		}
		stream := history.Stream{Server: endpoint.Server, Start: w.record.Progress + 1}
		err = w.stream(ctx, connection, &stream)
		stream.End = err.Error()
		w.record.Streams = append(w.record.Streams, stream)
		if ctx.Err() != nil {
			return
		}
		// COMPACTED: this server got its tree as a snapshot, and has no older changes. Others do.
		if failure := client.Failed(err); failure.Hopeless() && failure.Reason != "COMPACTED" {
			w.load.surprise("watch on server %d: %v", endpoint.Server, failure)
		}
		w.Next()
		client.Pause(ctx, 10*time.Millisecond)
	}
}

// stream reads one stream to its end.
func (w *watcher) stream(ctx context.Context, on *grpc.ClientConn, stream *history.Stream) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	patience := time.AfterFunc(watchPatience, cancel)
	defer patience.Stop()
	responses, err := pandov1.NewTreeServiceClient(on).Watch(ctx, &pandov1.WatchRequest{
		Targets: []*pandov1.WatchTarget{{
			Path: history.Root, Kind: pandov1.WatchKind_WATCH_KIND_SUBTREE, WithData: true}},
		StartRevision: stream.Start,
	})
	if err != nil {
		return err
	}
	var waiting []history.Event // of a revision that has more to come
	for {
		response, err := responses.Recv()
		if err != nil {
			return err
		}
		patience.Reset(watchPatience)
		for _, event := range response.Events {
			waiting = append(waiting, w.event(event))
		}
		if response.Partial {
			continue
		}
		stream.Events = append(stream.Events, waiting...)
		waiting = nil
		if response.ProgressRevision < w.record.Progress {
			w.load.surprise("watch %d: the cursor goes from %d to %d", w.client, w.record.Progress,
				response.ProgressRevision)
		}
		w.record.Progress = max(w.record.Progress, response.ProgressRevision)
		w.progress.Store(w.record.Progress)
	}
}

func (w *watcher) event(event *pandov1.WatchEvent) history.Event {
	kinds := map[pandov1.EventKind]history.EventKind{
		pandov1.EventKind_EVENT_KIND_CREATED:      history.Created,
		pandov1.EventKind_EVENT_KIND_DELETED:      history.Deleted,
		pandov1.EventKind_EVENT_KIND_DATA_CHANGED: history.Changed,
	}
	return history.Event{
		Revision: event.Revision,
		Kind:     kinds[event.Kind],
		Path:     event.Path,
		Version:  event.Stat.Version,
		Modified: event.Stat.ModifyRevision,
		Owner:    event.Stat.EphemeralOwner,
		Value:    string(event.Data),
		Seen:     w.load.Clock.Now(),
		Cursor:   w.record.Progress,
	}
}
