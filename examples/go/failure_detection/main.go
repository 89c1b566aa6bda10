// Failure detection: who went without a word has failed.
//
//	failure_detection live NAME: until its input ends, or its session does | failure_detection watch
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	pando "pando.test/client"
	v1 "pando.test/client/gen/pando/v1"
	"pando.test/examples/internal/connect"
)

const root = "/alive"

func live(ctx context.Context, session *pando.Session, path string) {
	_, err := session.Create(ctx, &v1.CreateRequest{
		Path: path, CreateParents: true, Kind: v1.NodeKind_NODE_KIND_EPHEMERAL})
	connect.Check(err)
	_, _ = io.Copy(io.Discard, os.Stdin)
	_, err = session.Set(ctx, &v1.SetRequest{Path: path, Data: []byte("bye")})
	connect.Check(err)
}

func tell(ctx context.Context, session *pando.Session) {
	targets := []*v1.WatchTarget{pando.WatchSubtree(root)}
	watch, err := session.Watch(ctx, &v1.WatchRequest{Targets: targets})
	connect.Check(err)
	fmt.Println("watching")
	for end := map[string]string{}; ; {
		event, err := watch.Next(ctx)
		connect.Check(err)
		name, isServer := strings.CutPrefix(event.Path, root+"/")
		switch {
		case !isServer: // the node that all are under
		case event.Kind == v1.EventKind_EVENT_KIND_CREATED:
			end[name] = "has failed"
			fmt.Println(name, "lives")
		case event.Kind == v1.EventKind_EVENT_KIND_DATA_CHANGED:
			end[name] = "has left"
		case event.Kind == v1.EventKind_EVENT_KIND_DELETED:
			fmt.Println(name, end[name])
		}
	}
}

func main() {
	session := connect.ToEnsemble()
	defer session.Close()
	if os.Args[1] == "live" {
		live(context.Background(), session, root+"/"+os.Args[2])
	} else {
		tell(context.Background(), session)
	}
}
