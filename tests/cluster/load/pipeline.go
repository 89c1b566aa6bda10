package load

import (
	"context"
	"time"

	"google.golang.org/grpc"

	"pando.test/cluster/client"
	pandov1 "pando.test/cluster/gen/pando/v1"
)

const (
	// How many creates are in flight.
	pipelineWindow = 16
	// How long a Pipeline may say nothing while something is in flight.
	pipelinePatience = 2 * time.Second
)

// pipeline makes sequential nodes with many in flight. When its stream breaks it sends all that was
// not answered again, on another server, in order.
type pipeline struct {
	*creates
	keeper  *keeper
	answers int64 // all up to this request id are answered
}

func (l *Load) startPipeline() error {
	k, err := l.newKeeper(createsTimeout)
	if err != nil {
		return err
	}
	p := &pipeline{creates: l.newCreates(k.session), keeper: k}
	l.writers.Add(1)
	l.lives.Add(1)
	go func() {
		defer l.lives.Done()
		func() {
			defer l.writers.Done()
			p.run()
			p.finish()
		}()
		// It still beats, without a Pipeline.
		k.run(l.living)
		l.recordSession(k.record)
	}()
	return nil
}

// run ends when writing does, and everything that was sent is answered, or not within the bound.
func (p *pipeline) run() {
	ctx := p.load.living
	for {
		if p.load.writing.Err() != nil && ctx == p.load.living {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, operationTimeout)
			defer cancel()
		}
		endpoint, connection, err := p.Connect(ctx)
		if err != nil {
			return
		}
		err = p.stream(ctx, endpoint, connection)
		if err == nil || ctx.Err() != nil {
			return
		}
		if failure := client.Failed(err); failure.Hopeless() {
			p.load.surprise("pipeline on server %d: %v", endpoint.Server, failure)
			return
		}
		p.Next()
		client.Pause(ctx, 10*time.Millisecond)
	}
}

// stream attaches the session to a server, sends again what is open, and goes on from there. The
// session beats on the same server: an attached session beats nowhere else. Nil: writing ended, and
// all is answered.
func (p *pipeline) stream(ctx context.Context, endpoint client.Endpoint,
	on *grpc.ClientConn) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := pandov1.NewTreeServiceClient(on).Pipeline(p.session.With(ctx))
	if err != nil {
		return err
	}
	if err := stream.Send(&pandov1.PipelineRequest{Header: p.session.Header(0)}); err != nil {
		_, err = stream.Recv()
		return err
	}
	results, failed := make(chan *pandov1.PipelineResponse), make(chan error, 2)
	go receive(ctx, stream, results, failed)
	if err := p.await(results, failed); err != nil {
		return err
	}
	beats := make(chan struct{})
	go func() {
		defer close(beats)
		if err := p.keeper.beat(ctx, endpoint, on); err != nil {
			failed <- err
		}
	}()
	defer func() {
		cancel()
		<-beats // the keeper is one goroutine's
	}()
	sent := p.answers
	for {
		request := &pandov1.PipelineRequest{Header: p.session.Header(0)}
		request.Header.FirstOutstandingRequestId = p.answers + 1
		for sent < p.answers+pipelineWindow {
			if sent == int64(len(p.record.Creates)) {
				if p.load.writing.Err() != nil {
					break
				}
				p.ask()
			}
			sent++
			request.Operations = append(request.Operations, &pandov1.PipelineOperation{
				RequestId: sent,
				Operation: &pandov1.PipelineOperation_Create{Create: p.request(sent)},
			})
		}
		if len(request.Operations) > 0 {
			if err := stream.Send(request); err != nil {
				return <-failed
			}
		}
		if p.answers == int64(len(p.record.Creates)) {
			return nil
		}
		if err := p.await(results, failed); err != nil {
			return err
		}
		client.Pause(p.load.writing, thinkMax)
	}
}

func receive(ctx context.Context, stream grpc.BidiStreamingClient[pandov1.PipelineRequest,
	pandov1.PipelineResponse], results chan<- *pandov1.PipelineResponse, failed chan<- error) {
	for {
		response, err := stream.Recv()
		if err != nil {
			failed <- err
			return
		}
		select {
		case results <- response:
		case <-ctx.Done():
			return
		}
	}
}

// await takes one message of results.
func (p *pipeline) await(results <-chan *pandov1.PipelineResponse, failed <-chan error) error {
	select {
	case response := <-results:
		for _, result := range response.Results {
			p.hear(result)
		}
		return nil
	case err := <-failed:
		return err
	case <-time.After(pipelinePatience):
		return errNoAnswer
	}
}

func (p *pipeline) hear(result *pandov1.PipelineResult) {
	if result.RequestId != p.answers+1 {
		p.load.surprise("a pipeline answers request %d after %d", result.RequestId, p.answers)
	}
	p.answers = result.RequestId
	if created := result.GetCreate(); created != nil {
		p.answered(result.RequestId, result.Revision, created.Path)
		return
	}
	failure := client.FailedOperation(result.GetError())
	p.record.Creates[result.RequestId-1].Refused = !failure.MaybeApplied()
	if failure.Hopeless() || failure.Decided() {
		p.load.surprise("create %d of client %d: %v", result.RequestId, p.client, failure)
	}
	p.load.refuse()
}
