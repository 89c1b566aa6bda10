// Package program is what the fuzzer plays: bursts of requests of a few clients. A program comes
// from a seed, or from a file, and says nothing of servers.
package program

import "pando.test/compat/wire"

// Op is one request. Kind chooses which fields count; the zero value of the others is left out of
// files, so that a shrunk program is short.
type Op struct {
	Kind    string     `json:"kind"`
	Path    string     `json:"path,omitempty"`
	Data    *string    `json:"data,omitempty"` // nil is the null buffer
	Version int32      `json:"version,omitempty"`
	Flags   int32      `json:"flags,omitempty"`
	TTL     int64      `json:"ttl,omitempty"`
	ACL     []wire.ACL `json:"acl,omitempty"`
	NoACL   bool       `json:"no_acl,omitempty"` // the null vector
	Watch   bool       `json:"watch,omitempty"`
	Mode    int32      `json:"mode,omitempty"` // of addWatch; the type, of checkWatches, removeWatches
	Scheme  string     `json:"scheme,omitempty"`
	Auth    string     `json:"auth,omitempty"`
	Ops     []Op       `json:"ops,omitempty"` // of a multi
	Opcode  int32      `json:"opcode,omitempty"`

	// Of setWatches: the state that the client claims to have seen is that after all but the last
	// `Behind` writes of the program.
	Behind      int      `json:"behind,omitempty"`
	DataWatches []string `json:"data_watches,omitempty"`
	Exist       []string `json:"exist_watches,omitempty"`
	Child       []string `json:"child_watches,omitempty"`
	Persistent  []string `json:"persistent_watches,omitempty"`
	Recursive   []string `json:"recursive_watches,omitempty"`

	// Damage to the encoded request.
	NullPath bool `json:"null_path,omitempty"` // the path is the null string
	Cut      int  `json:"cut,omitempty"`       // so many bytes are missing at the end
	Extra    int  `json:"extra,omitempty"`     // so many bytes follow
	Length   int  `json:"length,omitempty"`    // of data that is longer than a file should hold

	// Of connect.
	TimeoutMs    int32 `json:"timeout_ms,omitempty"`
	OmitReadOnly bool  `json:"omit_read_only,omitempty"`
}

// Burst is what one client sends without waiting in between.
type Burst struct {
	Client int  `json:"client"`
	Ops    []Op `json:"ops"`
}

// Program is a whole run. Bursts come one after the other, so that what servers do is determined.
type Program struct {
	Seed   uint64  `json:"seed"`
	Bursts []Burst `json:"bursts"`
}

// Size is the number of requests, those inside a multi too.
func (p Program) Size() int {
	n := 0
	for _, burst := range p.Bursts {
		for _, op := range burst.Ops {
			n += 1 + len(op.Ops)
		}
	}
	return n
}

// IsConnection: the client does it with its socket; it is no request.
func (o Op) IsConnection() bool {
	switch o.Kind {
	case "connect", "reattach", "reattach-wrong-password", "reattach-from-the-future":
		return true
	}
	return false
}

// MayClose: a server may end the connection after its reply, or instead of one. Such an op is
// the last of its burst: what a server does with what it has read beyond is not determined.
func (o Op) MayClose() bool {
	switch o.Kind {
	case "close", "unknown", "check", "oversize", "negative-length", "deleteContainer":
		return true
	case "addauth":
		return o.Scheme != "digest"
	}
	return false
}
