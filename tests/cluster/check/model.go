package check

import (
	"github.com/anishathalye/porcupine"

	"pando.test/cluster/history"
)

// group is the state of a group of registers. Comparable, as porcupine wants it.
type group struct {
	// The newest write's revision, as far as it is known.
	revision  int64
	registers [history.RegistersPerGroup]history.Register
}

// question is what porcupine knows as an operation's input.
type question struct {
	history.Command
}

// reply is what porcupine knows as an operation's output.
type reply struct {
	history.Answer
	known bool
}

// model: versioned registers with compare-and-set and transactions over those of one group.
var model = porcupine.Model{
	Init: func() any { return group{} },
	Step: func(state, input, output any) (bool, any) {
		return step(state.(group), input.(question).Command, output.(reply))
	},
	DescribeOperation: describeOperation,
	DescribeState:     describeState,
}

// step runs the command on the state; false if the answer cannot be the answer to that.
func step(before group, command history.Command, got reply) (bool, group) {
	branch, steps := true, command.Then
	for _, compare := range command.Compares {
		if !holds(before.registers[compare.Register], compare) {
			branch, steps = false, command.Else
			break
		}
	}
	after := before
	results, reason, failed := run(&after, steps)
	if reason != "" {
		after = before
	}
	if !got.known {
		return true, after
	}
	if got.Reason != reason {
		return false, before
	}
	if reason != "" {
		return !command.Transaction || got.FailedStep == failed, before
	}
	if got.ComparedTrue != branch || len(got.Results) != len(results) {
		return false, before
	}
	wrote := false
	for i := range results {
		if steps[i].Kind == history.Get {
			if !matches(&after, steps[i].Register, results[i], got.Results[i], got.ValuesOmitted) {
				return false, before
			}
			continue
		}
		wrote = true
		if left := got.Results[i]; steps[i].Kind != history.Delete &&
			(left.Version != results[i].Version || left.Modified != got.Revision) {
			return false, before
		}
	}
	if !wrote {
		return got.Revision >= before.revision, after
	}
	if got.Revision <= before.revision {
		return false, before
	}
	// Only now is it known which revision the registers that it wrote have.
	for _, s := range steps {
		if register := &after.registers[s.Register]; s.Kind != history.Get && register.Exists {
			register.Modified = got.Revision
		}
	}
	after.revision = got.Revision
	return true, after
}

func holds(register history.Register, compare history.Compare) bool {
	if !compare.Exists {
		return !register.Exists
	}
	return register.Exists && register.Version == compare.Version
}

// run applies the steps one after the other, or tells why and where they fail.
func run(state *group, steps []history.Step) (
	results []history.Register, reason string, failed int) {
	for i, s := range steps {
		register := &state.registers[s.Register]
		if s.Kind == history.Create {
			if register.Exists {
				return nil, "NODE_EXISTS", i
			}
			*register = history.Register{Exists: true, Value: s.Value}
			results = append(results, *register)
			continue
		}
		if !register.Exists {
			return nil, "NO_NODE", i
		}
		if s.Kind != history.Get && s.Expected != history.AnyVersion && s.Expected != register.Version {
			return nil, "BAD_VERSION", i
		}
		switch s.Kind {
		case history.Set:
			*register = history.Register{Exists: true, Version: register.Version + 1, Value: s.Value}
		case history.Delete:
			*register = history.Register{}
		}
		results = append(results, *register)
	}
	return results, "", 0
}

// matches tells whether a Get may have seen `saw` where the model has `is`. What the model did not
// know of the register, because its write was not answered, it knows from then on.
func matches(state *group, register int, is, saw history.Register, valueOmitted bool) bool {
	if is.Version != saw.Version || (!valueOmitted && is.Value != saw.Value) {
		return false
	}
	if is.Modified != 0 && is.Modified != saw.Modified {
		return false
	}
	now := &state.registers[register]
	if is.Modified == 0 && now.Exists && now.Version == is.Version && now.Value == is.Value {
		now.Modified = saw.Modified
	}
	return true
}
