// System management: a configuration that services follow.
//
//	configuration set KEY=VALUE… (all at once, or none)
//	configuration follow: as it stands, then every change after that, and nothing is between the two
package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	pando "pando.test/client"
	v1 "pando.test/client/gen/pando/v1"
	"pando.test/examples/internal/connect"
)

const root = "/configuration"

func change(ctx context.Context, session *pando.Session, settings []string) {
	var all v1.TransactRequest
	for _, setting := range settings {
		key, value, _ := strings.Cut(setting, "=")
		path := root + "/" + key
		node := &v1.CreateRequest{Path: path, CreateParents: true, IfNotExists: true}
		_, err := session.Create(ctx, node)
		connect.Check(err)
		set := &v1.SetRequest{Path: path, Data: []byte(value)}
		all.ThenOperations = append(all.ThenOperations,
			&v1.TransactOperation{Operation: &v1.TransactOperation_Set{Set: set}})
	}
	_, err := session.Transact(ctx, &all)
	connect.Check(err)
}

func follow(ctx context.Context, session *pando.Session) {
	targets := []*v1.WatchTarget{pando.WatchSubtree(root)}
	watch, err := session.Watch(ctx, &v1.WatchRequest{Targets: targets, SendInitial: true})
	connect.Check(err)
	for _, node := range watch.Initial[1:] {
		fmt.Printf("%s = %s\n", strings.TrimPrefix(node.Path, root+"/"), node.Data)
	}
	for {
		event, err := watch.Next(ctx)
		connect.Check(err)
		if event.Kind == v1.EventKind_EVENT_KIND_DATA_CHANGED {
			fmt.Printf("%s = %s\n", strings.TrimPrefix(event.Path, root+"/"), event.Data)
		}
	}
}

func main() {
	session := connect.ToEnsemble()
	defer session.Close()
	if os.Args[1] == "follow" {
		follow(context.Background(), session)
	}
	change(context.Background(), session, os.Args[2:])
}
