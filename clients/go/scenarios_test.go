// The scenarios that every language's client passes: clients/conformance/scenarios.json.
package pando_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"

	pando "pando.test/client"
	pandov1 "pando.test/client/gen/pando/v1"
)

const ephemeral = pandov1.NodeKind_NODE_KIND_EPHEMERAL

func failed(t *testing.T, err error, reason pando.Reason) *pando.Error {
	t.Helper()
	var failure *pando.Error
	if !errors.As(err, &failure) || !errors.Is(err, reason) {
		t.Fatalf("%v, and not %s", err, reason)
	}
	return failure
}

func (w *world) exists(session *pando.Session, path string) bool {
	w.Helper()
	_, err := session.Get(w.Context(),
		&pandov1.GetRequest{Path: path, WithoutData: true, Header: pando.Linearizable()})
	if err != nil {
		failed(w.T, err, pando.NoNode)
	}
	return err == nil
}

func (w *world) create(session *pando.Session, name string, kind pandov1.NodeKind) string {
	w.Helper()
	request := &pandov1.CreateRequest{Path: w.root + "/" + name, Kind: kind}
	return must(session.Create(w.Context(), request))(w.T).Path
}

func (w *world) names(session *pando.Session) []string {
	w.Helper()
	var names []string
	request := &pandov1.ListRequest{Path: w.root, Header: pando.Linearizable()}
	for entry, err := range session.Children(w.Context(), request) {
		names = append(names, must(entry, err)(w.T).Name)
	}
	return names
}

func TestConnect(t *testing.T) {
	w := newWorld(t)
	session, other := w.connect(pando.Options{}), w.connect(pando.Options{})
	until(t, session.Events(), pando.Connected, 0)
	node := w.create(session, "mine", ephemeral)
	got := must(other.Get(t.Context(), &pandov1.GetRequest{Path: node,
		Header: pando.Linearizable()}))(t)
	if got.Stat.EphemeralOwner != session.ID() || got.Header.ServerId == 0 {
		t.Fatal(got)
	}
	session.Close()
	if w.exists(other, node) {
		t.Fatal("it outlived its session")
	}
	_, err := session.Get(t.Context(), &pandov1.GetRequest{Path: "/"})
	failed(t, err, pando.Closed)
}

func TestTypedErrors(t *testing.T) {
	w := newWorld(t)
	session := w.connect(pando.Options{})
	_, err := session.Get(t.Context(), &pandov1.GetRequest{Path: w.root + "/nothing"})
	if failed(t, err, pando.NoNode).Path() != w.root+"/nothing" {
		t.Fatal(err)
	}
	_, err = session.Create(t.Context(), &pandov1.CreateRequest{Path: w.root})
	failed(t, err, pando.NodeExists)
	version := int64(7)
	_, err = session.Set(t.Context(),
		&pandov1.SetRequest{Path: w.root, ExpectedVersion: &version})
	if failed(t, err, pando.BadVersion).Metadata["actual_version"] != "0" {
		t.Fatal(err)
	}
	_, err = session.Create(t.Context(), &pandov1.CreateRequest{Path: "no-slash"})
	failed(t, err, pando.InvalidPath)
	_, err = session.Watch(t.Context(), &pandov1.WatchRequest{
		Targets: []*pandov1.WatchTarget{pando.WatchNode("no-slash")}})
	failed(t, err, pando.InvalidPath)
}

func TestNoEndpointUp(t *testing.T) {
	w := newWorld(t)
	nobody := []string{w.ask("nobody").Endpoint, w.ask("nobody").Endpoint}
	busy := cpuTime(t)
	takes(t, 2*time.Second, 2500*time.Millisecond, func() {
		_, err := pando.Connect(t.Context(),
			pando.Options{Endpoints: nobody, ConnectTimeout: 2 * time.Second})
		failed(t, err, pando.NoServer)
		for _, endpoint := range nobody {
			if !strings.Contains(err.Error(), endpoint) {
				t.Errorf("%v does not name %s", err, endpoint)
			}
		}
	})
	if spent := cpuTime(t) - busy; spent > 500*time.Millisecond {
		t.Errorf("it spins: %v of processor time", spent)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	takes(t, 0, 500*time.Millisecond, func() {
		_, err := pando.Connect(ctx, pando.Options{Endpoints: nobody})
		failed(t, err, pando.Closed)
	})
}

// cpuTime is what this process has used.
func cpuTime(t *testing.T) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// footprint is how many sockets and goroutines this process has.
func footprint(t *testing.T) (sockets, goroutines int) {
	for _, descriptor := range must(os.ReadDir("/proc/self/fd"))(t) {
		// That of this listing is gone.
		target, _ := os.Readlink("/proc/self/fd/" + descriptor.Name())
		if strings.HasPrefix(target, "socket:") {
			sockets++
		}
	}
	return sockets, runtime.NumGoroutine()
}

func TestLeavesNothing(t *testing.T) {
	w := newWorld(t)
	nobody, silent := w.ask("nobody").Endpoint, w.ask("silent").Endpoint
	sockets, goroutines := footprint(t)
	for range 10 {
		session := must(pando.Connect(t.Context(),
			pando.Options{Endpoints: []string{nobody, w.endpoints[0]}}))(t)
		must(session.Watch(t.Context(), &pandov1.WatchRequest{
			Targets: []*pandov1.WatchTarget{pando.WatchNode(w.root)}}))(t)
		session.Close()
	}
	_, err := pando.Connect(t.Context(),
		pando.Options{Endpoints: []string{silent}, ConnectTimeout: 300 * time.Millisecond})
	failed(t, err, pando.NoServer)
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		socketsNow, goroutinesNow := footprint(t)
		if socketsNow <= sockets && goroutinesNow <= goroutines {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d sockets and %d goroutines have become %d and %d",
				sockets, goroutines, socketsNow, goroutinesNow)
		}
	}
}

func TestWrongEndpoint(t *testing.T) {
	w := newWorld(t)
	takes(t, time.Second, 1500*time.Millisecond, func() {
		_, err := pando.Connect(t.Context(), pando.Options{
			Endpoints: []string{w.ask("http").Endpoint}, ConnectTimeout: time.Second})
		failed(t, err, pando.NoServer)
	})
	if _, err := pando.Connect(t.Context(), pando.Options{Endpoints: []string{""}}); err == nil {
		t.Fatal("an empty endpoint was taken")
	}
}

func TestOneOfThreeWrong(t *testing.T) {
	w := newWorld(t)
	for _, kind := range []string{"nobody", "http"} {
		wrong := w.ask("%s", kind).Endpoint
		takes(t, 0, 1500*time.Millisecond, func() {
			session := w.connect(pando.Options{Endpoints: append([]string{wrong}, w.rest(1)...)})
			w.exists(session, "/")
		})
	}
}

func TestSilentServer(t *testing.T) {
	w := newWorld(t)
	silent := w.ask("silent").Endpoint
	takes(t, 500*time.Millisecond, 1500*time.Millisecond, func() {
		w.connect(pando.Options{Endpoints: []string{silent, w.endpoints[0]},
			AttemptTimeout: 500 * time.Millisecond})
	})
	takes(t, 2*time.Second, 2500*time.Millisecond, func() {
		_, err := pando.Connect(t.Context(), pando.Options{Endpoints: []string{silent},
			AttemptTimeout: 500 * time.Millisecond, ConnectTimeout: 2 * time.Second})
		if failed(t, err, pando.NoServer); !strings.Contains(err.Error(), "did not answer") {
			t.Fatal(err)
		}
	})
	// It is named also before it was silent for too long.
	_, err := pando.Connect(t.Context(), pando.Options{Endpoints: []string{silent},
		ConnectTimeout: 300 * time.Millisecond})
	if failed(t, err, pando.NoServer); !strings.Contains(err.Error(), silent) {
		t.Fatal(err)
	}
}

func TestAnotherCluster(t *testing.T) {
	w := newWorld(t)
	stranger, front := w.ask("stranger").Endpoint, w.front(1)
	session := w.connect(pando.Options{Endpoints: []string{front, stranger, w.endpoints[1]}})
	events := session.Events()
	w.ask("cut %s", front)
	until(t, events, pando.Reconnected, 5*time.Second)
	if !w.exists(session, w.root) {
		t.Fatal("it went on in another ensemble")
	}
	mine := must(session.Get(t.Context(), &pandov1.GetRequest{Path: "/"}))(t).Header.ClusterId
	_, err := pando.Connect(t.Context(), pando.Options{Endpoints: []string{stranger},
		ClusterID: mine, ConnectTimeout: time.Second})
	if !strings.Contains(err.Error(), "WRONG_CLUSTER") {
		t.Fatal(err)
	}
}

func TestFailover(t *testing.T) {
	w := newWorld(t)
	follower := w.follower()
	session := w.connect(pando.Options{Endpoints: w.first(follower)})
	node := w.create(session, "mine", ephemeral)
	events := session.Events()
	stamps := map[pando.Event]time.Time{}
	stamped := make(chan struct{})
	go func() {
		defer close(stamped)
		for {
			event, err := events.Next(context.Background())
			if err != nil {
				return
			}
			stamps[event] = time.Now()
		}
	}()
	w.kill(follower)
	set := must(session.Set(within(t, 5*time.Second), &pandov1.SetRequest{Path: node}))(t)
	if set.Stat.Version != 1 || set.Stat.EphemeralOwner != session.ID() {
		t.Fatal(set)
	}
	session.Close()
	<-stamped
	back := stamps[pando.Reconnected].Sub(stamps[pando.Suspended])
	t.Logf("back after %d ms", back.Milliseconds())
	if back < 0 || back > 200*time.Millisecond {
		t.Fatal("too late")
	}
}

func TestFailoverInTheMiddleOfAWrite(t *testing.T) {
	w := newWorld(t)
	for _, server := range []int{w.follower(), w.leader()} {
		w.heal()
		front := w.front(server)
		session := w.connect(pando.Options{Endpoints: append([]string{front}, w.rest(server)...)})
		other := w.connect(pando.Options{Endpoints: w.rest(server)})
		node := w.create(session, strconv.Itoa(server), 0)
		w.ask("mute %s", front)
		var writes sync.WaitGroup
		versions := make(chan int64, 20)
		for range 20 {
			writes.Go(func() {
				set, err := session.Set(t.Context(), &pandov1.SetRequest{Path: node})
				if err != nil {
					t.Error(err)
				}
				versions <- set.GetStat().GetVersion()
			})
		}
		get := &pandov1.GetRequest{Path: node, Header: pando.Linearizable()}
		for must(other.Get(t.Context(), get))(t).Stat.Version == 0 {
			continue // until the server has the first of them
		}
		w.kill(server)
		writes.Wait()
		close(versions)
		seen := map[int64]bool{}
		for version := range versions {
			seen[version] = true
		}
		last := must(session.Get(t.Context(), get))(t).Stat.Version
		if len(seen) != 20 || last != 20 {
			t.Fatalf("20 writes had %d answers and made version %d", len(seen), last)
		}
	}
}

func TestExactlyOnceUnderDroppedReplies(t *testing.T) {
	w := newWorld(t)
	front := w.front(1)
	session := w.connect(pando.Options{Endpoints: []string{front}})
	other := w.connect(pando.Options{})
	for count := 1; count <= 10; count++ {
		w.ask("mute %s", front)
		created := make(chan string, 1)
		go func() {
			response, err := session.Create(t.Context(), &pandov1.CreateRequest{
				Path: w.root + "/n-", Sequential: true})
			if err != nil {
				t.Error(err)
			}
			created <- response.GetPath()
		}()
		names := w.names(other)
		for len(names) < count {
			names = w.names(other) // until it is applied; its reply is lost
		}
		if len(created) != 0 {
			t.Fatal("the reply was not lost")
		}
		w.ask("cut %s", front)
		if path := <-created; path != w.root+"/"+names[count-1] {
			t.Fatalf("%s, and not the last of %v", path, names)
		}
		if len(w.names(other)) != count {
			t.Fatal("it was applied twice")
		}
	}
}

func TestMaybeApplied(t *testing.T) {
	w := newWorld(t)
	front := w.front(1)
	session := w.connect(pando.Options{Endpoints: []string{front}})
	w.ask("mute %s", front)
	takes(t, 500*time.Millisecond, time.Second, func() {
		_, err := session.Create(within(t, 500*time.Millisecond),
			&pandov1.CreateRequest{Path: w.root + "/sent"})
		if !failed(t, err, pando.Timeout).MaybeApplied() {
			t.Fatal(err)
		}
	})
	_, err := session.Get(within(t, 200*time.Millisecond), &pandov1.GetRequest{Path: w.root})
	if failed(t, err, pando.Timeout).MaybeApplied() {
		t.Fatal(err)
	}
	events := session.Events()
	w.ask("cut %s", front)
	until(t, events, pando.Reconnected, 5*time.Second)
	if !w.exists(session, w.root+"/sent") {
		t.Fatal("it was not applied")
	}
}

func TestWatchOverALeaderChange(t *testing.T) {
	w := newWorld(t)
	leader := w.leader()
	options := pando.Options{Endpoints: w.first(leader)}
	watcher, writer := w.connect(options), w.connect(options)
	watch := must(watcher.Watch(t.Context(), &pandov1.WatchRequest{
		Targets: []*pandov1.WatchTarget{pando.WatchSubtree(w.root)}}))(t)
	for i := range 100 {
		if i == 50 {
			w.kill(leader)
		}
		w.create(writer, fmt.Sprintf("%03d", i), 0)
	}
	revision := int64(0)
	for i := range 100 {
		event := must(watch.Next(within(t, 10*time.Second)))(t)
		if want := fmt.Sprintf("%s/%03d", w.root, i); event.Path != want ||
			event.Revision <= revision {
			t.Fatalf("%v, and not %s after revision %d", event, want, revision)
		}
		revision = event.Revision
	}
	if event, err := watch.Next(within(t, 100*time.Millisecond)); err == nil {
		t.Fatalf("one more: %v", event)
	}
}

func TestWatchFromARevision(t *testing.T) {
	w := newWorld(t)
	session := w.connect(pando.Options{})
	set := func(data string) int64 {
		t.Helper()
		response := must(session.Set(t.Context(),
			&pandov1.SetRequest{Path: w.root, Data: []byte(data)}))(t)
		return response.Header.Revision
	}
	set("0")
	second := set("1")
	set("2")
	targets := []*pandov1.WatchTarget{pando.WatchNode(w.root)}
	past := must(session.Watch(t.Context(),
		&pandov1.WatchRequest{Targets: targets, StartRevision: second}))(t)
	state := must(session.Watch(t.Context(),
		&pandov1.WatchRequest{Targets: targets, SendInitial: true}))(t)
	if len(state.Initial) != 1 || string(state.Initial[0].Data) != "2" {
		t.Fatal(state.Initial)
	}
	set("3")
	expect := func(watch *pando.Watch, expected ...string) {
		t.Helper()
		for _, data := range expected {
			if event := must(watch.Next(within(t, 5*time.Second)))(t); string(event.Data) != data {
				t.Fatalf("%v, and not %s", event, data)
			}
		}
	}
	expect(past, "1", "2", "3")
	expect(state, "3")
}

func TestEventBeforeData(t *testing.T) {
	w := newWorld(t)
	writer, reader := w.connect(pando.Options{}), w.connect(pando.Options{})
	busy := w.create(writer, "busy", 0)
	var watches []*pando.Watch
	for _, target := range []*pandov1.WatchTarget{
		pando.WatchNode(w.root), pando.WatchNode(busy), pando.WatchChildren(w.root),
	} {
		watches = append(watches, must(reader.Watch(t.Context(),
			&pandov1.WatchRequest{Targets: []*pandov1.WatchTarget{target}}))(t))
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				_, _ = writer.Set(t.Context(), &pandov1.SetRequest{Path: busy})
			}
		}
	}()
	told := int64(0)
	for range 1000 {
		got := must(reader.Get(t.Context(), &pandov1.GetRequest{Path: busy}))(t)
		for watches[1].Len() > 0 {
			told = must(watches[1].Next(t.Context()))(t).Stat.Version
		}
		if told < got.Stat.Version {
			t.Errorf("version %d came before its event; the last one was %d",
				got.Stat.Version, told)
			break
		}
	}
	close(stop)
	<-stopped
	if told == 0 || watches[0].Len() != 0 || watches[2].Len() != 0 {
		t.Fatal(told, watches[0].Len(), watches[2].Len())
	}
}

// A watch that nobody reads costs no more than its bound, and holds nothing back.
func TestWatchIsHeldByNoReader(t *testing.T) {
	w := newWorld(t)
	session := w.connect(pando.Options{OperationTimeout: time.Minute})
	watch := must(session.Watch(t.Context(), &pandov1.WatchRequest{
		Targets: []*pandov1.WatchTarget{pando.WatchNode(w.root)}}))(t)
	const count = 25_000
	var writers sync.WaitGroup
	for range 100 {
		writers.Go(func() {
			for range count / 100 {
				if _, err := session.Set(t.Context(), &pandov1.SetRequest{Path: w.root}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	if watch.Len() > 12_000 {
		t.Fatalf("%d events wait", watch.Len())
	}
	for version := range int64(count) {
		event := must(watch.Next(within(t, 10*time.Second)))(t)
		if event.Stat.Version != version+1 {
			t.Fatalf("version %d after %d", event.Stat.Version, version)
		}
	}
}

// Who is cut off knows before anybody else can have what it held.
func TestSessionLost(t *testing.T) {
	w := newWorld(t)
	front := w.front(1)
	session := w.connect(pando.Options{Endpoints: []string{front}, SessionTimeout: 2 * time.Second})
	other := w.connect(pando.Options{})
	node := w.create(session, "held", ephemeral)
	events := session.Events()
	targets := []*pandov1.WatchTarget{pando.WatchNode(node)}
	gone := must(other.Watch(t.Context(), &pandov1.WatchRequest{Targets: targets}))(t)
	watch := must(session.Watch(t.Context(), &pandov1.WatchRequest{Targets: targets}))(t)
	w.ask("silence %s", front)
	until(t, events, pando.Lost, 2500*time.Millisecond)
	if !w.exists(other, node) {
		t.Fatal("it was told too late")
	}
	if _, err := events.Next(t.Context()); !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	takes(t, 0, 100*time.Millisecond, func() {
		_, err := session.Get(t.Context(), &pandov1.GetRequest{Path: w.root})
		failed(t, err, pando.SessionExpired)
	})
	_, err := watch.Next(t.Context())
	failed(t, err, pando.SessionExpired)
	event := must(gone.Next(within(t, 10*time.Second)))(t)
	if event.Kind != pandov1.EventKind_EVENT_KIND_DELETED {
		t.Fatal(event)
	}
}

// The servers say that it is over.
func TestSessionExpired(t *testing.T) {
	w := newWorld(t)
	session := w.connect(pando.Options{SessionTimeout: 2 * time.Second})
	events := session.Events()
	if err := session.Call(t.Context(), func(ctx context.Context, on grpc.ClientConnInterface,
		header *pandov1.RequestHeader) error {
		_, err := pandov1.NewSessionServiceClient(on).Close(ctx,
			&pandov1.CloseRequest{Header: header})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	until(t, events, pando.Lost, 2*time.Second)
	_, err := session.Get(t.Context(), &pandov1.GetRequest{Path: "/"})
	failed(t, err, pando.SessionExpired)
}

func TestServerFallsSilent(t *testing.T) {
	w := newWorld(t)
	front := w.front(1)
	session := w.connect(pando.Options{
		Endpoints: []string{front, w.endpoints[1]}, SessionTimeout: 3 * time.Second})
	events := session.Events()
	w.ask("silence %s", front)
	takes(t, 0, 3*time.Second, func() {
		set := must(session.Set(within(t, 5*time.Second), &pandov1.SetRequest{Path: w.root}))(t)
		if set.Stat.Version != 1 {
			t.Fatal(set)
		}
	})
	until(t, events, pando.Reconnected, time.Second)
}

// Without a majority a write waits for its timeout, and the session goes on when it is back.
func TestNoLeader(t *testing.T) {
	w := newWorld(t)
	session := w.connect(pando.Options{
		Endpoints: w.first(1), SessionTimeout: 30 * time.Second})
	w.kill(2)
	w.kill(3)
	takes(t, 2*time.Second, 2500*time.Millisecond, func() {
		_, err := session.Set(within(t, 2*time.Second), &pandov1.SetRequest{Path: w.root})
		failed(t, err, pando.Timeout)
	})
	w.heal()
	must(session.Set(within(t, 10*time.Second),
		&pandov1.SetRequest{Path: w.root, Data: []byte("y")}))(t)
	got := must(session.Get(t.Context(), &pandov1.GetRequest{Path: w.root}))(t)
	if string(got.Data) != "y" {
		t.Fatal(got)
	}
}

func TestAclDenied(t *testing.T) {
	w := newWorld(t)
	ann := w.connect(pando.Options{Identities: []string{"digest:ann:secret"}})
	anybody := w.connect(pando.Options{})
	node := w.root + "/hers"
	everything := &pandov1.AclEntry{
		Identity: &pandov1.Identity{Scheme: "auth"}, Permissions: 0b11111}
	must(ann.Create(t.Context(), &pandov1.CreateRequest{
		Path: node, Acl: []*pandov1.AclEntry{everything}}))(t)
	request := &pandov1.WatchRequest{Targets: []*pandov1.WatchTarget{pando.WatchNode(node)}}
	hers := must(ann.Watch(t.Context(), request))(t)
	others := must(anybody.Watch(t.Context(), request))(t)
	_, err := anybody.Set(t.Context(), &pandov1.SetRequest{Path: node})
	if denied := failed(t, err, pando.PermissionDenied); denied.Path() != node ||
		denied.MaybeApplied() {
		t.Fatal(denied)
	}
	_, err = anybody.Get(t.Context(), &pandov1.GetRequest{Path: node})
	failed(t, err, pando.PermissionDenied)
	must(ann.Set(t.Context(), &pandov1.SetRequest{Path: node, Data: []byte("y")}))(t)
	if event := must(hers.Next(within(t, 5*time.Second)))(t); string(event.Data) != "y" {
		t.Fatal(event)
	}
	// What precedes this reply was told: nothing.
	must(anybody.Get(t.Context(), &pandov1.GetRequest{
		Path: w.root, Header: pando.Linearizable()}))(t)
	if others.Len() != 0 {
		t.Fatal("an event was shown to whom it is not for")
	}
	takes(t, 0, 2*time.Second, func() {
		_, err := pando.Connect(t.Context(), pando.Options{
			Endpoints: w.endpoints, Identities: []string{"nonsense"}})
		failed(t, err, pando.Unauthenticated)
	})
}
