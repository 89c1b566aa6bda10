// Sharing information between servers: what one puts, all others get.
//
//	sharing put KEY VALUE | sharing get KEY
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	pando "pando.test/client"
	pandov1 "pando.test/client/gen/pando/v1"
	"pando.test/examples/internal/connect"
)

const root = "/sharing"

func put(ctx context.Context, session *pando.Session, key, value string) error {
	created, err := session.Create(ctx, &pandov1.CreateRequest{
		Path: root + "/" + key, Data: []byte(value), CreateParents: true, IfNotExists: true})
	if err == nil && created.Existed {
		_, err = session.Set(ctx, &pandov1.SetRequest{
			Path: root + "/" + key, Data: []byte(value)})
	}
	return err
}

func main() {
	ctx := context.Background()
	session := connect.ToEnsemble()
	defer session.Close()
	var err error
	if os.Args[1] == "put" {
		err = put(ctx, session, os.Args[2], os.Args[3])
	} else {
		// Linearizable: what any server was told before, wherever this one is connected.
		var node *pandov1.GetResponse
		node, err = session.Get(ctx, &pandov1.GetRequest{
			Path: root + "/" + os.Args[2], Header: pando.Linearizable()})
		fmt.Println(string(node.GetData()))
	}
	if err != nil {
		log.Print(err)
	}
}
