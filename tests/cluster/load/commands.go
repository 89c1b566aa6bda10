package load

import (
	"fmt"

	"pando.test/cluster/history"
)

// registers chooses commands by what a client knows of the registers, so that most of its
// compare-and-sets have a chance.
type registers struct {
	numbered
	known    [groups][history.RegistersPerGroup]history.Register
	revision int64 // the newest that it was told
	values   int
}

func (r *registers) choose() history.Command {
	group, register := r.random.IntN(groups), r.random.IntN(history.RegistersPerGroup)
	known := r.known[group][register]
	if !known.Exists && r.random.IntN(3) > 0 {
		return single(group, history.Step{Kind: history.Create, Register: register, Value: r.value()})
	}
	switch dice := r.random.IntN(100); {
	case dice < 40:
		return single(group, history.Step{Kind: history.Get, Register: register})
	case dice < 60:
		return single(group, history.Step{Kind: history.Set, Register: register, Value: r.value(),
			Expected: history.AnyVersion})
	case dice < 77:
		return single(group, history.Step{Kind: history.Set, Register: register, Value: r.value(),
			Expected: known.Version})
	case dice < 82:
		return single(group, history.Step{Kind: history.Delete, Register: register,
			Expected: known.Version})
	default:
		return r.transaction(group, register, known)
	}
}

// transaction moves two registers on together if the first is as known, and looks at it if not.
func (r *registers) transaction(group, register int, known history.Register) history.Command {
	next := (register + 1) % history.RegistersPerGroup
	last := (register + 2) % history.RegistersPerGroup
	return history.Command{
		Group: group,
		Compares: []history.Compare{
			{Register: register, Exists: known.Exists, Version: known.Version}},
		Then: []history.Step{
			{Kind: history.Get, Register: last},
			{Kind: history.Set, Register: next, Value: r.value(), Expected: history.AnyVersion},
			{Kind: history.Set, Register: register, Value: r.value(), Expected: known.Version},
		},
		Else:        []history.Step{{Kind: history.Get, Register: register}},
		Transaction: true,
	}
}

func single(group int, step history.Step) history.Command {
	return history.Command{Group: group, Then: []history.Step{step}}
}

// value is unique in the run.
func (r *registers) value() string {
	r.values++
	return fmt.Sprintf("%d.%d", r.client, r.values)
}

// learn takes what an answer says of the registers.
func (r *registers) learn(command history.Command, answer history.Answer) {
	known := &r.known[command.Group]
	if answer.Reason != "" {
		switch steps := command.Then; {
		case command.Transaction:
		case answer.Reason == "NO_NODE":
			known[steps[0].Register] = history.Register{}
		case answer.Reason == "NODE_EXISTS":
			known[steps[0].Register].Exists = true
		}
		return
	}
	r.revision = max(r.revision, answer.Revision)
	steps := command.Then
	if !answer.ComparedTrue {
		steps = command.Else
	}
	for i, step := range steps {
		known[step.Register] = answer.Results[i]
	}
}
