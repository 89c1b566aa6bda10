// Watching data: every change of a subtree, also over the end of this program.
//
//	watching PATH BOOKMARK: goes on after the revision in the file BOOKMARK, where it left off
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"

	pando "pando.test/client"
	v1 "pando.test/client/gen/pando/v1"
	"pando.test/examples/internal/connect"
)

func watch(ctx context.Context, session *pando.Session, path, bookmark string) error {
	request := &v1.WatchRequest{Targets: []*v1.WatchTarget{pando.WatchSubtree(path)}}
	if last, err := os.ReadFile(bookmark); err == nil {
		revision, _ := strconv.ParseInt(string(last), 10, 64)
		request.StartRevision = revision + 1
	}
	watch, err := session.Watch(ctx, request)
	if errors.Is(err, pando.Compacted) {
		// Too long ago: what is kept begins later. Read the state, and go on from there.
		request.StartRevision, request.SendInitial = 0, true
		if watch, err = session.Watch(ctx, request); err == nil {
			fmt.Println(len(watch.Initial), "nodes now")
		}
	}
	if err != nil {
		return err
	}
	fmt.Println("watching")
	for revision := watch.StartRevision - 1; err == nil; {
		err = os.WriteFile(bookmark, strconv.AppendInt(nil, revision, 10), 0o644)
		event, ended := watch.Next(ctx)
		if ended != nil {
			return ended
		}
		kind := strings.TrimPrefix(event.Kind.String(), "EVENT_KIND_")
		fmt.Println(kind, event.Path, string(event.Data))
		revision = event.Revision
	}
	return err
}

func main() {
	session := connect.ToEnsemble()
	defer session.Close()
	log.Print(watch(context.Background(), session, os.Args[1], os.Args[2]))
}
