// A distributed lock: one at a time, first come first served, free again when its holder dies.
//
//	lock NAME: takes it, says its fencing token, and gives it back when its input ends
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	pando "pando.test/client"
	v1 "pando.test/client/gen/pando/v1"
	"pando.test/examples/internal/connect"
)

// acquire waits for the lock. The token is higher than every earlier holder's: what the lock guards
// outside Pando refuses a lower one than it has seen.
func acquire(ctx context.Context, session *pando.Session, root string) (token int64) {
	place, err := session.Create(ctx, &v1.CreateRequest{Path: root + "/", Sequential: true,
		Kind: v1.NodeKind_NODE_KIND_EPHEMERAL, CreateParents: true})
	connect.Check(err)
	for {
		ahead := ""
		for entry, err := range session.Children(ctx, &v1.ListRequest{Path: root}) {
			connect.Check(err)
			if path := root + "/" + entry.Name; path < place.Path {
				ahead = path
			}
		}
		if ahead == "" {
			return place.Stat.CreateRevision
		}
		// Only the next one ahead, so that a release wakes one of those who wait, not all.
		watch, err := session.Watch(ctx, &v1.WatchRequest{
			Targets: []*v1.WatchTarget{pando.WatchNode(ahead)}})
		connect.Check(err)
		_, err = session.Get(ctx, &v1.GetRequest{Path: ahead})
		if err == nil {
			_, err = watch.Next(ctx)
		}
		if !errors.Is(err, pando.NoNode) {
			connect.Check(err)
		}
		watch.Close()
	}
}

func main() {
	session := connect.ToEnsemble()
	defer session.Close()
	// Whoever holds it for long also reads session.Events(): SUSPENDED: pause; LOST: it is gone.
	fmt.Println("token", acquire(context.Background(), session, "/locks/"+os.Args[1]))
	_, _ = io.Copy(io.Discard, os.Stdin)
}
