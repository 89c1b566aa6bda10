package wire

import "encoding/binary"

// Buffer is a record that grows: the primitives of jute, big endian.
type Buffer []byte

func (b Buffer) Bool(v bool) Buffer {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

func (b Buffer) Int(v int32) Buffer  { return binary.BigEndian.AppendUint32(b, uint32(v)) }
func (b Buffer) Long(v int64) Buffer { return binary.BigEndian.AppendUint64(b, uint64(v)) }

func (b Buffer) String(v string) Buffer { return append(b.Int(int32(len(v))), v...) }

// Bytes writes a buffer; nil is the null buffer, which is not the empty one.
func (b Buffer) Bytes(v []byte) Buffer {
	if v == nil {
		return b.Int(-1)
	}
	return append(b.Int(int32(len(v))), v...)
}

// Strings writes a vector; nil is the null vector.
func (b Buffer) Strings(v []string) Buffer {
	if v == nil {
		return b.Int(-1)
	}
	b = b.Int(int32(len(v)))
	for _, s := range v {
		b = b.String(s)
	}
	return b
}

// ACLs writes a vector; nil is the null vector.
func (b Buffer) ACLs(v []ACL) Buffer {
	if v == nil {
		return b.Int(-1)
	}
	b = b.Int(int32(len(v)))
	for _, acl := range v {
		b = b.Int(acl.Perms).String(acl.Scheme).String(acl.ID)
	}
	return b
}
