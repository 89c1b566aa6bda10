package pando

import (
	"crypto/tls"
	"errors"
	"slices"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// Above every message of the API, which are at most 4 MiB.
const messageBytesMax = 8 << 20

// Options say how a session is to be had. What is 0 has the default.
type Options struct {
	Endpoints        []string      // HOST:PORT each; one is used at a time, the first one first
	SessionTimeout   time.Duration // how long the ensemble waits for a silent client; 10 s
	ConnectTimeout   time.Duration // for Connect to find a server and get a session; 10 s
	OperationTimeout time.Duration // of a call whose context has no deadline; 10 s
	// How long a server may be silent to an attempt to connect before the next one is tried; 1 s.
	AttemptTimeout time.Duration
	ClusterID      uint64      // the ensemble that is meant; 0: whichever answers first
	TLS            *tls.Config // nil: none
	Identities     []string    // "digest:user:password"
}

func (o Options) complete() (Options, error) {
	if len(o.Endpoints) == 0 || slices.Contains(o.Endpoints, "") {
		return o, errors.New("pando: at least one endpoint is needed, and none may be empty")
	}
	for _, timeout := range []struct {
		value     *time.Duration
		otherwise time.Duration
	}{
		{&o.SessionTimeout, 10 * time.Second},
		{&o.ConnectTimeout, 10 * time.Second},
		{&o.OperationTimeout, 10 * time.Second},
		{&o.AttemptTimeout, time.Second},
	} {
		if *timeout.value < 0 {
			return o, errors.New("pando: a timeout is negative")
		}
		if *timeout.value == 0 {
			*timeout.value = timeout.otherwise
		}
	}
	return o, nil
}

func (o Options) dial(endpoint string) (*grpc.ClientConn, error) {
	transport := insecure.NewCredentials()
	if o.TLS != nil {
		transport = credentials.NewTLS(o.TLS)
	}
	return grpc.NewClient("dns:///"+endpoint,
		grpc.WithTransportCredentials(transport),
		grpc.WithNoProxy(),
		grpc.WithDisableRetry(),
		grpc.WithDisableServiceConfig(),
		grpc.WithIdleTimeout(0),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(messageBytesMax)))
}
