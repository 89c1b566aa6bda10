package pando_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	pando "pando.test/client"
	pandov1 "pando.test/client/gen/pando/v1"
)

// ensemble drives clients/conformance/ensemble.py: three real servers, and faults.
type ensemble struct {
	command   *exec.Cmd
	in        io.WriteCloser
	out       *bufio.Reader
	endpoints []string
	down      []int
}

type answer struct {
	Error     string
	Endpoints []string
	Endpoint  string
	ID        int
	// Of a server that speaks TLS: PEM texts.
	CA, Certificate, Key string
	OtherCA              string `json:"other_ca"`
}

// One for all tests, whole again before each.
var shared *ensemble

func TestMain(m *testing.M) {
	if os.Getenv(idleVariable) != "" {
		idle()
		return
	}
	os.Exit(func() int {
		var err error
		if shared, err = newEnsemble(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer shared.close()
		return m.Run()
	}())
}

func newEnsemble() (*ensemble, error) {
	e := &ensemble{command: exec.Command("python3", filepath.Join("..", "conformance", "ensemble.py"))}
	e.command.Stderr = os.Stderr
	var err error
	if e.in, err = e.command.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := e.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	e.out = bufio.NewReader(out)
	if err := e.command.Start(); err != nil {
		return nil, err
	}
	begun, err := e.read()
	e.endpoints = begun.Endpoints
	return e, err
}

func (e *ensemble) close() {
	e.in.Close()
	_ = e.command.Wait()
}

func (e *ensemble) read() (answer, error) {
	var a answer
	line, err := e.out.ReadBytes('\n')
	if err != nil {
		return a, fmt.Errorf("the ensemble ended: %w", err)
	}
	if err := json.Unmarshal(line, &a); err != nil {
		return a, err
	}
	if a.Error != "" {
		return a, fmt.Errorf("%s", a.Error)
	}
	return a, nil
}

// world is a test's own: a node, and sessions that are closed at its end.
type world struct {
	*testing.T
	*ensemble
	root string
}

func newWorld(t *testing.T) *world {
	w := &world{T: t, ensemble: shared}
	w.heal()
	created := must(w.connect(pando.Options{}).Create(w.Context(), &pandov1.CreateRequest{
		Path: "/test-", Sequential: true}))(t)
	w.root = created.Path
	return w
}

func (w *world) ask(format string, arguments ...any) answer {
	w.Helper()
	fmt.Fprintf(w.in, format+"\n", arguments...)
	return must(w.read())(w.T)
}

func (w *world) heal() {
	for _, server := range w.down {
		w.ask("start %d", server)
	}
	w.down = nil
}

func (w *world) kill(server int) {
	w.ask("kill %d", server)
	w.down = append(w.down, server)
}

func (w *world) leader() int { return w.ask("leader").ID }

func (w *world) follower() int { return w.leader()%3 + 1 }

func (w *world) front(server int) string { return w.ask("front %d", server).Endpoint }

// rest is all endpoints but that of `server`.
func (w *world) rest(server int) []string {
	rest := slices.Clone(w.endpoints)
	return slices.Delete(rest, server-1, server)
}

// first is all endpoints, that of `server` first.
func (w *world) first(server int) []string {
	return append([]string{w.endpoints[server-1]}, w.rest(server)...)
}

func (w *world) connect(options pando.Options) *pando.Session {
	w.Helper()
	if options.Endpoints == nil {
		options.Endpoints = w.endpoints
	}
	session := must(pando.Connect(w.Context(), options))(w.T)
	w.Cleanup(session.Close)
	return session
}

func must[V any](value V, err error) func(*testing.T) V {
	return func(t *testing.T) V {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func within(t *testing.T, timeout time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	t.Cleanup(cancel)
	return ctx
}

func until(t *testing.T, events *pando.Feed[pando.Event], event pando.Event,
	timeout time.Duration) {
	t.Helper()
	ctx := within(t, timeout)
	for {
		next, err := events.Next(ctx)
		if err != nil {
			t.Fatalf("waiting for %s: %v", event, err)
		}
		if next == event {
			return
		}
	}
}

// takes runs body and holds it to its time.
func takes(t *testing.T, least, most time.Duration, body func()) {
	t.Helper()
	began := time.Now()
	body()
	if took := time.Since(began); took < least || took > most {
		t.Fatalf("took %v, not %v to %v", took, least, most)
	}
}
