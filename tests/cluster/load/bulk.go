package load

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc"

	"pando.test/cluster/client"
	pandov1 "pando.test/cluster/gen/pando/v1"
)

// bulkRoot is outside of what is watched: its nodes are there to fill logs and snapshots.
const bulkRoot = "/bulk"

const bulkTimeout = 2 * time.Minute

// Bulk sets nodes of `bytes` each, one after the other, so many times in all.
func (l *Load) Bulk(times, bytes int) error {
	ctx, cancel := context.WithTimeout(context.Background(), bulkTimeout)
	defer cancel()
	caller := l.newCaller()
	data := make([]byte, bytes)
	for i := range times {
		path := fmt.Sprintf("%s/%d", bulkRoot, i%16)
		err := caller.Until(ctx, func(ctx context.Context, _ client.Endpoint, c *grpc.ClientConn) error {
			tree := pandov1.NewTreeServiceClient(c)
			_, err := tree.Set(ctx, &pandov1.SetRequest{Path: path, Data: data})
			if err == nil || client.Failed(err).Reason != "NO_NODE" {
				return err
			}
			_, err = tree.Create(ctx, &pandov1.CreateRequest{
				Path: path, Data: data, CreateParents: true, IfNotExists: true})
			return err
		})
		if err != nil {
			return fmt.Errorf("set %s: %w", path, err)
		}
	}
	return nil
}
