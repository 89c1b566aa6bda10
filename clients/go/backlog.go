package pando

import (
	"fmt"
	"slices"
	"sync"

	"google.golang.org/protobuf/proto"

	pandov1 "pando.test/client/gen/pando/v1"
)

const (
	// A session keeps 1,024 answers for repeats, so no more are under way.
	unansweredMax = 1000
	// A Pipeline's message has at most 4 MiB; one operation of any size always fits.
	batchBytesMax = 1 << 20
	// With so many messages unanswered, what comes gathers for the next one: so it batches. gRPC
	// itself takes any number of messages at once.
	messagesMax = 4
)

// operation is one request on its way through Pipelines, until it is answered.
type operation struct {
	message      *pandov1.PipelineOperation
	size         int
	isWrite      bool
	linearizable bool

	// The backlog's, until done is closed.
	sent   bool // a server may have it
	ended  bool
	done   chan struct{}
	result *pandov1.PipelineResult
	header *pandov1.ResponseHeader
	err    error
}

func newOperation(message *pandov1.PipelineOperation, isWrite, linearizable bool) *operation {
	return &operation{message: message, size: proto.Size(message), isWrite: isWrite,
		linearizable: linearizable, done: make(chan struct{})}
}

// backlog is what a session has been asked and has not answered, in the order of its request ids.
//
//	add ──► waiting ──take──► unanswered ──answer──► done
//	           ▲                  │
//	           └──────rewind──────┘  the Pipeline broke: all of it goes again, in order, first
type backlog struct {
	wake chan struct{} // there may be something to take

	mutex         sync.Mutex
	waiting       []*operation
	unanswered    []*operation
	messageEnds   []int64 // the last request id of each message that is not answered whole
	lastRequestID int64
	end           *Error // of all that comes
}

func newBacklog() *backlog { return &backlog{wake: make(chan struct{}, 1)} }

func (b *backlog) add(o *operation) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if b.end != nil {
		finish(o, nil, nil, b.end.of(o))
		return
	}
	b.lastRequestID++
	o.message.RequestId = b.lastRequestID
	b.waiting = append(b.waiting, o)
	b.signal()
}

// take returns the operations of the next message, all of one consistency, because a message has
// one; none, if nothing waits or too much is unanswered. And the first request id whose answer is
// waited for.
func (b *backlog) take() ([]*operation, int64) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if len(b.messageEnds) >= messagesMax {
		return nil, 0
	}
	var taken []*operation
	size := 0
	for len(b.waiting) > 0 && len(b.unanswered) < unansweredMax {
		o := b.waiting[0]
		if !o.ended { // else its caller has given it up
			size += o.size
			if len(taken) > 0 && (size > batchBytesMax || o.linearizable != taken[0].linearizable) {
				break
			}
			o.sent = true
			b.unanswered = append(b.unanswered, o)
			taken = append(taken, o)
		}
		b.waiting = b.waiting[1:]
	}
	if len(taken) == 0 {
		return nil, 0
	}
	b.messageEnds = append(b.messageEnds, taken[len(taken)-1].message.RequestId)
	return taken, b.unanswered[0].message.RequestId
}

// answer gives one message's results to their callers. Those that are no answer go again with the
// next rewind, and the last of them is returned.
func (b *backlog) answer(response *pandov1.PipelineResponse) error {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	defer b.signal()
	var again *Error
	for _, result := range response.Results {
		if len(b.unanswered) == 0 || b.unanswered[0].message.RequestId != result.RequestId {
			return fmt.Errorf("pando: answer %d is out of order", result.RequestId)
		}
		o := b.unanswered[0]
		b.unanswered = b.unanswered[1:]
		if b.messageEnds[0] == result.RequestId {
			b.messageEnds = b.messageEnds[1:]
		}
		header := proto.CloneOf(response.Header)
		header.Revision = result.Revision
		if result.GetError() == nil {
			finish(o, result, header, nil)
			continue
		}
		switch err := operationFailure(result.GetError()); err.Reason {
		case NoLeader, Behind, Overloaded, Timeout:
			b.waiting = append(b.waiting, o)
			again = err
		default:
			finish(o, nil, header, err)
		}
	}
	if again != nil {
		return again
	}
	return nil
}

// rewind: what was sent and not answered goes again, before what was not sent.
func (b *backlog) rewind() {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	again := slices.Concat(b.unanswered, b.waiting)
	again = slices.DeleteFunc(again, func(o *operation) bool { return o.ended })
	slices.SortFunc(again, func(x, y *operation) int {
		return int(x.message.RequestId - y.message.RequestId)
	})
	b.waiting, b.unanswered, b.messageEnds = again, nil, nil
	b.signal()
}

// abandon: its caller waits no longer.
func (b *backlog) abandon(o *operation, err *Error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	finish(o, nil, nil, err.of(o))
}

// finish fails everything, and whatever comes.
func (b *backlog) finish(end *Error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.end = end
	for _, o := range slices.Concat(b.unanswered, b.waiting) {
		finish(o, nil, nil, end.of(o))
	}
	b.waiting, b.unanswered = nil, nil
}

func (b *backlog) signal() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

func finish(o *operation, result *pandov1.PipelineResult, header *pandov1.ResponseHeader,
	err *Error) {
	if o.ended {
		return
	}
	o.ended, o.result, o.header = true, result, header
	if err != nil {
		o.err = err
	}
	close(o.done)
}
