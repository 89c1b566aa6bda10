package wire

// ACL is one entry of a node's list.
type ACL struct {
	Perms  int32  `json:"perms"`
	Scheme string `json:"scheme"`
	ID     string `json:"id"`
}

// The permissions of an ACL.
const (
	PermRead   int32 = 1
	PermWrite  int32 = 2
	PermCreate int32 = 4
	PermDelete int32 = 8
	PermAdmin  int32 = 16
	PermAll    int32 = 31
)

// OpenACL lets everybody do everything.
var OpenACL = []ACL{{PermAll, "world", "anyone"}}

// Stat is what a server tells of a node besides its data.
type Stat struct {
	Czxid, Mzxid, Ctime, Mtime  int64
	Version, Cversion, Aversion int32
	EphemeralOwner              int64
	DataLength, NumChildren     int32
	Pzxid                       int64
}

// The types of an event.
const (
	NodeCreated         int32 = 1
	NodeDeleted         int32 = 2
	NodeDataChanged     int32 = 3
	NodeChildrenChanged int32 = 4
)

// Event is what a watch tells.
type Event struct {
	Type, State int32
	Path        string
}

// ReplyHeader comes before the record of every reply and event.
type ReplyHeader struct {
	Xid  int32
	Zxid int64
	Err  Code
}

// Frame is one reply or event as it came.
type Frame struct {
	ReplyHeader
	Body []byte
}

// Session is what a client needs to come back.
type Session struct {
	ID       int64
	Password []byte
}
