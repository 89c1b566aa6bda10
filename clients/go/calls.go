package pando

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	pandov1 "pando.test/client/gen/pando/v1"
)

// Linearizable is the header of a read that shows all that was committed anywhere when it was
// asked. Of the headers that callers give only this field counts.
func Linearizable() *pandov1.RequestHeader {
	return &pandov1.RequestHeader{Consistency: pandov1.Consistency_CONSISTENCY_LINEARIZABLE}
}

// Create makes a node; the response has its actual path.
func (s *Session) Create(ctx context.Context, request *pandov1.CreateRequest) (
	*pandov1.CreateResponse, error) {
	request, _ = bare(request)
	result, header, err := s.write(ctx, &pandov1.PipelineOperation{
		Operation: &pandov1.PipelineOperation_Create{Create: request}})
	return with(result.GetCreate(), header, err)
}

// Get reads a node's data and Stat. It shows at least what this session has seen before.
func (s *Session) Get(ctx context.Context, request *pandov1.GetRequest) (
	*pandov1.GetResponse, error) {
	request, linearizable := bare(request)
	result, header, err := s.read(ctx, linearizable, &pandov1.PipelineOperation{
		Operation: &pandov1.PipelineOperation_Get{Get: request}})
	return with(result.GetGet(), header, err)
}

// Set replaces a node's data.
func (s *Session) Set(ctx context.Context, request *pandov1.SetRequest) (
	*pandov1.SetResponse, error) {
	request, _ = bare(request)
	result, header, err := s.write(ctx, &pandov1.PipelineOperation{
		Operation: &pandov1.PipelineOperation_Set{Set: request}})
	return with(result.GetSet(), header, err)
}

// Delete removes a node.
func (s *Session) Delete(ctx context.Context, request *pandov1.DeleteRequest) (
	*pandov1.DeleteResponse, error) {
	request, _ = bare(request)
	result, header, err := s.write(ctx, &pandov1.PipelineOperation{
		Operation: &pandov1.PipelineOperation_Delete{Delete: request}})
	return with(result.GetDelete(), header, err)
}

// List reads a page of a node's children.
func (s *Session) List(ctx context.Context, request *pandov1.ListRequest) (
	*pandov1.ListResponse, error) {
	request, linearizable := bare(request)
	result, header, err := s.read(ctx, linearizable, &pandov1.PipelineOperation{
		Operation: &pandov1.PipelineOperation_List{List: request}})
	return with(result.GetList(), header, err)
}

// Children are all of a node's, in the order of their names, a page after the other.
func (s *Session) Children(ctx context.Context, request *pandov1.ListRequest) iter.Seq2[
	*pandov1.ListEntry, error] {
	return func(yield func(*pandov1.ListEntry, error) bool) {
		request := proto.CloneOf(request)
		for {
			page, err := s.List(ctx, request)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, entry := range page.Entries {
				if !yield(entry, nil) {
					return
				}
			}
			if request.PageToken = page.NextPageToken; len(request.PageToken) == 0 {
				return
			}
		}
	}
}

// GetAcl reads a node's ACL.
func (s *Session) GetAcl(ctx context.Context, request *pandov1.GetAclRequest) (
	*pandov1.GetAclResponse, error) {
	request, linearizable := bare(request)
	result, header, err := s.read(ctx, linearizable, &pandov1.PipelineOperation{
		Operation: &pandov1.PipelineOperation_GetAcl{GetAcl: request}})
	return with(result.GetGetAcl(), header, err)
}

// SetAcl replaces a node's ACL.
func (s *Session) SetAcl(ctx context.Context, request *pandov1.SetAclRequest) (
	*pandov1.SetAclResponse, error) {
	request, _ = bare(request)
	result, header, err := s.write(ctx, &pandov1.PipelineOperation{
		Operation: &pandov1.PipelineOperation_SetAcl{SetAcl: request}})
	return with(result.GetSetAcl(), header, err)
}

// Transact runs all of one list or nothing: ThenOperations if every compare is true.
func (s *Session) Transact(ctx context.Context, request *pandov1.TransactRequest) (
	*pandov1.TransactResponse, error) {
	request, _ = bare(request)
	result, header, err := s.write(ctx, &pandov1.PipelineOperation{
		Operation: &pandov1.PipelineOperation_Transact{Transact: request}})
	return with(result.GetTransact(), header, err)
}

// Sync: later reads show all that was committed anywhere before it.
func (s *Session) Sync(ctx context.Context) error {
	_, _, err := s.read(ctx, false, &pandov1.PipelineOperation{
		Operation: &pandov1.PipelineOperation_Sync{Sync: &pandov1.SyncRequest{}}})
	return err
}

// Walk reads a subtree, a node before its children, and the one revision that all of it is of.
func (s *Session) Walk(ctx context.Context, request *pandov1.WalkRequest) (
	entries []*pandov1.WalkEntry, revision int64, err error) {
	request = proto.CloneOf(request)
	err = s.Call(ctx, func(ctx context.Context, on grpc.ClientConnInterface,
		header *pandov1.RequestHeader) error {
		header.Consistency = request.GetHeader().GetConsistency()
		request.Header = header
		entries = nil
		stream, err := pandov1.NewTreeServiceClient(on).Walk(ctx, request)
		if err != nil {
			return err
		}
		for {
			part, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			if err := s.watches.precede(ctx, part.Header); err != nil {
				return err
			}
			entries, revision = append(entries, part.Entries...), part.Revision
		}
	})
	return entries, revision, err
}

// Watch watches targets: see WatchNode, WatchChildren and WatchSubtree. It begins now, or with
// StartRevision, or with SendInitial after the state in Watch.Initial. A reply that comes after an
// event is given only when the event is there to be taken. A target with Once is
// INVALID_ARGUMENT: Close the watch instead.
func (s *Session) Watch(ctx context.Context, request *pandov1.WatchRequest) (*Watch, error) {
	for _, target := range request.Targets {
		if target.Once {
			return nil, failure(InvalidArgument, codes.InvalidArgument, "a target with Once")
		}
	}
	request = proto.CloneOf(request)
	var watch *Watch
	// It begins on a stream of its own, so that what is wrong with it is its alone.
	err := s.Call(ctx, func(ctx context.Context, on grpc.ClientConnInterface,
		header *pandov1.RequestHeader) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		request.Header = header
		request.Header.SessionId = 0 // its events precede no reply
		stream, err := pandov1.NewTreeServiceClient(on).Watch(ctx, request)
		if err != nil {
			return err
		}
		watch = &Watch{targets: request.Targets, events: newFeed[*pandov1.WatchEvent]()}
		for {
			first, err := stream.Recv()
			if err != nil {
				return wentAway(err)
			}
			s.heard(first.Header)
			watch.Initial = append(watch.Initial, first.InitialNodes...)
			if first.InitialDone || !request.SendInitial {
				watch.StartRevision = request.StartRevision
				if request.StartRevision == 0 {
					watch.StartRevision = first.ProgressRevision + 1
				} // else the first message may have events already
				watch.cursor = watch.StartRevision - 1
				return nil
			}
		}
	})
	if err != nil {
		return nil, err
	}
	if err := s.watches.add(watch); err != nil {
		return nil, err
	}
	return watch, nil
}

// Call runs `body` on the session's server, with a context that shows who asks and a header that
// names the session, until a server has answered it. For rpcs of other services: every one outside
// TreeService may be repeated.
func (s *Session) Call(ctx context.Context, body func(ctx context.Context,
	on grpc.ClientConnInterface, header *pandov1.RequestHeader) error) error {
	if _, bounded := ctx.Deadline(); !bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.options.OperationTimeout)
		defer cancel()
	}
	var last error
	for {
		s.mutex.Lock()
		link, linked, end := s.link, s.linked, s.end
		s.mutex.Unlock()
		if end != nil {
			return end
		}
		if link == nil {
			select {
			case <-linked:
				continue
			case <-ctx.Done():
				return notAnswered(last)
			}
		}
		err := body(s.sign(ctx), link.connection, s.header())
		if err == nil {
			return nil
		}
		failed := callFailure(err)
		if failed.Reason != NoServer && !failed.Retriable() {
			return failed
		}
		last = failed
		if sleep(ctx, callPause) != nil {
			return notAnswered(last)
		}
	}
}

func (s *Session) write(ctx context.Context, message *pandov1.PipelineOperation) (
	*pandov1.PipelineResult, *pandov1.ResponseHeader, error) {
	return s.ask(ctx, newOperation(message, true, false))
}

func (s *Session) read(ctx context.Context, linearizable bool,
	message *pandov1.PipelineOperation) (
	*pandov1.PipelineResult, *pandov1.ResponseHeader, error) {
	return s.ask(ctx, newOperation(message, false, linearizable))
}

func (s *Session) ask(ctx context.Context, o *operation) (
	*pandov1.PipelineResult, *pandov1.ResponseHeader, error) {
	// Not a context with a deadline, which would be a third of a call's work.
	var late <-chan time.Time
	if _, bounded := ctx.Deadline(); !bounded {
		timer := time.NewTimer(s.options.OperationTimeout)
		defer timer.Stop()
		late = timer.C
	}
	s.backlog.add(o)
	select {
	case <-o.done:
		return o.result, o.header, o.err
	case <-late:
	case <-ctx.Done():
	}
	s.backlog.abandon(o, notAnswered(nil))
	<-o.done // it may have been answered meanwhile
	return o.result, o.header, o.err
}

func notAnswered(last error) *Error {
	if last != nil {
		return failure(Timeout, codes.DeadlineExceeded, "not answered in time: %v", last)
	}
	return failure(Timeout, codes.DeadlineExceeded, "not answered in time")
}

// request is what all requests have in common.
type request interface {
	proto.Message
	GetHeader() *pandov1.RequestHeader
}

// bare is a copy without its header, which has no place in a Pipeline, and whether that asked for
// LINEARIZABLE. A copy, because a request may go again after its caller has it back.
func bare[R request](original R) (R, bool) {
	copied := proto.CloneOf(original)
	reflected := copied.ProtoReflect()
	reflected.Clear(reflected.Descriptor().Fields().ByName("header"))
	return copied, original.GetHeader().GetConsistency() ==
		pandov1.Consistency_CONSISTENCY_LINEARIZABLE
}

// with puts the header that a response outside a Pipeline would have into it.
func with[R proto.Message](response R, header *pandov1.ResponseHeader, err error) (R, error) {
	if err != nil {
		var none R
		return none, err
	}
	reflected := response.ProtoReflect()
	field := reflected.Descriptor().Fields().ByName("header")
	reflected.Set(field, protoreflect.ValueOfMessage(header.ProtoReflect()))
	return response, nil
}
