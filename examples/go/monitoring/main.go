// Monitoring servers: each reports its load, and a monitor has the newest of all.
//
//	monitoring report NAME: reports each line of its input | monitoring watch LIMIT
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"

	pando "pando.test/client"
	v1 "pando.test/client/gen/pando/v1"
	"pando.test/examples/internal/connect"
)

const root = "/monitoring"

func report(ctx context.Context, session *pando.Session, path string) {
	_, err := session.Create(ctx, &v1.CreateRequest{Path: path, Data: []byte("0"),
		Kind: v1.NodeKind_NODE_KIND_EPHEMERAL, CreateParents: true})
	for lines := bufio.NewScanner(os.Stdin); err == nil && lines.Scan(); {
		_, err = session.Set(ctx, &v1.SetRequest{Path: path, Data: lines.Bytes()})
	}
	connect.Check(err)
}

func tell(ctx context.Context, session *pando.Session, limit int) {
	watch, err := session.Watch(ctx, &v1.WatchRequest{
		Targets: []*v1.WatchTarget{pando.WatchSubtree(root)}})
	connect.Check(err)
	fmt.Println("watching")
	for loads, sum := map[string]int{}, 0; ; {
		event, err := watch.Next(ctx)
		connect.Check(err)
		name, isServer := strings.CutPrefix(event.Path, root+"/")
		load, _ := strconv.Atoi(string(event.Data)) // of one that is gone: 0
		sum, loads[name] = sum+load-loads[name], load
		if event.Kind == v1.EventKind_EVENT_KIND_DELETED {
			fmt.Println(name, "reports no more")
		} else if isServer {
			alarm := map[bool]string{true: " ALARM"}[load > limit]
			fmt.Printf("%s %d, all %d%s\n", name, load, sum, alarm)
		}
	}
}

func main() {
	session := connect.ToEnsemble()
	defer session.Close()
	if limit, err := strconv.Atoi(os.Args[2]); os.Args[1] == "watch" && err == nil {
		tell(context.Background(), session, limit)
	} else {
		report(context.Background(), session, root+"/"+os.Args[2])
	}
}
