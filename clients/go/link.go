package pando

import (
	"context"
	"errors"
	"io"
	"time"

	"google.golang.org/grpc"

	pandov1 "pando.test/client/gen/pando/v1"
)

const (
	// A beat every third of the session's timeout; a server that does not answer it within another
	// sixth is left, so that half of the timeout remains to find the next one.
	beatsPerTimeout    = 3
	patiencePerTimeout = 6
	// How often a server without a leader is asked again, and how long it may have none.
	noLeaderPause = 200 * time.Millisecond
	noLeaderMax   = time.Second
)

// link is the one server that a session is attached to: a Pipeline, a KeepAlive, a Watch stream. It
// lasts until the first of them fails; whoever made it then makes another, on the next server.
type link struct {
	session    *Session
	connection *grpc.ClientConn
	tree       pandov1.TreeServiceClient
	// Of its streams: they end with the link, and its cause says why if it is an *Error.
	ctx      context.Context
	cancel   context.CancelCauseFunc
	pipeline grpc.BidiStreamingClient[pandov1.PipelineRequest, pandov1.PipelineResponse]
}

// attach moves the session here: from now on nothing takes effect that it sent elsewhere.
func (l *link) attach() (err error) {
	if l.pipeline, err = l.tree.Pipeline(l.session.sign(l.ctx)); err != nil {
		return err
	}
	// An error of Send is told by Recv.
	_ = l.pipeline.Send(&pandov1.PipelineRequest{Header: l.session.header()})
	attached, err := l.pipeline.Recv()
	if err != nil {
		return err
	}
	l.session.heard(attached.Header)
	return nil
}

func (l *link) close() {
	l.cancel(nil)
	l.connection.Close()
}

// why is what ended the link; `err` is how it was noticed.
func (l *link) why(err error) error {
	var cause *Error
	if errors.As(context.Cause(l.ctx), &cause) {
		return cause
	}
	return err
}

// serve until the server is of no more use; says why.
func (l *link) serve() error {
	defer l.close()
	parts := []func() error{l.send, l.receive, l.beat, l.watch}
	ends := make(chan error, len(parts))
	for _, part := range parts {
		go func() { ends <- part() }()
	}
	first := <-ends
	why := l.why(first)
	l.cancel(nil)
	for range len(parts) - 1 {
		<-ends
	}
	return why
}

// send: what gathers while messages are unanswered makes the next one: so it batches.
func (l *link) send() error {
	for {
		operations, firstOutstanding := l.session.backlog.take()
		if len(operations) == 0 {
			select {
			case <-l.session.backlog.wake:
				continue
			case <-l.ctx.Done():
				return l.ctx.Err()
			}
		}
		request := &pandov1.PipelineRequest{Header: l.session.header()}
		request.Header.FirstOutstandingRequestId = firstOutstanding
		if operations[0].linearizable {
			request.Header.Consistency = pandov1.Consistency_CONSISTENCY_LINEARIZABLE
		}
		for _, o := range operations {
			request.Operations = append(request.Operations, o.message)
		}
		if err := l.pipeline.Send(request); err != nil {
			<-l.ctx.Done() // receive is told why
			return l.ctx.Err()
		}
	}
}

func (l *link) receive() error {
	for {
		response, err := l.pipeline.Recv()
		if err != nil {
			return wentAway(err)
		}
		if err := l.session.watches.precede(l.ctx, response.Header); err != nil {
			return err
		}
		l.session.heard(response.Header)
		if err := l.session.backlog.answer(response); err != nil {
			return err
		}
	}
}

func (l *link) beat() error {
	stream, err := pandov1.NewSessionServiceClient(l.connection).KeepAlive(l.session.sign(l.ctx))
	if err != nil {
		return err
	}
	s := l.session
	var leaderLost time.Time
	for {
		sent := time.Now()
		silent := time.AfterFunc(s.timeout/patiencePerTimeout, func() {
			l.cancel(noServer("the server does not answer"))
		})
		_ = stream.Send(&pandov1.KeepAliveRequest{Header: s.header()}) // Recv tells the error
		response, err := stream.Recv()
		silent.Stop()
		if err != nil {
			return wentAway(err)
		}
		s.heard(response.Header)
		pause := noLeaderPause
		switch response.State {
		case pandov1.SessionState_SESSION_STATE_EXPIRED:
			return lost("the session is over")
		case pandov1.SessionState_SESSION_STATE_OK:
			s.renew(sent.Add(time.Duration(response.TimeLeftMs) * time.Millisecond))
			leaderLost, pause = time.Time{}, s.timeout/beatsPerTimeout
		default:
			if leaderLost.IsZero() {
				leaderLost = sent
			}
			if time.Since(leaderLost) > noLeaderMax {
				return noServer("the server knows no leader")
			}
		}
		if err := sleep(l.ctx, pause); err != nil {
			return err
		}
	}
}

// watch keeps one stream open that fits what is watched.
func (l *link) watch() error {
	watches := l.session.watches
	defer watches.disconnected()
	for {
		request := watches.request(l.session.header())
		if request == nil {
			select {
			case <-watches.changed:
				continue
			case <-l.ctx.Done():
				return l.ctx.Err()
			}
		}
		ctx, cancel := context.WithCancel(l.ctx)
		ended := make(chan error, 1)
		go func() { ended <- l.readWatch(ctx, request) }()
		select {
		case <-watches.changed:
			cancel()
			<-ended
		case err := <-ended:
			cancel()
			if failed := callFailure(err); failed.Reason == Compacted {
				watches.compacted(failed)
				continue
			}
			return err
		}
	}
}

func (l *link) readWatch(ctx context.Context, request *pandov1.WatchRequest) error {
	stream, err := l.tree.Watch(l.session.sign(ctx), request)
	if err != nil {
		return err
	}
	for {
		response, err := stream.Recv()
		if err != nil {
			return wentAway(err)
		}
		l.session.watches.take(response)
	}
}

// wentAway: a stream that ends well ends because its server does.
func wentAway(err error) error {
	if errors.Is(err, io.EOF) {
		return noServer("the server is going away")
	}
	return err
}

func sleep(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
