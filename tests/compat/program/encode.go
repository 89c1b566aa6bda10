package program

import "pando.test/compat/wire"

var opcodes = map[string]wire.Opcode{
	"create": wire.Create, "create2": wire.Create2, "createContainer": wire.CreateContainer,
	"createTTL": wire.CreateTTL, "delete": wire.Delete, "set": wire.SetData, "get": wire.GetData,
	"exists": wire.Exists, "children": wire.GetChildren, "children2": wire.GetChildren2,
	"sync": wire.Sync, "ping": wire.Ping, "check": wire.Check, "multi": wire.Multi,
	"multiRead": wire.MultiRead, "getACL": wire.GetACL, "setACL": wire.SetACL,
	"addWatch": wire.AddWatch, "checkWatches": wire.CheckWatches,
	"removeWatches": wire.RemoveWatches, "setWatches": wire.SetWatches,
	"setWatches2": wire.SetWatches2, "getEphemerals": wire.GetEphemerals,
	"getAllChildrenNumber": wire.GetAllChildrenNumber, "whoAmI": wire.WhoAmI,
	"addauth": wire.Auth, "close": wire.CloseSession, "deleteContainer": wire.DeleteContainer,
}

// Code is the opcode that goes over the wire.
func (o Op) Code() wire.Opcode {
	if o.Kind == "unknown" {
		return wire.Opcode(o.Opcode)
	}
	return opcodes[o.Kind]
}

// Rooted puts a program's paths below its root. What does not begin with a slash stays as it is.
type Rooted string

// In is the path that the server is asked for.
func (root Rooted) In(path string) string {
	switch {
	case path == "/":
		return string(root)
	case len(path) > 0 && path[0] == '/' && !isSystem(path):
		return string(root) + path
	}
	return path
}

// isSystem: a path of ZooKeeper's own, or the true root, written as "/.root".
func isSystem(path string) bool {
	const system = "/zookeeper"
	return len(path) >= len(system) && path[:len(system)] == system
}

// TrueRoot stands for "/" itself, which is not the program's.
const TrueRoot = "TRUE ROOT"

func (o Op) path(b wire.Buffer, root Rooted) wire.Buffer {
	switch {
	case o.NullPath:
		return b.Int(-1)
	case o.Path == TrueRoot:
		return b.String("/")
	}
	return b.String(root.In(o.Path))
}

func (o Op) data() []byte {
	switch {
	case o.Length > 0:
		return make([]byte, o.Length)
	case o.Data == nil:
		return nil
	}
	return []byte(*o.Data)
}

func (o Op) acl() []wire.ACL {
	switch {
	case o.NoACL:
		return nil
	case o.ACL == nil:
		return []wire.ACL{}
	}
	return o.ACL
}

// Encode is the body of the request. `seen` is the zxid that setWatches names.
func (o Op) Encode(root Rooted, seen int64) []byte {
	b := o.record(wire.Buffer{}, root, seen)
	if cut := min(o.Cut, len(b)); cut > 0 {
		b = b[:len(b)-cut]
	}
	return append(b, make([]byte, o.Extra)...)
}

func (o Op) record(b wire.Buffer, root Rooted, seen int64) wire.Buffer {
	switch o.Kind {
	case "create", "create2", "createContainer":
		return o.path(b, root).Bytes(o.data()).ACLs(o.acl()).Int(o.Flags)
	case "createTTL":
		return o.path(b, root).Bytes(o.data()).ACLs(o.acl()).Int(o.Flags).Long(o.TTL)
	case "delete", "check":
		return o.path(b, root).Int(o.Version)
	case "set":
		return o.path(b, root).Bytes(o.data()).Int(o.Version)
	case "get", "exists", "children", "children2":
		return o.path(b, root).Bool(o.Watch)
	case "setACL":
		return o.path(b, root).ACLs(o.acl()).Int(o.Version)
	case "sync", "getACL", "getEphemerals", "getAllChildrenNumber", "deleteContainer":
		return o.path(b, root)
	case "addWatch", "checkWatches", "removeWatches":
		return o.path(b, root).Int(o.Mode)
	case "addauth":
		return b.Int(0).String(o.Scheme).Bytes([]byte(o.Auth))
	case "setWatches", "setWatches2":
		b = b.Long(seen).Strings(all(root, o.DataWatches)).Strings(all(root, o.Exist)).
			Strings(all(root, o.Child))
		if o.Kind == "setWatches2" {
			b = b.Strings(all(root, o.Persistent)).Strings(all(root, o.Recursive))
		}
		return b
	case "multi", "multiRead":
		for _, op := range o.Ops {
			b = op.record(b.Int(int32(op.Code())).Bool(false).Int(-1), root, seen)
		}
		return b.Int(-1).Bool(true).Int(-1)
	}
	return b // ping, close, whoAmI; whatever follows an unknown opcode
}

func all(root Rooted, paths []string) []string {
	rooted := make([]string, 0, len(paths))
	for _, path := range paths {
		rooted = append(rooted, root.In(path))
	}
	return rooted
}
