package network

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"
)

// What the kernel's sock_diag(7) calls them; package syscall has no names for these.
const (
	netlinkSockDiag  = 4
	sockDiagByFamily = 20
	noCookie         = ^uint64(0)
)

// socketID is struct inet_diag_sockid: a socket by its two ends, each as on the wire.
type socketID struct {
	LocalPort, RemotePort [2]byte
	Local, Remote         [16]byte
	Interface             uint32
	Cookie                uint64
}

// socketRequest is struct inet_diag_req_v2, with its header.
type socketRequest struct {
	Header                                syscall.NlMsghdr
	Family, Protocol, Extensions, Padding uint8
	States                                uint32
	ID                                    socketID
}

// socketAnswer is struct inet_diag_msg.
type socketAnswer struct {
	Family, State, Timer, Retransmits uint8
	ID                                socketID
	Expires, Receive, Send, User      uint32
	Inode                             uint32
}

// inodeOf asks the kernel for the TCP socket from `local` to `remote`, both IPv4. Sockets of IPv6
// that gRPC dials with are found too. One look-up, whatever else is open on the machine: reading
// /proc/net/tcp for each connection made a busy machine's servers time out.
func inodeOf(local, remote *net.TCPAddr) (uint32, error) {
	socket, err := syscall.Socket(syscall.AF_NETLINK, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC,
		netlinkSockDiag)
	if err != nil {
		return 0, os.NewSyscallError("socket", err)
	}
	defer syscall.Close(socket)
	// The kernel answers at once; this is for one that does not.
	patience := syscall.NsecToTimeval(time.Second.Nanoseconds())
	if err := syscall.SetsockoptTimeval(socket, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO,
		&patience); err != nil {
		return 0, os.NewSyscallError("setsockopt", err)
	}
	request := socketRequest{
		Header: syscall.NlMsghdr{
			Len:   uint32(binary.Size(socketRequest{})),
			Type:  sockDiagByFamily,
			Flags: syscall.NLM_F_REQUEST,
		},
		Family: syscall.AF_INET, Protocol: syscall.IPPROTO_TCP, States: ^uint32(0),
		ID: socketID{Cookie: noCookie},
	}
	binary.BigEndian.PutUint16(request.ID.LocalPort[:], uint16(local.Port))
	binary.BigEndian.PutUint16(request.ID.RemotePort[:], uint16(remote.Port))
	copy(request.ID.Local[:], local.IP.To4())
	copy(request.ID.Remote[:], remote.IP.To4())
	var sent bytes.Buffer
	if err := binary.Write(&sent, binary.NativeEndian, request); err != nil {
		return 0, err
	}
	kernel := &syscall.SockaddrNetlink{Family: syscall.AF_NETLINK}
	if err := syscall.Sendto(socket, sent.Bytes(), 0, kernel); err != nil {
		return 0, os.NewSyscallError("sendto", err)
	}
	return hearInode(socket)
}

func hearInode(socket int) (uint32, error) {
	buffer := make([]byte, 4096)
	size, _, err := syscall.Recvfrom(socket, buffer, 0)
	if err != nil {
		return 0, os.NewSyscallError("recvfrom", err)
	}
	messages, err := syscall.ParseNetlinkMessage(buffer[:size])
	if err != nil || len(messages) == 0 {
		return 0, fmt.Errorf("sock_diag answers %d bytes: %w", size, err)
	}
	message := messages[0]
	if message.Header.Type == syscall.NLMSG_ERROR {
		return 0, syscall.Errno(-int32(binary.NativeEndian.Uint32(message.Data)))
	}
	var answer socketAnswer
	if err := binary.Read(bytes.NewReader(message.Data), binary.NativeEndian, &answer); err != nil {
		return 0, err
	}
	return answer.Inode, nil
}
