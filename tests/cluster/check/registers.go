package check

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"

	"pando.test/cluster/history"
)

// How long porcupine may think about one group. One that it cannot decide is no success.
const decideTimeout = 60 * time.Second

// Registers asks porcupine whether each group's operations are linearizable: those that were not
// answered may have taken effect at any time after their call, or never.
func Registers(h *history.History, folder string) []Violation {
	groups := map[int][]porcupine.Operation{}
	for _, o := range h.Operations {
		if o.Local || (!o.Known() && o.ReadOnly()) {
			continue
		}
		groups[o.Group] = append(groups[o.Group], porcupine.Operation{
			ClientId: o.Client,
			Input:    question{o.Command},
			Output:   reply{o.Answer, o.Known()},
			Call:     int64(o.Call),
			Return:   int64(o.Return),
		})
	}
	var v violations
	for number, operations := range groups {
		result, info := porcupine.CheckOperationsVerbose(model, operations, decideTimeout)
		if result == porcupine.Ok {
			continue
		}
		picture := "no picture"
		if folder != "" {
			picture = filepath.Join(folder, fmt.Sprintf("group-%d.html", number))
			if err := porcupine.VisualizePath(model, info, picture); err != nil {
				picture = err.Error()
			}
		}
		if result == porcupine.Unknown {
			v.add(Linearizable, "group %d: not decided within %v (%d operations)", number,
				decideTimeout, len(operations))
		} else {
			v.add(Linearizable, "group %d is not (%d operations; %s)", number, len(operations), picture)
		}
	}
	return v.found
}

func describeOperation(input, output any) string {
	command, got := input.(question).Command, output.(reply)
	text := describeCommand(command)
	switch {
	case !got.known:
		return text + " → ?"
	case got.Reason != "":
		return text + " → " + got.Reason
	}
	var results []string
	for _, r := range got.Results {
		results = append(results, describeRegister(r))
	}
	branch := ""
	if !got.ComparedTrue {
		branch = "else "
	}
	return fmt.Sprintf("%s → %s%s @%d", text, branch, strings.Join(results, ", "), got.Revision)
}

func describeCommand(command history.Command) string {
	var parts []string
	for _, c := range command.Compares {
		if c.Exists {
			parts = append(parts, fmt.Sprintf("if %d is v%d", c.Register, c.Version))
		} else {
			parts = append(parts, fmt.Sprintf("if no %d", c.Register))
		}
	}
	parts = append(parts, describeSteps(command.Then)...)
	if len(command.Else) > 0 {
		parts = append(append(parts, "else"), describeSteps(command.Else)...)
	}
	return strings.Join(parts, " ")
}

func describeSteps(steps []history.Step) []string {
	var parts []string
	for _, s := range steps {
		text := fmt.Sprintf("%s %d", s.Kind, s.Register)
		if s.Value != "" {
			text += "=" + s.Value
		}
		if s.Expected != history.AnyVersion && s.Kind != history.Get && s.Kind != history.Create {
			text += fmt.Sprintf(" at v%d", s.Expected)
		}
		parts = append(parts, text)
	}
	return parts
}

func describeRegister(r history.Register) string {
	if !r.Exists {
		return "-"
	}
	return fmt.Sprintf("%s v%d", r.Value, r.Version)
}

func describeState(state any) string {
	var parts []string
	for _, r := range state.(group).registers {
		parts = append(parts, describeRegister(r))
	}
	return fmt.Sprintf("@%d %s", state.(group).revision, strings.Join(parts, " | "))
}
