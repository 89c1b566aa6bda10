// Servers joining and leaving: each is in the list for as long as it lives.
//
//	membership NAME ADDRESS: joins, says who comes and goes, and leaves when its input ends
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	pando "pando.test/client"
	pandov1 "pando.test/client/gen/pando/v1"
	"pando.test/examples/internal/connect"
)

const root = "/members"

func say(ctx context.Context, session *pando.Session) {
	watch, err := session.Watch(ctx, &pandov1.WatchRequest{SendInitial: true,
		Targets: []*pandov1.WatchTarget{pando.WatchSubtree(root)}})
	if err != nil {
		log.Fatal(err)
	}
	for _, member := range watch.Initial[1:] {
		fmt.Printf("%s at %s\n", strings.TrimPrefix(member.Path, root+"/"), member.Data)
	}
	for event, err := watch.Next(ctx); err == nil; event, err = watch.Next(ctx) {
		name := strings.TrimPrefix(event.Path, root+"/")
		if event.Kind == pandov1.EventKind_EVENT_KIND_DELETED {
			fmt.Println(name, "left")
		} else {
			fmt.Printf("%s at %s\n", name, event.Data)
		}
	}
}

func main() {
	ctx := context.Background()
	session := connect.ToEnsemble()
	defer session.Close()
	// Ephemeral: it goes with the session, so also when this process is killed.
	if _, err := session.Create(ctx, &pandov1.CreateRequest{
		Path: root + "/" + os.Args[1], Data: []byte(os.Args[2]), CreateParents: true,
		Kind: pandov1.NodeKind_NODE_KIND_EPHEMERAL}); err != nil {
		log.Print(err)
		return
	}
	go say(ctx, session)
	_, _ = io.Copy(io.Discard, os.Stdin)
}
