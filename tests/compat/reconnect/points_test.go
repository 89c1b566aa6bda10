package reconnect

import (
	"fmt"
	"testing"

	"pando.test/compat/program"
	"pando.test/compat/target"
	"pando.test/compat/wire"
)

// The life of a node, change by change. Before the first it is missing.
var life = []program.Op{
	{Kind: "create", ACL: wire.OpenACL},
	{Kind: "set", Version: -1},
	{Kind: "create", Path: "/child", ACL: wire.OpenACL},
	{Kind: "set", Version: -1},
	{Kind: "set", Path: "/child", Version: -1}, // which changes nothing of its parent
	{Kind: "delete", Path: "/child", Version: -1},
	{Kind: "delete", Version: -1},
	{Kind: "create", ACL: wire.OpenACL},
	{Kind: "create", Path: "/child", ACL: wire.OpenACL},
	{Kind: "set", Version: -1},
}

// effect is what change i tells a watch of each kind: 0 for nothing.
type effect struct{ data, child int32 }

func effectOf(op program.Op) effect {
	switch {
	case op.Kind == "create" && op.Path == "":
		return effect{data: wire.NodeCreated}
	case op.Kind == "delete" && op.Path == "":
		return effect{data: wire.NodeDeleted, child: wire.NodeDeleted}
	case op.Kind == "set" && op.Path == "":
		return effect{data: wire.NodeDataChanged}
	case op.Kind == "set":
		return effect{}
	}
	return effect{child: wire.NodeChildrenChanged}
}

func existsAfter(changes int) bool {
	there := false
	for _, op := range life[:changes] {
		if op.Path == "" {
			there = op.Kind != "delete"
		}
	}
	return there
}

// kind of watch: how it is set, and in which list of setWatches it goes.
type kind struct {
	name    string
	ask     string
	missing bool // it is set on a node that is not there
	list    func(op *program.Op, path string)
	sees    func(effect) int32
}

var kinds = []kind{
	{"data", "get", false,
		func(op *program.Op, path string) { op.DataWatches = []string{path} },
		func(e effect) int32 { return e.data }},
	{"exist", "exists", true, func(op *program.Op, path string) { op.Exist = []string{path} },
		func(e effect) int32 { return e.data }},
	{"child", "children", false, func(op *program.Op, path string) { op.Child = []string{path} },
		func(e effect) int32 { return e.child }},
}

// expected is the one event for a watch that was set after `seen` changes by a client that came
// back after `back` of them: what the state then tells, or else the first change that follows.
// 0 when nothing of it has changed by the end.
func (k kind) expected(seen, back int) int32 {
	switch there := existsAfter(back); {
	case k.missing && there:
		return wire.NodeCreated
	case !k.missing && !there:
		return wire.NodeDeleted
	case !k.missing && k.changedBetween(seen, back):
		if k.name == "child" {
			return wire.NodeChildrenChanged
		}
		return wire.NodeDataChanged
	}
	for _, op := range life[back:] {
		if event := k.sees(effectOf(op)); event != 0 {
			return event
		}
	}
	return 0
}

// changedBetween: a node that went and came back counts as changed, too.
func (k kind) changedBetween(seen, back int) bool {
	for _, op := range life[seen:back] {
		if k.sees(effectOf(op)) != 0 {
			return true
		}
	}
	return false
}

// TestEveryPoint cuts the connection after every change, and brings the client back after every
// later one, on every server.
func TestEveryPoint(t *testing.T) {
	servers := target.Addresses(t)
	for n, server := range servers {
		writer := open(t, servers[(n+1)%len(servers)])
		for _, k := range kinds {
			for seen := 0; seen <= len(life); seen++ {
				for back := seen; back <= len(life); back++ {
					if existsAfter(seen) == k.missing {
						continue
					}
					name := fmt.Sprintf("server %d/%s/seen %d/back %d", n+1, k.name, seen, back)
					t.Run(name, func(t *testing.T) { k.try(t, writer, servers[0], server, seen, back) })
				}
			}
		}
	}
}

func (k kind) try(t *testing.T, writer *client, from, to string, seen, back int) {
	path := freshPath()
	live := func(changes []program.Op) {
		for _, op := range changes {
			op.Path = path + op.Path
			writer.must(op)
		}
	}
	live(life[:seen])
	watcher := open(t, from)
	watcher.settle()
	watcher.call(program.Op{Kind: k.ask, Path: path, Watch: true})
	watcher.drop()

	live(life[seen:back])
	watcher.attach(to)
	again := program.Op{Kind: "setWatches"}
	k.list(&again, path)
	watcher.must(again)
	live(life[back:])
	watcher.settle()

	want := []wire.Event{}
	if event := k.expected(seen, back); event != 0 {
		want = append(want, wire.Event{Type: event, State: 3, Path: path})
	}
	if fmt.Sprint(watcher.events) != fmt.Sprint(want) {
		t.Errorf("events %v, not %v", watcher.events, want)
	}
}
