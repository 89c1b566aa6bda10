package wire

import (
	"encoding/binary"
	"fmt"
)

// Reader takes records apart. The first thing that does not fit makes all further reads zero, and
// Err says what it was.
type Reader struct {
	rest []byte
	err  error
}

func NewReader(payload []byte) *Reader { return &Reader{rest: payload} }

// Err is what did not fit, or nil.
func (r *Reader) Err() error { return r.err }

// Rest is what nobody has read yet.
func (r *Reader) Rest() []byte { return r.rest }

func (r *Reader) take(n int) []byte {
	if r.err != nil {
		return nil
	}
	if n < 0 || n > len(r.rest) {
		r.err = fmt.Errorf("%d bytes wanted, %d left", n, len(r.rest))
		return nil
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *Reader) Bool() bool {
	b := r.take(1)
	return b != nil && b[0] != 0
}

func (r *Reader) Int() int32 {
	if b := r.take(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

func (r *Reader) Long() int64 {
	if b := r.take(8); b != nil {
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}

// Bytes reads a buffer; the null buffer is nil, the empty one is not.
func (r *Reader) Bytes() []byte {
	n := r.Int()
	if n == -1 || r.err != nil {
		return nil
	}
	if b := r.take(int(n)); b != nil {
		return append([]byte{}, b...)
	}
	return nil
}

func (r *Reader) String() string { return string(r.Bytes()) }

// count reads the length of a vector. Every item takes at least one byte, so a larger one is a lie.
func (r *Reader) count() int {
	n := int(r.Int())
	if n > len(r.rest) && r.err == nil {
		r.err = fmt.Errorf("a vector of %d items in %d bytes", n, len(r.rest))
	}
	if r.err != nil || n < 0 {
		return 0
	}
	return n
}

func (r *Reader) Strings() []string {
	n := r.count()
	items := make([]string, 0, n)
	for range n {
		items = append(items, r.String())
	}
	return items
}

func (r *Reader) ACLs() []ACL {
	n := r.count()
	items := make([]ACL, 0, n)
	for range n {
		items = append(items, ACL{Perms: r.Int(), Scheme: r.String(), ID: r.String()})
	}
	return items
}

func (r *Reader) Stat() Stat {
	return Stat{
		Czxid: r.Long(), Mzxid: r.Long(), Ctime: r.Long(), Mtime: r.Long(),
		Version: r.Int(), Cversion: r.Int(), Aversion: r.Int(),
		EphemeralOwner: r.Long(), DataLength: r.Int(), NumChildren: r.Int(), Pzxid: r.Long(),
	}
}

func (r *Reader) Event() Event {
	return Event{Type: r.Int(), State: r.Int(), Path: r.String()}
}

func (r *Reader) ReplyHeader() ReplyHeader {
	return ReplyHeader{Xid: r.Int(), Zxid: r.Long(), Err: Code(r.Int())}
}
