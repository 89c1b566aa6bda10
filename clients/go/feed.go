package pando

import (
	"context"
	"io"
	"sync"
)

// Feed is what a goroutine waits for: items in order, and how they end.
type Feed[T any] struct {
	mutex sync.Mutex
	items []T
	end   error         // after items
	more  chan struct{} // closed and replaced when anything changes
}

func newFeed[T any]() *Feed[T] { return &Feed[T]{more: make(chan struct{})} }

// Next is the next item. After the last one: io.EOF, or the error that ended it.
func (f *Feed[T]) Next(ctx context.Context) (T, error) {
	for {
		f.mutex.Lock()
		if len(f.items) > 0 {
			item := f.items[0]
			f.items = f.items[1:]
			f.mutex.Unlock()
			return item, nil
		}
		end, more := f.end, f.more
		f.mutex.Unlock()
		var none T
		if end != nil {
			return none, end
		}
		select {
		case <-more:
		case <-ctx.Done():
			return none, ctx.Err()
		}
	}
}

// Len is how many items are there to be taken.
func (f *Feed[T]) Len() int {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return len(f.items)
}

func (f *Feed[T]) put(items ...T) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.end == nil && len(items) > 0 {
		f.items = append(f.items, items...)
		f.notify()
	}
}

// finish: after what is there comes err; nil: io.EOF.
func (f *Feed[T]) finish(err error) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.end == nil {
		if f.end = err; err == nil {
			f.end = io.EOF
		}
		f.notify()
	}
}

func (f *Feed[T]) notify() {
	close(f.more)
	f.more = make(chan struct{})
}
