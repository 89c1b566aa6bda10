package program

import "math/rand/v2"

// Clients of a program.
const Clients = 3

const opsMax = 300

// Random is the program of a seed.
func Random(seed uint64) Program {
	c := choice{rand.New(rand.NewPCG(seed, 0x70616e646f))}
	p := Program{Seed: seed}
	for p.Size() < opsMax {
		p.Bursts = append(p.Bursts, Burst{Client: c.IntN(Clients), Ops: c.burst()})
	}
	return p
}

func (c choice) burst() []Op {
	switch {
	case c.one(25):
		return []Op{c.connection()}
	case c.one(30):
		return []Op{c.closer()}
	case c.one(20):
		// An addauth is answered out of turn: only as the first of its burst is its place known.
		first := Op{Kind: "addauth", Scheme: "digest", Auth: c.credentials()}
		return append([]Op{first}, c.requests()...)
	}
	return c.requests()
}

func (c choice) requests() []Op {
	ops := make([]Op, 0, 8)
	for range 1 + c.IntN(8) {
		op := c.damage(c.request())
		ops = append(ops, op)
		if op.Kind == "setACL" {
			// ZooKeeper checks writes that it has queued behind a setACL by the list before or by the
			// list after it, as it happens. So nothing follows before it is answered.
			break
		}
	}
	return ops
}

func (c choice) credentials() string {
	return pick(c, []string{"u1:p1", "u2:p2", "u1:wrong", "nobody", ""})
}

func (c choice) connection() Op {
	op := Op{Kind: pick(c, []string{"connect", "reattach", "reattach", "reattach",
		"reattach-wrong-password", "reattach-from-the-future"})}
	op.TimeoutMs = pick(c, []int32{30_000, 40_000, 60_000, 100_000_000})
	op.OmitReadOnly = c.one(4)
	return op
}

// closer is a burst of its own: see MayClose.
func (c choice) closer() Op {
	switch c.IntN(6) {
	case 0:
		return Op{Kind: "unknown", Opcode: pick(c, []int32{10, 23, 99, 108, 999, -12, 1 << 30})}
	case 1:
		return Op{Kind: "check", Path: c.path(), Version: c.version()}
	case 2:
		return Op{Kind: pick(c, []string{"oversize", "negative-length"})}
	case 3:
		return Op{Kind: "addauth", Scheme: pick(c, []string{"world", "nonsense", "auth", ""}), Auth: "x"}
	}
	return Op{Kind: "close"}
}

// damage breaks an encoding, now and then.
func (c choice) damage(op Op) Op {
	switch {
	case op.Kind == "ping" || !c.one(60):
	case c.one(4):
		op.NullPath = true
	case c.one(2):
		op.Extra = 1 + c.IntN(9)
	default:
		op.Cut = 1 + c.IntN(9)
	}
	return op
}

func (c choice) request() Op {
	switch n := c.IntN(100); {
	case n < 22:
		return c.create()
	case n < 32:
		return c.delete()
	case n < 42:
		return c.set()
	case n < 62:
		return c.read()
	case n < 72:
		return c.multi()
	case n < 75:
		return c.multiRead()
	case n < 85:
		return c.watch()
	case n < 91:
		return c.access()
	case n < 94:
		return Op{Kind: "getAllChildrenNumber", Path: c.path()}
	case n < 96:
		return Op{Kind: "getEphemerals", Path: pick(c, []string{"/", "/a", "/a/b", "/", "/nothing"})}
	case n < 98:
		return Op{Kind: "ping"}
	}
	return Op{Kind: "sync", Path: c.path()}
}

func (c choice) delete() Op {
	op := Op{Kind: "delete", Path: c.path(), Version: c.version()}
	if c.one(40) {
		op.Path = pick(c, system)
	}
	return op
}

// writable is a path of which other programs see nothing, or where a write must fail.
func (c choice) writable() string {
	if c.one(40) {
		return pick(c, refusing)
	}
	return c.path()
}

func (c choice) create() Op {
	op := Op{Kind: pick(c, []string{"create", "create2", "create2"}), Path: c.writable(),
		Data: c.data()}
	op.Flags = pick(c, []int32{0, 0, 0, 0, 0, 0, 1, 1, 2, 3})
	switch {
	case c.one(12):
		op.Kind, op.Flags = "createContainer", 4
	case c.one(12):
		op.Kind, op.Flags = "createTTL", pick(c, []int32{5, 6})
		op.TTL = pick(c, []int64{3_600_000, 7_200_000, 1<<40 - 1, 0, -1, 1 << 40})
	case c.one(30):
		op.Flags = pick(c, []int32{4, 5, 6, 7, -1, 100})
	}
	switch op.Flags {
	case 2, 3, 6:
		op.Path = c.parent() + pick(c, []string{"/s", "/s", "/", ""})
		if c.one(40) {
			op.Path = "/s"
		}
	case 4:
		op.Path = c.container()
	}
	c.acl(&op, true)
	return op
}

func (c choice) set() Op {
	return Op{Kind: "set", Path: c.writable(), Data: c.data(), Version: c.version()}
}

func (c choice) read() Op {
	op := Op{Kind: pick(c, []string{"get", "get", "exists", "exists", "children", "children2"}),
		Path: c.path(), Watch: c.one(2)}
	if c.one(60) {
		op = Op{Kind: "exists", Path: "/zookeeper/none"}
	}
	return op
}

func (c choice) multi() Op {
	op := Op{Kind: "multi", Ops: []Op{}}
	for range c.IntN(5) {
		switch {
		case c.one(3):
			op.Ops = append(op.Ops, Op{Kind: "check", Path: c.path(), Version: c.version()})
		case c.one(3):
			op.Ops = append(op.Ops, c.delete())
		case c.one(3):
			op.Ops = append(op.Ops, c.set())
		case c.one(60):
			op.Ops = append(op.Ops, Op{Kind: "get", Path: c.path()})
		default:
			op.Ops = append(op.Ops, c.create())
		}
	}
	return op
}

func (c choice) multiRead() Op {
	op := Op{Kind: "multiRead", Ops: []Op{}}
	for range c.IntN(5) {
		kind := pick(c, []string{"get", "children"})
		if c.one(60) {
			kind = "exists"
		}
		op.Ops = append(op.Ops, Op{Kind: kind, Path: c.path(), Watch: c.one(3)})
	}
	return op
}

func (c choice) watch() Op {
	switch n := c.IntN(10); {
	case n < 4:
		return Op{Kind: "addWatch", Path: c.path(), Mode: pick(c, []int32{0, 0, 0, 1, 1, 1, 2, -1})}
	case n < 7:
		return Op{Kind: pick(c, []string{"removeWatches", "removeWatches", "checkWatches"}),
			Path: c.good(), Mode: pick(c, []int32{1, 2, 3, 3, 4, 5, 0, 9})}
	}
	op := Op{Kind: "setWatches", Behind: c.IntN(12), DataWatches: c.paths(2), Exist: c.paths(2),
		Child: c.paths(2)}
	if c.one(2) {
		op.Kind, op.Persistent, op.Recursive = "setWatches2", c.paths(2), c.paths(2)
	}
	return op
}

func (c choice) access() Op {
	switch c.IntN(4) {
	case 0:
		return Op{Kind: "whoAmI"}
	case 1:
		op := Op{Kind: "setACL", Path: c.writable(), Version: c.version()}
		c.acl(&op, c.one(2))
		return op
	}
	return Op{Kind: "getACL", Path: c.path()}
}
