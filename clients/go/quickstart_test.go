package pando_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	pando "pando.test/client"
	pandov1 "pando.test/client/gen/pando/v1"
)

// As README.md prints it; the test holds the two together.
func quickstart(ctx context.Context, endpoints []string) error {
	session, err := pando.Connect(ctx, pando.Options{Endpoints: endpoints})
	if err != nil {
		return err
	}
	defer session.Close()
	watch, err := session.Watch(ctx, &pandov1.WatchRequest{
		Targets: []*pandov1.WatchTarget{pando.WatchSubtree("/color")}})
	if err != nil {
		return err
	}
	_, err = session.Create(ctx, &pandov1.CreateRequest{Path: "/color", Data: []byte("green")})
	if errors.Is(err, pando.NodeExists) {
		_, err = session.Set(ctx, &pandov1.SetRequest{Path: "/color", Data: []byte("green")})
	}
	event, err := watch.Next(ctx)
	fmt.Println(event.GetPath(), string(event.GetData()), err)
	return err
}

func TestQuickstart(t *testing.T) {
	w := newWorld(t)
	readme := string(must(os.ReadFile("README.md"))(t))
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(readme, -1)
	own := string(must(os.ReadFile("quickstart_test.go"))(t))
	if len(blocks) != 1 || !strings.Contains(own, blocks[0][1]) {
		t.Fatal("this is not what README.md prints")
	}
	out := must(os.CreateTemp(t.TempDir(), "out"))(t)
	stdout := os.Stdout
	os.Stdout = out
	err := quickstart(t.Context(), w.endpoints)
	os.Stdout = stdout
	if printed := string(must(os.ReadFile(out.Name()))(t)); printed != "/color green <nil>\n" {
		t.Fatal(printed, err)
	}
}
