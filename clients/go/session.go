package pando

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	pandov1 "pando.test/client/gen/pando/v1"
)

const (
	// Between two rounds of all endpoints, in which none was of use.
	pauseMin = 20 * time.Millisecond
	pauseMax = 500 * time.Millisecond
	// A link that lasted so long was of use: the next round begins at once.
	linkGood = time.Second
	// Between two tries of a call on a link that is about to be found broken.
	callPause    = 20 * time.Millisecond
	closeTimeout = time.Second
)

// Event is what happens to a session.
type Event string

const (
	Connected   Event = "CONNECTED"   // it is open; once, and first
	Suspended   Event = "SUSPENDED"   // its server is gone; calls wait. Whoever holds a lock pauses
	Reconnected Event = "RECONNECTED" // it lives on, on another server or the same
	Lost        Event = "LOST"        // it is over, with its ephemeral nodes; last
)

var (
	errUnheard = errors.New("no server confirmed the session in time")
	errClosed  = errors.New("closed")
)

// Session is a session, its calls and its watches, over one server at a time.
//
// A call waits while there is no server, until its context's deadline (OperationTimeout if it has
// none): then Timeout, whose MaybeApplied says whether a write was sent. What a broken connection
// leaves unanswered goes again on the next server, and is applied once. Calls of one goroutine are
// applied in their order.
type Session struct {
	options Options
	backlog *backlog
	watches *watches
	cancel  context.CancelCauseFunc
	ended   chan struct{}
	lease   *time.Timer // ends the session

	// Set before Connect returns.
	id      int64
	token   string
	timeout time.Duration

	mutex     sync.Mutex
	clusterID uint64
	revision  int64
	link      *link         // nil: none
	linked    chan struct{} // closed while there is a link, or when there never will be one
	closing   bool
	end       *Error
	state     Event
	feeds     []*Feed[Event]

	// run's own
	endpoint int
	tried    int
	pause    time.Duration
	failures map[string]*Error
}

// Connect opens a session on whichever endpoint answers. NoServer, which says what is wrong with
// each endpoint: none did within ConnectTimeout; Unauthenticated: an identity is not accepted.
func Connect(ctx context.Context, options Options) (*Session, error) {
	options, err := options.complete()
	if err != nil {
		return nil, err
	}
	life, cancel := context.WithCancelCause(context.Background())
	s := &Session{
		options: options, backlog: newBacklog(), watches: newWatches(),
		cancel: cancel, ended: make(chan struct{}), timeout: options.SessionTimeout,
		clusterID: options.ClusterID, linked: make(chan struct{}),
		pause: pauseMin, failures: map[string]*Error{},
	}
	s.lease = time.AfterFunc(options.ConnectTimeout, func() { cancel(errUnheard) })
	defer context.AfterFunc(ctx, func() { cancel(ctx.Err()) })()
	opened := make(chan error, 1)
	go s.run(life, opened)
	if err := <-opened; err != nil {
		return nil, err
	}
	return s, nil
}

// ID is the session's number.
func (s *Session) ID() int64 { return s.id }

// Timeout is as granted.
func (s *Session) Timeout() time.Duration { return s.timeout }

// Events is what happens to the session, beginning with how it stands now. It ends with it.
func (s *Session) Events() *Feed[Event] {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	feed := newFeed[Event]()
	feed.put(s.state)
	if s.end != nil {
		feed.finish(nil)
	} else {
		s.feeds = append(s.feeds, feed)
	}
	return feed
}

// Close ends the session, with its ephemeral nodes. Without a server it expires by itself.
func (s *Session) Close() {
	s.mutex.Lock()
	s.closing = true
	link := s.link
	s.mutex.Unlock()
	if link != nil {
		ctx, cancel := context.WithTimeout(s.sign(context.Background()), closeTimeout)
		defer cancel()
		_, _ = pandov1.NewSessionServiceClient(link.connection).Close(ctx,
			&pandov1.CloseRequest{Header: s.header()})
	}
	s.cancel(errClosed)
	<-s.ended
}

// run is the session's life, from the search for a server to the end.
func (s *Session) run(ctx context.Context, opened chan<- error) {
	defer close(s.ended)
	connected := false
	for {
		link, err := s.connect(ctx)
		if err != nil {
			s.finish(ctx, err, connected)
			if !connected {
				opened <- s.end
			}
			return
		}
		s.backlog.rewind()
		s.setLink(link, connected)
		if !connected {
			connected = true
			opened <- nil
		}
		began := time.Now()
		err = link.serve()
		s.setLink(nil, connected)
		if time.Since(began) > linkGood {
			s.tried, s.pause = 0, pauseMin
			clear(s.failures)
		}
		if ctx.Err() == nil && !callFailure(err).isFinal() {
			s.emit(Suspended)
		}
		if err = s.leave(ctx, err); err != nil {
			s.finish(ctx, err, connected)
			return
		}
	}
}

// connect makes a link to whichever endpoint is of use first.
func (s *Session) connect(ctx context.Context) (*link, error) {
	for {
		link, err := s.attach(ctx, s.options.Endpoints[s.endpoint])
		if err == nil {
			return link, nil
		}
		if err := s.leave(ctx, err); err != nil {
			return nil, err
		}
	}
}

func (s *Session) attach(ctx context.Context, endpoint string) (*link, error) {
	connection, err := s.options.dial(endpoint)
	if err != nil {
		return nil, noServer("%v", err)
	}
	link := &link{session: s, connection: connection, tree: pandov1.NewTreeServiceClient(connection)}
	link.ctx, link.cancel = context.WithCancelCause(ctx)
	silent := time.AfterFunc(s.options.AttemptTimeout, func() {
		link.cancel(noServer("took the connection, and did not answer within %v",
			s.options.AttemptTimeout))
	})
	defer silent.Stop()
	if s.id == 0 {
		err = s.open(link.ctx, connection)
	}
	sent := time.Now()
	if err == nil {
		err = link.attach()
	}
	if err != nil {
		err = link.why(err)
		link.close()
		return nil, err
	}
	s.renew(sent.Add(s.timeout))
	return link, nil
}

func (s *Session) open(ctx context.Context, connection *grpc.ClientConn) error {
	opened, err := pandov1.NewSessionServiceClient(connection).Open(s.sign(ctx),
		&pandov1.OpenRequest{
			Header: s.header(), TimeoutMs: s.options.SessionTimeout.Milliseconds()})
	if err != nil {
		return err
	}
	s.heard(opened.Header)
	s.id, s.token = opened.SessionId, string(opened.Token)
	s.timeout = time.Duration(opened.TimeoutMs) * time.Millisecond
	return nil
}

// leave goes on to the next endpoint; after a round of them in which none was of use, with a pause.
// An error: there is nothing to go on for.
func (s *Session) leave(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	failed := callFailure(err)
	if failed.isFinal() {
		return failed
	}
	s.failures[s.options.Endpoints[s.endpoint]] = failed
	s.endpoint = (s.endpoint + 1) % len(s.options.Endpoints)
	s.tried++
	if s.tried%len(s.options.Endpoints) != 0 {
		return nil
	}
	pause := s.pause
	s.pause = min(2*s.pause, pauseMax)
	return sleep(ctx, pause)
}

func (s *Session) finish(ctx context.Context, err error, connected bool) {
	var why []string
	for _, endpoint := range s.options.Endpoints {
		if failed := s.failures[endpoint]; failed != nil && failed.Reason == NoServer {
			why = append(why, fmt.Sprintf("%s: %s", endpoint, failed.Message))
		} else if failed != nil {
			why = append(why, fmt.Sprintf("%s: %v", endpoint, failed))
		} else if endpoint == s.options.Endpoints[s.endpoint] {
			why = append(why, endpoint+": has not answered yet")
		}
	}
	explained := strings.Join(why, "; ")
	var end *Error
	s.mutex.Lock()
	closing := s.closing
	s.mutex.Unlock()
	switch cause := context.Cause(ctx); {
	case closing:
		end = failure(Closed, codes.Canceled, "the session was closed")
	case errors.Is(cause, errUnheard) && connected:
		end = lost("no server confirmed the session within %v: %s", s.timeout, explained)
	case errors.Is(cause, errUnheard):
		end = noServer("no session within %v: %s", s.options.ConnectTimeout, explained)
	case cause != nil: // Connect's own context
		end = failure(Closed, codes.Canceled, "%v", cause)
	case connected:
		end = lost("%v", err)
	default:
		end = callFailure(err)
	}
	s.lease.Stop()
	s.cancel(errClosed)
	var toWatches error = end
	if end.Reason == Closed {
		toWatches = nil
	}

	s.mutex.Lock()
	s.end = end
	close(s.linked)
	feeds := s.feeds
	s.feeds = nil
	if connected && end.Reason != Closed {
		s.state = Lost
		for _, feed := range feeds {
			feed.put(Lost)
		}
	}
	s.mutex.Unlock()

	for _, feed := range feeds {
		feed.finish(nil)
	}
	s.backlog.finish(end)
	s.watches.finish(toWatches, end)
}

func (s *Session) setLink(link *link, connected bool) {
	s.mutex.Lock()
	if s.link = link; link != nil {
		close(s.linked)
	} else {
		s.linked = make(chan struct{})
	}
	s.mutex.Unlock()
	if link != nil {
		if connected {
			s.emit(Reconnected)
		} else {
			s.emit(Connected)
		}
	}
}

func (s *Session) emit(event Event) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.state = event
	for _, feed := range s.feeds {
		feed.put(event)
	}
}

// --- What its links need ------------------------------------------------------------------------

func (s *Session) header() *pandov1.RequestHeader {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return &pandov1.RequestHeader{
		ClusterId: s.clusterID, SessionId: s.id, MinRevision: s.revision}
}

func (s *Session) heard(header *pandov1.ResponseHeader) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if header.GetClusterId() != 0 {
		s.clusterID = header.GetClusterId()
	}
	s.revision = max(s.revision, header.GetRevision())
}

func (s *Session) renew(until time.Time) { s.lease.Reset(time.Until(until)) }

// sign adds who asks to the calls of a context.
func (s *Session) sign(ctx context.Context) context.Context {
	for _, identity := range s.options.Identities {
		ctx = metadata.AppendToOutgoingContext(ctx, "pando-auth", identity)
	}
	if s.token != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "pando-session-token-bin", s.token)
	}
	return ctx
}

func lost(format string, arguments ...any) *Error {
	return failure(SessionExpired, codes.FailedPrecondition, format, arguments...)
}
