package reconnect

import (
	"fmt"
	"testing"

	"pando.test/compat/program"
	"pando.test/compat/target"
	"pando.test/compat/wire"
)

const races = 150

// TestAChangeWhileTheClientComesBack: the write and setWatches are under way at the same time, on
// different servers, so it is not known which is first. The event is one all the same.
func TestAChangeWhileTheClientComesBack(t *testing.T) {
	servers := target.Addresses(t)
	for n := range races {
		path := freshPath()
		writer := open(t, servers[n%len(servers)])
		writer.must(program.Op{Kind: "create", Path: path, ACL: wire.OpenACL})
		watcher := open(t, servers[(n+1)%len(servers)])
		watcher.settle()
		watcher.must(program.Op{Kind: "get", Path: path, Watch: true})
		watcher.drop()

		written := make(chan wire.Frame, 1)
		go func() {
			set := program.Op{Kind: "set", Path: path, Version: -1}
			frame, err := writer.conn.Call(set.Code(), set.Encode(asIs, 0), answerTimeout, nil)
			if err != nil {
				frame.Err = -1
			}
			written <- frame
		}()
		watcher.attach(servers[(n+2)%len(servers)])
		// What it has seen is what it saw of the node, not what attaching may have told.
		watcher.must(program.Op{Kind: "setWatches", DataWatches: []string{path}})
		if frame := <-written; frame.Err != 0 {
			t.Fatalf("set: %v", frame.Err)
		}
		watcher.settle()
		want := []wire.Event{{Type: wire.NodeDataChanged, State: 3, Path: path}}
		if fmt.Sprint(watcher.events) != fmt.Sprint(want) {
			t.Fatalf("race %d: events %v, not %v", n, watcher.events, want)
		}
	}
}

// TestManyBatches: a client with many watches sends them in several requests, all with the zxid
// that it had when the connection was lost. Each watch has its event all the same, once.
func TestManyBatches(t *testing.T) {
	const nodes, perBatch = 600, 100
	servers := target.Addresses(t)
	writer := open(t, servers[0])
	root := freshPath()
	writer.must(program.Op{Kind: "create", Path: root, ACL: wire.OpenACL})
	watched := make([]string, nodes)
	for i := range watched {
		watched[i] = fmt.Sprintf("%s/%04d", root, i)
		writer.must(program.Op{Kind: "create", Path: watched[i], ACL: wire.OpenACL})
	}
	watcher := open(t, servers[0])
	watcher.settle()
	for _, path := range watched {
		watcher.must(program.Op{Kind: "get", Path: path, Watch: true})
	}
	watcher.drop()
	seen := watcher.zxid
	// Every other one changes while the client is away, the rest when it is back.
	for i := 0; i < nodes; i += 2 {
		writer.must(program.Op{Kind: "set", Path: watched[i], Version: -1})
	}
	watcher.attach(servers[len(servers)-1])
	for from := 0; from < nodes; from += perBatch {
		watcher.zxid = seen
		watcher.must(program.Op{Kind: "setWatches", DataWatches: watched[from : from+perBatch]})
	}
	for i := 1; i < nodes; i += 2 {
		writer.must(program.Op{Kind: "set", Path: watched[i], Version: -1})
	}
	watcher.settle()
	count := map[string]int{}
	for _, event := range watcher.events {
		count[event.Path]++
	}
	for _, path := range watched {
		if count[path] != 1 {
			t.Errorf("%s: %d events", path, count[path])
		}
	}
}

// TestPersistentWatchesAreArmedOnly: what they have missed is not told again, what follows is.
func TestPersistentWatchesAreArmedOnly(t *testing.T) {
	servers := target.Addresses(t)
	writer := open(t, servers[0])
	path := freshPath()
	writer.must(program.Op{Kind: "create", Path: path, ACL: wire.OpenACL})
	for _, to := range servers {
		watcher := open(t, servers[0])
		watcher.settle()
		watcher.drop()
		writer.must(program.Op{Kind: "set", Path: path, Version: -1})
		watcher.attach(to)
		watcher.must(program.Op{Kind: "setWatches2", Persistent: []string{path},
			Recursive: []string{"/"}})
		for range 3 {
			writer.must(program.Op{Kind: "set", Path: path, Version: -1})
		}
		watcher.settle()
		of := 0
		for _, event := range watcher.events {
			if event.Path == path {
				of++
			}
		}
		if of != 3 {
			t.Errorf("%s: %d events, not 3: %v", to, of, watcher.events)
		}
	}
}
