package history

import "fmt"

// RegistersPerGroup nodes make a group. Operations stay within one, so that each group's history
// can be checked on its own.
const RegistersPerGroup = 3

// Register is a node as an operation sees or leaves it.
type Register struct {
	Exists bool
	// How often it was set since it was created.
	Version int64
	// The revision that set it last; 0: not known.
	Modified int64
	Value    string
}

type StepKind string

const (
	Get    StepKind = "get"
	Set    StepKind = "set"
	Create StepKind = "create"
	Delete StepKind = "delete"
)

// AnyVersion as a Step's Expected asks for none.
const AnyVersion int64 = -1

type Step struct {
	Kind     StepKind
	Register int // within the group
	Value    string
	Expected int64
}

// Compare is true if the node is there, at that version; or if it is not there.
type Compare struct {
	Register int
	Exists   bool
	Version  int64
}

// Command is one operation on the registers of a group. A call of its own is one with one step.
type Command struct {
	Group      int
	Compares   []Compare
	Then, Else []Step
	// Sent as a Transact; else as the call that its only step names.
	Transaction bool
}

// ReadOnly commands change nothing, whatever they find.
func (c Command) ReadOnly() bool {
	for _, steps := range [][]Step{c.Then, c.Else} {
		for _, step := range steps {
			if step.Kind != Get {
				return false
			}
		}
	}
	return true
}

// Answer is what came back for a Command. Results has one Register a step of the branch that ran:
// as a Get saw it, as a Create or a Set left it, empty for a Delete.
type Answer struct {
	Revision     int64 // 0: not told, with a Reason
	ComparedTrue bool  // which branch ran
	Results      []Register
	// Set if the command failed and changed nothing: NO_NODE, NODE_EXISTS or BAD_VERSION.
	Reason     string
	FailedStep int
	// The answer to a repeat: values that were read are not in it.
	ValuesOmitted bool
}

// Operation is one Command from its first call to its answer, over all repeats of it.
type Operation struct {
	Client int
	Server int // that answered; 0: none
	Call   Time
	Return Time // Never: the outcome is not known
	Command
	Answer
	// A read of one server as it stands, at least at this revision; 0: a linearizable one.
	Local       bool
	MinRevision int64
}

func (o Operation) Known() bool { return o.Return != Never }

func (o Operation) String() string {
	return fmt.Sprintf("client %d server %d [%v, %v] %+v -> %+v", o.Client, o.Server, o.Call,
		o.Return, o.Command, o.Answer)
}

// RegisterPath names a register in the tree.
func RegisterPath(group, register int) string {
	return fmt.Sprintf("%s/%d-%d", RegistersRoot, group, register)
}
