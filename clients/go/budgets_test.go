package pando_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	pando "pando.test/client"
	pandov1 "pando.test/client/gen/pando/v1"
)

const (
	callers = 1000
	// Each way takes turns, and its best counts: other work on the machine slows both.
	rounds = 4
	round  = time.Second
)

// rate is answers a second to `callers` goroutines.
func rate(t *testing.T,
	get func(context.Context, *pandov1.GetRequest) (*pandov1.GetResponse, error)) float64 {
	var count atomic.Int64
	var running sync.WaitGroup
	end := time.Now().Add(round)
	for range callers {
		running.Go(func() {
			for time.Now().Before(end) {
				if _, err := get(t.Context(), &pandov1.GetRequest{Path: "/"}); err != nil {
					t.Error(err)
					return
				}
				count.Add(1)
			}
		})
	}
	running.Wait()
	return float64(count.Load()) / round.Seconds()
}

// Of reads: how many writes a second there are is for the ensemble's disks to say.
func TestPipelineThroughput(t *testing.T) {
	w := newWorld(t)
	endpoint := w.endpoints[w.leader()-1]
	session := w.connect(pando.Options{Endpoints: []string{endpoint}})
	connection := must(grpc.NewClient(endpoint,
		grpc.WithTransportCredentials(insecure.NewCredentials())))(t)
	defer connection.Close()
	stub := pandov1.NewTreeServiceClient(connection)
	unary, pipeline := 0.0, 0.0
	for range rounds {
		unary = max(unary, rate(t, func(ctx context.Context, request *pandov1.GetRequest) (
			*pandov1.GetResponse, error) {
			return stub.Get(ctx, request)
		}))
		pipeline = max(pipeline, rate(t, session.Get))
	}
	t.Logf("unary %.0f/s, pipeline %.0f/s: %.1f times as many", unary, pipeline, pipeline/unary)
	if pipeline < 5*unary {
		t.Fatal("under 5 times as many")
	}
}

// A process of its own holds an idle session, and says when.
const idleVariable = "PANDO_TEST_IDLE"

func idle() {
	ctx := context.Background()
	session, err := pando.Connect(ctx,
		pando.Options{Endpoints: strings.Split(os.Getenv(idleVariable), ",")})
	if err == nil {
		_, err = session.Watch(ctx, &pandov1.WatchRequest{
			Targets: []*pandov1.WatchTarget{pando.WatchNode("/")}})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("idle")
	_, _ = os.Stdin.Read(make([]byte, 1)) // until the test is done
}

// waits is how often the threads of a process have waited for something.
func waits(t *testing.T, process int) (count int64) {
	tasks := must(filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", process)))(t)
	for _, task := range tasks {
		for line := range strings.Lines(string(must(os.ReadFile(task))(t))) {
			if value, found := strings.CutPrefix(line, "voluntary_ctxt_switches:"); found {
				count += must(strconv.ParseInt(strings.TrimSpace(value), 10, 64))(t)
			}
		}
	}
	return count
}

// A wake-up is a moment in which any thread of the process ran: what a beat makes runs within one,
// from thread to thread.
func TestIdleSession(t *testing.T) {
	w := newWorld(t)
	command := exec.Command(must(filepath.Abs(os.Args[0]))(t))
	command.Env = append(os.Environ(), idleVariable+"="+strings.Join(w.endpoints, ","))
	command.Stderr = os.Stderr
	in, out := must(command.StdinPipe())(t), must(command.StdoutPipe())(t)
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	_ = must(bufio.NewReader(out).ReadString('\n'))(t)
	const seconds, moments = 10, 50
	time.Sleep(time.Second)
	wakeUps, before := 0, waits(t, command.Process.Pid)
	for range seconds * moments {
		time.Sleep(time.Second / moments)
		if now := waits(t, command.Process.Pid); now != before {
			before = now
			wakeUps++
		}
	}
	in.Close()
	_ = command.Wait()
	t.Logf("an idle session wakes up %.1f times a second", float64(wakeUps)/seconds)
	if wakeUps >= seconds {
		t.Fatal("too often")
	}
}
