// Package wire speaks the ZooKeeper client protocol: frames, records, one connection. It checks
// nothing that a server should check, so that a test can send whatever it likes.
package wire

import "fmt"

// Opcode is the type of a request.
type Opcode int32

// The opcodes of a ZooKeeper 3.9 client.
const (
	Notification         Opcode = 0
	Create               Opcode = 1
	Delete               Opcode = 2
	Exists               Opcode = 3
	GetData              Opcode = 4
	SetData              Opcode = 5
	GetACL               Opcode = 6
	SetACL               Opcode = 7
	GetChildren          Opcode = 8
	Sync                 Opcode = 9
	Ping                 Opcode = 11
	GetChildren2         Opcode = 12
	Check                Opcode = 13
	Multi                Opcode = 14
	Create2              Opcode = 15
	Reconfig             Opcode = 16
	CheckWatches         Opcode = 17
	RemoveWatches        Opcode = 18
	CreateContainer      Opcode = 19
	DeleteContainer      Opcode = 20
	CreateTTL            Opcode = 21
	MultiRead            Opcode = 22
	Auth                 Opcode = 100
	SetWatches           Opcode = 101
	SASL                 Opcode = 102
	GetEphemerals        Opcode = 103
	GetAllChildrenNumber Opcode = 104
	SetWatches2          Opcode = 105
	AddWatch             Opcode = 106
	WhoAmI               Opcode = 107
	CloseSession         Opcode = -11
	ErrorResult          Opcode = -1
)

// The xids that do not count up.
const (
	XidNotification int32 = -1
	XidPing         int32 = -2
	XidAuth         int32 = -4
	XidSetWatches   int32 = -8
)

// Code is the err of a reply.
type Code int32

var codeNames = map[Code]string{
	0: "ok", -1: "system error", -2: "runtime inconsistency", -3: "data inconsistency",
	-4: "connection loss", -5: "marshalling error", -6: "unimplemented", -7: "operation timeout",
	-8: "bad arguments", -12: "unknown session", -13: "new config: no quorum",
	-14: "reconfig in progress", -101: "no node", -102: "no auth", -103: "bad version",
	-108: "no children for ephemerals", -110: "node exists", -111: "not empty",
	-112: "session expired", -113: "invalid callback", -114: "invalid acl", -115: "auth failed",
	-118: "session moved", -119: "not read-only", -120: "ephemeral on local session",
	-121: "no watcher", -122: "request timeout", -123: "reconfig disabled",
	-124: "session closed: requires sasl", -125: "quota exceeded", -127: "throttled",
}

func (c Code) String() string {
	if name, ok := codeNames[c]; ok {
		return name
	}
	return fmt.Sprintf("code %d", int32(c))
}
