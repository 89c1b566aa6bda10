// Package words lets go-zk ask what four-letter words tell, and understand it: its parsers take an
// answer to pieces, and are content with nothing but ZooKeeper's own lines.
package words

import (
	"strings"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"

	"pando.test/compat/target"
)

const (
	patience       = 10 * time.Second
	sessionTimeout = 20 * time.Second
)

// connect has a session on that server when it returns.
func connect(t *testing.T, address string) *zk.Conn {
	t.Helper()
	conn, events, err := zk.Connect([]string{address}, sessionTimeout, zk.WithLogInfo(false))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	deadline := time.After(patience)
	for {
		select {
		case event := <-events:
			if event.State == zk.StateHasSession {
				return conn
			}
		case <-deadline:
			t.Fatalf("no session on %s", address)
		}
	}
}

func TestSrvrTellsWhoLeads(t *testing.T) {
	servers := target.Addresses(t)
	connect(t, servers[0])
	stats, _ := zk.FLWSrvr(servers, patience)
	if len(stats) != len(servers) {
		t.Fatalf("%d servers answer", len(stats))
	}
	modes := map[zk.Mode]int{}
	for _, server := range stats {
		if server.Error != nil {
			t.Errorf("%s: %v", server.Server, server.Error)
			continue
		}
		modes[server.Mode]++
		if !strings.HasPrefix(server.Version, "3.9.5-") {
			t.Errorf("%s: version %q", server.Server, server.Version)
		}
		if server.NodeCount < 4 || server.Connections < 1 || server.BuildTime.IsZero() {
			t.Errorf("%s: %+v", server.Server, server)
		}
	}
	if modes[zk.ModeLeader] != 1 || modes[zk.ModeFollower] != 2 {
		t.Errorf("leaders, followers: %d, %d", modes[zk.ModeLeader], modes[zk.ModeFollower])
	}
	if own := stats[0]; own.Received < 2 || own.Sent < 1 || own.Connections < 2 {
		t.Errorf("the server of the session: %+v", own)
	}
}

func TestRuok(t *testing.T) {
	for i, ok := range zk.FLWRuok(target.Addresses(t), patience) {
		if !ok {
			t.Errorf("server %d is not ok", i+1)
		}
	}
}

// What FLWCons says of its own success is left out: it takes the line of the connection that asks,
// which has no session, for an error, on ZooKeeper, too.
func TestConsTellsWhatASessionHasDone(t *testing.T) {
	server := target.Addresses(t)[0]
	conn := connect(t, server)
	path, err := conn.Create("/words-", []byte("x"), zk.FlagEphemeralSequential,
		zk.WorldACL(zk.PermAll))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := conn.Get(path); err != nil {
		t.Fatal(err)
	}
	all, _ := zk.FLWCons([]string{server}, patience)
	if all[0].Error != nil {
		t.Fatal(all[0].Error)
	}
	for _, client := range all[0].Clients {
		if client.SessionID != conn.SessionID() {
			continue
		}
		if client.LastOperation != "GETD" || client.Lcxid < 2 || client.Lzxid < 1 {
			t.Errorf("what it did last: %+v", client)
		}
		if client.Received < 3 || client.Sent < 3 {
			t.Errorf("what went over it: %+v", client)
		}
		if client.Timeout != int32(sessionTimeout.Milliseconds()) ||
			client.MaxLatency < client.MinLatency || client.Established.IsZero() {
			t.Errorf("its times: %+v", client)
		}
		return
	}
	t.Errorf("session %#x is not among %d clients", conn.SessionID(), len(all[0].Clients))
}
