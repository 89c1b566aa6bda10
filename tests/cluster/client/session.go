package client

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	pandov1 "pando.test/cluster/gen/pando/v1"
)

// Session is a session as its client holds it.
type Session struct {
	ID      int64
	Timeout time.Duration // as granted
	token   string
}

// Open opens one on whichever server.
func (c *Caller) Open(ctx context.Context, timeout time.Duration) (*Session, error) {
	var session *Session
	err := c.Until(ctx, func(ctx context.Context, _ Endpoint, connection *grpc.ClientConn) error {
		opened, err := pandov1.NewSessionServiceClient(connection).Open(ctx,
			&pandov1.OpenRequest{TimeoutMs: timeout.Milliseconds()})
		if err != nil {
			return err
		}
		session = &Session{
			ID:      opened.SessionId,
			Timeout: time.Duration(opened.TimeoutMs) * time.Millisecond,
			token:   string(opened.Token),
		}
		return nil
	})
	return session, err
}

// With adds the session's token to the calls of a context.
func (s *Session) With(ctx context.Context) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "pando-session-token-bin", s.token)
}

// Header names the session and a request of it; 0: no request id.
func (s *Session) Header(request int64) *pandov1.RequestHeader {
	return &pandov1.RequestHeader{
		SessionId: s.ID, RequestId: request, FirstOutstandingRequestId: request}
}
