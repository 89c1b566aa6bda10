package pando_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"

	pando "pando.test/client"
	pandov1 "pando.test/client/gen/pando/v1"
)

func trusting(ca string) *tls.Config {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(ca))
	return &tls.Config{RootCAs: roots}
}

func mutual(t *testing.T, server answer) *tls.Config {
	config := trusting(server.CA)
	certificate := must(tls.X509KeyPair([]byte(server.Certificate), []byte(server.Key)))(t)
	config.Certificates = []tls.Certificate{certificate}
	return config
}

func TestTLS(t *testing.T) {
	w := newWorld(t)
	refused := func(server answer, config *tls.Config, why string) {
		t.Helper()
		takes(t, time.Second, 1500*time.Millisecond, func() {
			_, err := pando.Connect(t.Context(), pando.Options{Endpoints: []string{server.Endpoint},
				TLS: config, ConnectTimeout: time.Second, AttemptTimeout: 500 * time.Millisecond})
			if failed(t, err, pando.NoServer); !strings.Contains(err.Error(), why) {
				t.Errorf("%v does not say %q", err, why)
			}
		})
	}
	server := w.ask("tls")
	session := w.connect(pando.Options{
		Endpoints: []string{server.Endpoint}, TLS: mutual(t, server)})
	var me *pandov1.WhoAmIResponse
	if err := session.Call(t.Context(), func(ctx context.Context, on grpc.ClientConnInterface,
		header *pandov1.RequestHeader) (err error) {
		me, err = pandov1.NewTreeServiceClient(on).WhoAmI(ctx,
			&pandov1.WhoAmIRequest{Header: header})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(me.String(), "x509") {
		t.Fatal(me)
	}
	// The server shuts the connection, and only its log says why.
	refused(server, trusting(server.CA), "no session within 1s")
	refused(server, nil, "no session within 1s")
	refused(server, trusting(server.OtherCA), "unknown authority")
	expired := w.ask("tls expired")
	refused(expired, mutual(t, expired), "expired")
}
