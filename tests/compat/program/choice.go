package program

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"pando.test/compat/wire"
)

// Choice draws the small things that ops are made of. Few values, so that ops meet each other.
type choice struct{ *rand.Rand }

// one in n.
func (c choice) one(n int) bool { return c.IntN(n) == 0 }

func pick[T any](c choice, from []T) T { return from[c.IntN(len(from))] }

var names = []string{"a", "a", "b", "c"}

// good is a path that may well be there.
func (c choice) good() string {
	switch {
	case c.one(40):
		return "/"
	case c.one(6):
		return c.parent() + fmt.Sprintf("/s%010d", c.IntN(4))
	case c.one(20):
		return c.container()
	}
	return c.parent()
}

// parent is a path that may well be there, and may have children.
func (c choice) parent() string {
	path := ""
	for depth := 1 + min(c.IntN(3), c.IntN(3)); depth > 0; depth-- {
		path += "/" + pick(c, names)
	}
	return path
}

// container is the path of one, if it is there. It never has a child: once it had one, servers
// delete it when they come to it.
func (c choice) container() string { return c.parent() + "/container" }

var bad = []string{
	"a", "a/b", "//", "/a/", "/a//b", "/a/./b", "/a/../b", "/..", "/.", "/a/.", "/a/b/..",
	"/a\x00b", "/\x01", "/a\x1fb", "/a\x7fb", "/a\u0080b", "/a\u009fb", "/\ue000", "/\uf8ff",
	"/\ufff0", "/\uffff", "/\U0001F600", "/a b", "/ä", "/\u2028", "/.a", "/a.", "/...",
	"/\uf900",
	"/" + strings.Repeat("long", 60),
}

var system = []string{
	TrueRoot, "/zookeeper", "/zookeeper/config", "/zookeeper/quota", "/zookeeper/none",
}

// refusing are paths that take no write from us. The empty one is never read: there ZooKeeper takes
// it for the true root, and what that says depends on all programs.
var refusing = []string{"/zookeeper/config", "/zookeeper/config", ""}

// path is mostly a good one.
func (c choice) path() string {
	if c.one(25) {
		return pick(c, bad)
	}
	return c.good()
}

func (c choice) paths(n int) []string {
	some := make([]string, 0, n)
	for range c.IntN(n + 1) {
		some = append(some, c.path())
	}
	return some
}

func (c choice) data() *string {
	if c.one(8) {
		return nil
	}
	data := pick(c, []string{"", "x", "data", "\x00\x7f", strings.Repeat("0123456789", 20)})
	return &data
}

func (c choice) version() int32 {
	if c.one(2) {
		return -1
	}
	return pick(c, []int32{0, 0, 0, 1, 1, 2, 3, 7, -2, 1 << 30, -1 << 31})
}

// Digest ids of user:password pairs: u1:p1, u2:p2, as `addauth digest` makes them.
const (
	digest1 = "u1:fpT/y03U+EjItKZOSLGvjnJlyng="
	digest2 = "u2:o9NxcCGDPOlcV7JVhmKHOf5ctVE="
)

var goodACLs = []wire.ACL{
	{Perms: 31, Scheme: "world", ID: "anyone"}, {Perms: 1, Scheme: "world", ID: "anyone"},
	{Perms: 30, Scheme: "world", ID: "anyone"}, {Perms: 31, Scheme: "digest", ID: digest1},
	{Perms: 31, Scheme: "digest", ID: digest2}, {Perms: 3, Scheme: "digest", ID: digest1},
	{Perms: 31, Scheme: "auth", ID: ""}, {Perms: 16, Scheme: "auth", ID: ""},
	{Perms: 31, Scheme: "ip", ID: "127.0.0.1"}, {Perms: 1, Scheme: "ip", ID: "127.0.0.0/8"},
	{Perms: 31, Scheme: "ip", ID: "10.0.0.1"}, {Perms: 0, Scheme: "world", ID: "anyone"},
}

var badACLs = []wire.ACL{
	{Perms: 31, Scheme: "world", ID: "somebody"}, {Perms: 31, Scheme: "nonsense", ID: "x"},
	{Perms: 31, Scheme: "digest", ID: "u1"}, {Perms: 31, Scheme: "digest", ID: "a:b:c"},
	{Perms: 31, Scheme: "ip", ID: "300.1.1.1"}, {Perms: 31, Scheme: "ip", ID: "127.0.0.1/99"},
	{Perms: 31, Scheme: "", ID: ""}, {Perms: 31, Scheme: "digest", ID: ""},
	{Perms: 31, Scheme: "auth", ID: "ignored"}, {Perms: 255, Scheme: "world", ID: "anyone"},
	{Perms: -1, Scheme: "world", ID: "anyone"}, {Perms: 31, Scheme: "ip", ID: "127.0.0"},
}

// acl fills in the list of a create or setACL.
func (c choice) acl(op *Op, open bool) {
	switch {
	case open && !c.one(6):
		op.ACL = wire.OpenACL
	case c.one(30):
		op.NoACL = true
	case c.one(30):
		op.ACL = []wire.ACL{}
	case c.one(10):
		op.ACL = []wire.ACL{pick(c, goodACLs), pick(c, badACLs)}
	case c.one(6):
		same := pick(c, goodACLs)
		op.ACL = []wire.ACL{same, pick(c, goodACLs), same}
	default:
		op.ACL = []wire.ACL{pick(c, goodACLs), pick(c, goodACLs)}
	}
}
