package network

import (
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"
)

// silence is how long a cut way is watched for what must not come.
const silence = 200 * time.Millisecond

// member is one that echoes, behind a Front. This process is member 1, which dials it.
func member(t *testing.T, id int) (*Network, *Front) {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer connection.Close()
				_, _ = io.Copy(connection, connection)
			}()
		}
	}()
	n := New()
	n.SetProcess(1, os.Getpid())
	front, err := n.NewFront(id)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(front.Close)
	front.SetTarget(listener.Addr().String())
	return n, front
}

// dialV6 connects to an IPv4 address on a socket of IPv6, as gRPC does.
func dialV6(address net.Addr) (net.Conn, error) {
	socket, err := syscall.Socket(syscall.AF_INET6, syscall.SOCK_STREAM, 0)
	if err != nil {
		return nil, err
	}
	tcp := address.(*net.TCPAddr)
	to := syscall.SockaddrInet6{Port: tcp.Port}
	copy(to.Addr[:], tcp.IP.To16())
	if err := syscall.Connect(socket, &to); err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(socket), "socket")
	defer file.Close()
	return net.FileConn(file)
}

func dialV4(address net.Addr) (net.Conn, error) { return net.Dial("tcp4", address.String()) }

func echo(connection net.Conn, within time.Duration) error {
	if _, err := fmt.Fprint(connection, "x"); err != nil {
		return err
	}
	return hear(connection, within)
}

func hear(connection net.Conn, within time.Duration) error {
	_ = connection.SetReadDeadline(time.Now().Add(within))
	_, err := connection.Read(make([]byte, 1))
	return err
}

func TestWhatIsCutArrivesOnceItHeals(t *testing.T) {
	for name, dial := range map[string]func(net.Addr) (net.Conn, error){
		"IPv4": dialV4, "IPv6": dialV6,
	} {
		for _, way := range []direction{{1, 2}, {2, 1}} {
			t.Run(fmt.Sprintf("%s from %d to %d", name, way.from, way.to), func(t *testing.T) {
				n, front := member(t, 2)
				connection, err := dial(front.listener.Addr())
				if err != nil {
					t.Fatal(err)
				}
				defer connection.Close()
				if err := echo(connection, 5*time.Second); err != nil {
					t.Fatal("before the cut:", err)
				}
				n.Cut(way.from, way.to)
				if err := echo(connection, silence); err == nil {
					t.Fatal("an echo came through the cut")
				}
				n.Heal()
				if err := hear(connection, 5*time.Second); err != nil {
					t.Fatal("after the cut:", err)
				}
			})
		}
	}
}

func TestCutOfOthersIsNotFelt(t *testing.T) {
	n, front := member(t, 2)
	connection, err := dialV4(front.listener.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	n.Cut(3, 2)
	n.Cut(2, 3)
	if err := echo(connection, 5*time.Second); err != nil {
		t.Fatal(err)
	}
}

func TestEndOfConnectionWaitsForTheCutToo(t *testing.T) {
	n, front := member(t, 2)
	connection, err := dialV4(front.listener.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	n.Cut(2, 1)
	if err := connection.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if err := hear(connection, silence); !os.IsTimeout(err) {
		t.Fatal("through the cut:", err)
	}
	n.Heal()
	if err := hear(connection, 5*time.Second); err != io.EOF {
		t.Fatal("after the cut:", err)
	}
}

func TestMemberThatIsDownHangsUp(t *testing.T) {
	_, front := member(t, 2)
	front.SetTarget("")
	connection, err := dialV4(front.listener.Addr())
	if err != nil {
		return // hung up on before the dial had returned
	}
	defer connection.Close()
	if err := hear(connection, 5*time.Second); err == nil || os.IsTimeout(err) {
		t.Fatal(err)
	}
}

func TestBreakEndsConnectionsOfMembers(t *testing.T) {
	n, front := member(t, 2)
	connection, err := dialV4(front.listener.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	if err := echo(connection, 5*time.Second); err != nil {
		t.Fatal(err)
	}
	n.Break()
	if err := hear(connection, 5*time.Second); err == nil || os.IsTimeout(err) {
		t.Fatal(err)
	}
}
