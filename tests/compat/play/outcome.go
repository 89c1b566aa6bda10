package play

import (
	"fmt"
	"slices"
	"strings"

	"pando.test/compat/program"
	"pando.test/compat/wire"
)

// describer turns replies into text.
type describer struct{ root string }

// path is as the program wrote it.
func (d describer) path(path string) string {
	if path == d.root {
		return `"/"`
	}
	return fmt.Sprintf("%q", strings.TrimPrefix(path, d.root))
}

func (d describer) paths(paths []string) string {
	some := make([]string, 0, len(paths))
	for _, path := range paths {
		some = append(some, d.path(path))
	}
	slices.Sort(some) // children and ephemerals have no order
	return "[" + strings.Join(some, " ") + "]"
}

func describeStat(s wire.Stat) string {
	text := fmt.Sprintf("{c=%s m=%s p=%s v=%d cv=%d av=%d owner=%s len=%d children=%d}",
		markZxid(s.Czxid), markZxid(s.Mzxid), markZxid(s.Pzxid), s.Version, s.Cversion, s.Aversion,
		markOwner(s.EphemeralOwner), s.DataLength, s.NumChildren)
	switch {
	case s.Mtime < s.Ctime:
		text += " MTIME BEFORE CTIME"
	case s.Mzxid == s.Czxid && s.Mtime != s.Ctime:
		text += " UNCHANGED, BUT MTIME IS NOT CTIME"
	}
	return text
}

func describeData(data []byte) string {
	if data == nil {
		return "null"
	}
	if len(data) > 40 {
		return fmt.Sprintf("%q… of %d bytes", data[:40], len(data))
	}
	return fmt.Sprintf("%q", data)
}

func describeACLs(acls []wire.ACL) string {
	some := make([]string, 0, len(acls))
	for _, acl := range acls {
		some = append(some, fmt.Sprintf("%s:%s:%d", acl.Scheme, acl.ID, acl.Perms))
	}
	slices.Sort(some) // what `auth` becomes has no order
	return "[" + strings.Join(some, " ") + "]"
}

func describeIDs(r *wire.Reader) string {
	some := []string{}
	for range max(0, r.Int()) {
		some = append(some, r.String()+":"+r.String())
	}
	slices.Sort(some)
	return "[" + strings.Join(some, " ") + "]"
}

var eventTypes = map[int32]string{wire.NodeCreated: "created", wire.NodeDeleted: "deleted",
	wire.NodeDataChanged: "changed", wire.NodeChildrenChanged: "children of"}

func (d describer) event(frame wire.Frame) string {
	r := wire.NewReader(frame.Body)
	event := r.Event()
	kind, known := eventTypes[event.Type]
	if !known {
		kind = fmt.Sprintf("type %d", event.Type)
	}
	text := fmt.Sprintf("%s %s zxid=%s", kind, d.path(event.Path), markZxid(frame.Zxid))
	if event.State != 3 || frame.Err != 0 {
		text += fmt.Sprintf(" state=%d err=%v", event.State, frame.Err)
	}
	return text + leftover(r)
}

func leftover(r *wire.Reader) string {
	if r.Err() != nil {
		return fmt.Sprintf(" UNREADABLE: %v", r.Err())
	}
	if rest := len(r.Rest()); rest > 0 {
		return fmt.Sprintf(" AND %d MORE BYTES", rest)
	}
	return ""
}

// reply is the outcome of one request.
func (d describer) reply(op program.Op, frame wire.Frame) string {
	r := wire.NewReader(frame.Body)
	text := frame.Err.String()
	if frame.Err == 0 {
		text += d.record(op, r)
	}
	if op.Kind == "addauth" && frame.Zxid != 0 {
		text += " WITH A ZXID"
	}
	return text + leftover(r)
}

func (d describer) record(op program.Op, r *wire.Reader) string {
	switch op.Kind {
	case "create", "sync":
		return " " + d.path(r.String())
	case "create2", "createContainer", "createTTL":
		return " " + d.path(r.String()) + " " + describeStat(r.Stat())
	case "exists", "set", "setACL":
		return " " + describeStat(r.Stat())
	case "get":
		return " " + describeData(r.Bytes()) + " " + describeStat(r.Stat())
	case "getACL":
		return " " + describeACLs(r.ACLs()) + " " + describeStat(r.Stat())
	case "children", "getEphemerals":
		return " " + d.paths(r.Strings())
	case "children2":
		return " " + d.paths(r.Strings()) + " " + describeStat(r.Stat())
	case "getAllChildrenNumber", "addWatch":
		return fmt.Sprintf(" %d", r.Int())
	case "whoAmI":
		return " " + describeIDs(r)
	case "multi", "multiRead":
		return " " + d.results(r)
	}
	return ""
}

// results are those of a multi: each says its own kind.
func (d describer) results(r *wire.Reader) string {
	some := []string{}
	for r.Err() == nil {
		opcode, done, code := wire.Opcode(r.Int()), r.Bool(), wire.Code(r.Int())
		if done {
			if opcode != -1 || code != -1 {
				some = append(some, fmt.Sprintf("END %d %d", opcode, code))
			}
			break
		}
		some = append(some, d.result(opcode, code, r))
	}
	return "[" + strings.Join(some, ", ") + "]"
}

func (d describer) result(opcode wire.Opcode, code wire.Code, r *wire.Reader) string {
	text := fmt.Sprintf("%d:%v", opcode, code)
	switch opcode {
	case wire.ErrorResult:
		return fmt.Sprintf("%s/%v", text, wire.Code(r.Int()))
	case wire.Create:
		return text + " " + d.path(r.String())
	case wire.Create2, wire.CreateContainer, wire.CreateTTL:
		return text + " " + d.path(r.String()) + " " + describeStat(r.Stat())
	case wire.SetData:
		return text + " " + describeStat(r.Stat())
	case wire.GetData:
		return text + " " + describeData(r.Bytes()) + " " + describeStat(r.Stat())
	case wire.GetChildren:
		return text + " " + d.paths(r.Strings())
	}
	return text
}
