package network

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"strings"
)

// dialerOf tells which member holds the other end of a connection that was accepted on loopback.
// Servers listen at one address for all, and all dial from 127.0.0.1: only the kernel knows whose
// socket it is.
func (n *Network) dialerOf(connection net.Conn) int {
	dialer, front := connection.RemoteAddr().(*net.TCPAddr), connection.LocalAddr().(*net.TCPAddr)
	inode, err := inodeOf(dialer, front)
	if err != nil {
		return Outside
	}
	for pid, member := range n.processes() {
		if holds(pid, inode) {
			return member
		}
	}
	return Outside
}

// inodeOf finds the socket from `local` to `remote` in the kernel's tables. gRPC dials IPv4 on
// sockets of IPv6.
func inodeOf(local, remote *net.TCPAddr) (string, error) {
	for table, prefix := range map[string]string{
		"/proc/net/tcp": "", "/proc/net/tcp6": "0000000000000000FFFF0000",
	} {
		inode, err := find(table, prefix+procAddress(local), prefix+procAddress(remote))
		if err != nil || inode != "" {
			return inode, err
		}
	}
	return "", fmt.Errorf("no socket from %v to %v", local, remote)
}

// find is "" if the table has no such socket.
func find(table, local, remote string) (string, error) {
	file, err := os.Open(table)
	if err != nil {
		return "", err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		// sl local_address rem_address st tx:rx tr:tm retrnsmt uid timeout inode …
		fields := strings.Fields(lines.Text())
		if len(fields) > 9 && fields[1] == local && fields[2] == remote {
			return fields[9], nil
		}
	}
	return "", lines.Err()
}

// procAddress writes an IPv4 address as the tables do on a little-endian machine.
func procAddress(address *net.TCPAddr) string {
	ip := address.IP.To4()
	return fmt.Sprintf("%02X%02X%02X%02X:%04X", ip[3], ip[2], ip[1], ip[0], address.Port)
}

func holds(pid int, inode string) bool {
	folder := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(folder)
	if err != nil {
		return false
	}
	for _, entry := range entries {
		if link, err := os.Readlink(folder + "/" + entry.Name()); err == nil &&
			link == "socket:["+inode+"]" {
			return true
		}
	}
	return false
}
