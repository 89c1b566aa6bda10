package wire

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

// frameBytesMax is far above what a server may send; a length beyond it is garbage.
const frameBytesMax = 64 << 20

// ErrClosed: the server ended the connection.
var ErrClosed = errors.New("closed by the server")

// ErrSilent: nothing came in time.
var ErrSilent = errors.New("no answer in time")

// Conn is one connection. It belongs to one goroutine.
type Conn struct {
	socket  net.Conn
	in      *bufio.Reader
	nextXid int32
}

// Dial opens a connection without a session.
func Dial(address string, timeout time.Duration) (*Conn, error) {
	socket, err := net.DialTimeout("tcp", address, timeout)
	if err != nil {
		return nil, err
	}
	return &Conn{socket: socket, in: bufio.NewReaderSize(socket, 1<<16), nextXid: 1}, nil
}

// Close drops the connection; the session lives on.
func (c *Conn) Close() { c.socket.Close() }

// Xid is a fresh one for an ordinary request.
func (c *Conn) Xid() int32 {
	xid := c.nextXid
	c.nextXid++
	return xid
}

// Write sends bytes as they are.
func (c *Conn) Write(b []byte) error {
	_, err := c.socket.Write(b)
	return err
}

// AppendFrame appends a length and a payload.
func AppendFrame(to, payload []byte) []byte {
	return append(Buffer(to).Int(int32(len(payload))), payload...)
}

// Request is a request's payload.
func Request(xid int32, op Opcode, body []byte) []byte {
	return append(Buffer(nil).Int(xid).Int(int32(op)), body...)
}

// ReadPayload waits for one frame: ErrClosed, ErrSilent, or what else went wrong.
func (c *Conn) ReadPayload(timeout time.Duration) ([]byte, error) {
	if err := c.socket.SetReadDeadline(time.Now().Add(timeout)); err != nil {
		return nil, err
	}
	var length [4]byte
	if _, err := io.ReadFull(c.in, length[:]); err != nil {
		return nil, readError(err)
	}
	n := binary.BigEndian.Uint32(length[:])
	if n > frameBytesMax {
		return nil, fmt.Errorf("a frame of %d bytes", n)
	}
	payload := make([]byte, n)
	if _, err := io.ReadFull(c.in, payload); err != nil {
		return nil, readError(err)
	}
	return payload, nil
}

func readError(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return ErrSilent
	}
	return ErrClosed // EOF, or a reset when bytes of ours were not read
}

// ReadFrame waits for one reply or event.
func (c *Conn) ReadFrame(timeout time.Duration) (Frame, error) {
	payload, err := c.ReadPayload(timeout)
	if err != nil {
		return Frame{}, err
	}
	r := NewReader(payload)
	frame := Frame{ReplyHeader: r.ReplyHeader()}
	frame.Body = r.Rest()
	return frame, r.Err()
}

// ConnectRequest is the first frame of a connection.
type ConnectRequest struct {
	LastZxidSeen int64
	TimeoutMs    int32
	Session      Session
	// Old clients do not send the flag at all.
	OmitReadOnly, ReadOnly bool
}

func (q ConnectRequest) payload() []byte {
	password := q.Session.Password
	if password == nil {
		password = make([]byte, 16)
	}
	b := Buffer(nil).Int(0).Long(q.LastZxidSeen).Int(q.TimeoutMs).Long(q.Session.ID).Bytes(password)
	if !q.OmitReadOnly {
		b = b.Bool(q.ReadOnly)
	}
	return b
}

// ConnectResponse is its answer. Length is that of the whole payload.
type ConnectResponse struct {
	Length    int
	TimeoutMs int32
	Session   Session
	ReadOnly  bool
}

// Connect opens a session, or comes back to one.
func (c *Conn) Connect(request ConnectRequest, timeout time.Duration) (ConnectResponse, error) {
	if err := c.Write(AppendFrame(nil, request.payload())); err != nil {
		return ConnectResponse{}, ErrClosed
	}
	payload, err := c.ReadPayload(timeout)
	if err != nil {
		return ConnectResponse{}, err
	}
	r := NewReader(payload)
	version := r.Int()
	response := ConnectResponse{Length: len(payload), TimeoutMs: r.Int(),
		Session: Session{ID: r.Long(), Password: r.Bytes()}}
	if len(r.Rest()) > 0 {
		response.ReadOnly = r.Bool()
	}
	if r.Err() == nil && version != 0 {
		return response, fmt.Errorf("protocol version %d", version)
	}
	return response, r.Err()
}

// Call sends one request and waits for its reply, and hands events that come before it to `events`.
func (c *Conn) Call(op Opcode, body []byte, timeout time.Duration, events *[]Event) (Frame, error) {
	xid := c.Xid()
	switch op {
	case SetWatches, SetWatches2:
		xid = XidSetWatches
	case Auth:
		xid = XidAuth
	case Ping:
		xid = XidPing
	}
	if err := c.Write(AppendFrame(nil, Request(xid, op, body))); err != nil {
		return Frame{}, ErrClosed
	}
	for {
		frame, err := c.ReadFrame(timeout)
		if err != nil || frame.Xid == xid {
			return frame, err
		}
		if frame.Xid != XidNotification {
			return frame, fmt.Errorf("xid %d answered, not %d", frame.Xid, xid)
		}
		if events != nil {
			r := NewReader(frame.Body)
			*events = append(*events, r.Event())
		}
	}
}
