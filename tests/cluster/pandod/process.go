// Package pandod runs the server's binary, as a process that tests may kill, stop and restart.
package pandod

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Process is one pandod, from its start to its end.
type Process struct {
	command *exec.Cmd
	ended   chan struct{} // closed once it is reaped
	http    string        // HOST:PORT
	log     string        // path
}

// Start starts `binary FLAG…`, with its output at the end of the file `log`. httpAddress is that of
// its --listen-http.
func Start(binary, httpAddress, log string, flags ...string) (*Process, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	command := exec.Command(binary, flags...)
	command.Stdout, command.Stderr = out, out
	command.Env = withoutPandoVariables(os.Environ())
	// No server outlives its test, whatever ends that.
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := command.Start(); err != nil {
		return nil, err
	}
	p := &Process{command: command, ended: make(chan struct{}), http: httpAddress, log: log}
	go func() {
		_ = command.Wait() // its state says how it ended
		close(p.ended)
	}()
	return p, nil
}

func withoutPandoVariables(environment []string) []string {
	var kept []string
	for _, variable := range environment {
		if !strings.HasPrefix(variable, "PANDO_") {
			kept = append(kept, variable)
		}
	}
	return kept
}

func (p *Process) PID() int { return p.command.Process.Pid }

// Running is false once it has ended and is reaped.
func (p *Process) Running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// Signal sends it a signal; fine if it has ended.
func (p *Process) Signal(signal syscall.Signal) error {
	if err := p.command.Process.Signal(signal); !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

// Wait returns its exit status, -1 if a signal ended it. It fails if it runs longer than `timeout`.
func (p *Process) Wait(timeout time.Duration) (int, error) {
	select {
	case <-p.ended:
		return p.command.ProcessState.ExitCode(), nil
	case <-time.After(timeout):
		return 0, fmt.Errorf("pandod (pid %d, %s) still runs after %v", p.PID(), p.log, timeout)
	}
}

// Kill ends it as a power cut would: kill -9.
func (p *Process) Kill() error {
	if err := p.Signal(syscall.SIGKILL); err != nil {
		return err
	}
	_, err := p.Wait(10 * time.Second)
	return err
}

// Ready asks its /readyz.
func (p *Process) Ready() bool {
	client := http.Client{Timeout: time.Second}
	response, err := client.Get("http://" + p.http + "/readyz")
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode == http.StatusOK
}
