// Package liar is a proxy that changes what a server says, to see whether anybody notices.
package liar

import (
	"encoding/binary"
	"io"
	"net"
)

const (
	headerBytes = 16
	statBytes   = 68
	// Where the aversion lies in a Stat: after czxid, mzxid, ctime, mtime, version, cversion.
	aversionAt = 4*8 + 2*4
	versionAt  = 4 * 8
)

// Start listens on loopback, and forwards to the server until the process ends. One lie: replies
// that hold nothing but the Stat of a node at data version 2 tell an aversion that is one too high.
func Start(server string) (address string, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go forward(client, server)
		}
	}()
	return listener.Addr().String(), nil
}

func forward(client net.Conn, server string) {
	defer client.Close()
	upstream, err := net.Dial("tcp", server)
	if err != nil {
		return
	}
	defer upstream.Close()
	go func() {
		defer upstream.Close()
		_, _ = io.Copy(upstream, client) // ends with the client, or with the server
	}()
	for {
		var length [4]byte
		if _, err := io.ReadFull(upstream, length[:]); err != nil {
			return
		}
		payload := make([]byte, binary.BigEndian.Uint32(length[:]))
		if _, err := io.ReadFull(upstream, payload); err != nil {
			return
		}
		lie(payload)
		if _, err := client.Write(append(length[:], payload...)); err != nil {
			return
		}
	}
}

func lie(payload []byte) {
	if len(payload) != headerBytes+statBytes {
		return
	}
	stat := payload[headerBytes:]
	if binary.BigEndian.Uint32(stat[versionAt:]) == 2 {
		stat[aversionAt+3]++
	}
}
