package program

import (
	"fmt"
	"strings"

	"pando.test/compat/wire"
)

// String is the op as a person reads it, with what matters for its kind.
func (o Op) String() string {
	var s strings.Builder
	s.WriteString(o.Kind)
	say := func(format string, args ...any) { fmt.Fprintf(&s, " "+format, args...) }
	if o.NullPath {
		say("null path")
	} else if o.Path != "" {
		say("%q", o.Path)
	}
	switch o.Kind {
	case "create", "create2", "createContainer", "createTTL":
		say("flags=%d acl=%s", o.Flags, describeACL(o.ACL, o.NoACL))
		if o.Kind == "createTTL" {
			say("ttl=%d", o.TTL)
		}
	case "setACL":
		say("version=%d acl=%s", o.Version, describeACL(o.ACL, o.NoACL))
	case "delete", "set", "check":
		say("version=%d", o.Version)
	case "addWatch", "removeWatches", "checkWatches":
		say("mode=%d", o.Mode)
	case "setWatches", "setWatches2":
		say("behind=%d data=%q exist=%q child=%q persistent=%q recursive=%q", o.Behind,
			o.DataWatches, o.Exist, o.Child, o.Persistent, o.Recursive)
	case "multi", "multiRead":
		say("%v", o.Ops)
	case "addauth":
		say("%s %q", o.Scheme, o.Auth)
	case "unknown":
		say("opcode=%d", o.Opcode)
	}
	if o.Watch {
		say("watch")
	}
	if o.Cut > 0 {
		say("cut=%d", o.Cut)
	}
	if o.Extra > 0 {
		say("extra=%d", o.Extra)
	}
	return s.String()
}

func describeACL(acls []wire.ACL, null bool) string {
	if null {
		return "null"
	}
	some := make([]string, 0, len(acls))
	for _, acl := range acls {
		some = append(some, fmt.Sprintf("%s:%s:%d", acl.Scheme, acl.ID, acl.Perms))
	}
	return "[" + strings.Join(some, " ") + "]"
}
