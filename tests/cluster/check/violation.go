// Package check holds the promises of Pando against a history. Each rule has a test that doctors a
// history and sees it found.
package check

import (
	"fmt"

	"pando.test/cluster/history"
)

// Rule is one promise.
type Rule string

const (
	Linearizable     Rule = "operations are linearizable"
	LocalRead        Rule = "a local read shows the tree at its revision, not before min_revision"
	Acknowledged     Rule = "what was acknowledged is not lost"
	ExactlyOnce      Rule = "a write with a request id is applied once"
	SessionOrder     Rule = "a session's writes are applied in its order"
	SessionPromise   Rule = "a session lives as long as its last beat was promised"
	SessionKept      Rule = "a session that beats is not lost"
	SessionEnds      Rule = "a session that is silent ends, with its ephemeral nodes"
	WatchOrder       Rule = "a watch tells each change once, in order"
	WatchGap         Rule = "a watch tells every change"
	WatchesAgree     Rule = "all watches tell the same"
	WatchesEndAtTree Rule = "the changes add up to the tree"
)

var rules = []Rule{Linearizable, LocalRead, Acknowledged, ExactlyOnce, SessionOrder, SessionPromise,
	SessionKept, SessionEnds, WatchOrder, WatchGap, WatchesAgree, WatchesEndAtTree}

// Violation is a promise that was broken.
type Violation struct {
	Rule Rule
	What string
}

func (v Violation) String() string { return fmt.Sprintf("%s: %s", v.Rule, v.What) }

// All checks everything. folder is where a picture of what is not linearizable goes; "": nowhere.
func All(h *history.History, folder string) []Violation {
	var found []Violation
	for _, check := range []func(*history.History) []Violation{
		Creates, Sessions, Watches, Writes, Reads,
	} {
		found = append(found, check(h)...)
	}
	return append(found, Registers(h, folder)...)
}

// violations collects what one check finds: the first few of each rule, since one cause has often
// a thousand effects.
type violations struct {
	found []Violation
	count map[Rule]int
}

const shownMax = 10

func (v *violations) add(rule Rule, format string, arguments ...any) {
	if v.count == nil {
		v.count = map[Rule]int{}
	}
	v.count[rule]++
	if v.count[rule] <= shownMax {
		v.found = append(v.found, Violation{rule, fmt.Sprintf(format, arguments...)})
	}
}
