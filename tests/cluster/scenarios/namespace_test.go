package scenarios

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

const inside = "PANDO_CLUSTER_NAMESPACE"

// TestMain runs the tests in a mount namespace of their own, so that they may mount small disks and
// nothing stays mounted however they end. Without root that takes a user namespace; where the
// kernel gives none, only the scenarios with full disks fail.
func TestMain(m *testing.M) {
	if os.Getenv(inside) != "" {
		os.Exit(m.Run())
	}
	command := exec.Command("/proc/self/exe", os.Args[1:]...)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	command.Env = append(os.Environ(), inside+"=1")
	command.SysProcAttr = &syscall.SysProcAttr{
		Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	if user, group := os.Getuid(), os.Getgid(); user != 0 {
		command.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
		command.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: user, Size: 1}}
		command.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: group, Size: 1}}
	}
	if err := command.Start(); err != nil {
		fmt.Println("no namespace of its own:", err)
		os.Exit(m.Run())
	}
	err := command.Wait()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		fmt.Println(err)
		os.Exit(1)
	}
	os.Exit(command.ProcessState.ExitCode())
}
