package network

import (
	"fmt"
	"net"
	"os"
)

// dialerOf tells which member holds the other end of a connection that was accepted on loopback.
// Servers listen at one address for all, and all dial from 127.0.0.1: only the kernel knows whose
// socket it is.
func (n *Network) dialerOf(connection net.Conn) int {
	dialer, front := connection.RemoteAddr().(*net.TCPAddr), connection.LocalAddr().(*net.TCPAddr)
	inode, err := inodeOf(dialer, front)
	if err != nil {
		return Outside // it has gone again
	}
	for pid, member := range n.processes() {
		if holds(pid, inode) {
			return member
		}
	}
	return Outside
}

func holds(pid int, inode uint32) bool {
	folder := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(folder)
	if err != nil {
		return false
	}
	want := fmt.Sprintf("socket:[%d]", inode)
	for _, entry := range entries {
		if link, err := os.Readlink(folder + "/" + entry.Name()); err == nil && link == want {
			return true
		}
	}
	return false
}
