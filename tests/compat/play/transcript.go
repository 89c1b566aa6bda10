// Package play has a server play a program, and writes down what a client sees, in terms that do
// not depend on the server: zxids and sessions get names by where they came from.
package play

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Line is one thing that a client saw.
type Line struct {
	Burst   int    `json:"burst"`
	Client  int    `json:"client"`
	What    string `json:"what"` // the request, or "event"
	Outcome string `json:"outcome"`
	zxid    int64  // of an event
}

func (l Line) String() string {
	return fmt.Sprintf("#%d client %d: %s -> %s", l.Burst, l.Client, l.What, l.Outcome)
}

// Transcript is all that the clients of a program saw.
type Transcript []Line

// names are what servers number as they like. Writes are named by their order in the program; raw
// numbers wait in the lines, marked, until all names are known: an event comes before the reply
// that tells its zxid.
type names struct {
	writes   []int64          // the zxid of each write that succeeded
	byZxid   map[int64]string // w1, w2, …
	sessions map[int64]string // s1, s2, …
	closes   map[int64]bool   // the zxids that ended a session
}

func newNames() *names {
	return &names{byZxid: map[int64]string{}, sessions: map[int64]string{}, closes: map[int64]bool{}}
}

func (n *names) write(zxid int64) {
	n.writes = append(n.writes, zxid)
	if _, known := n.byZxid[zxid]; !known {
		n.byZxid[zxid] = fmt.Sprintf("w%d", len(n.writes))
	}
}

// before is the zxid of the write before the last `behind` ones; 0 when there were not so many.
func (n *names) before(behind int) int64 {
	if behind >= len(n.writes) {
		return 0
	}
	return n.writes[len(n.writes)-1-behind]
}

func (n *names) session(id int64) {
	if _, known := n.sessions[id]; !known {
		n.sessions[id] = fmt.Sprintf("s%d", len(n.sessions)+1)
	}
}

const mark = "\x01"

func markZxid(zxid int64) string   { return fmt.Sprintf("%sz%d%s", mark, zxid, mark) }
func markOwner(owner int64) string { return fmt.Sprintf("%so%d%s", mark, owner, mark) }

var marked = regexp.MustCompile(mark + `[zo]-?\d+` + mark)

// finish puts names in the place of numbers, and sorts what has no order of its own.
func (n *names) finish(lines Transcript) Transcript {
	for i := range lines {
		lines[i].Outcome = marked.ReplaceAllStringFunc(lines[i].Outcome, n.name)
	}
	n.sortEventsOfCloses(lines)
	return lines
}

func (n *names) name(text string) string {
	number, _ := strconv.ParseInt(text[2:len(text)-1], 10, 64)
	table, unknown := n.byZxid, "another's"
	if text[1] == 'o' {
		table, unknown = n.sessions, "nobody we know"
	}
	if name, known := table[number]; known {
		return name
	}
	if number <= 0 {
		return strconv.FormatInt(number, 10)
	}
	return unknown
}

// sortEventsOfCloses: a session's ephemerals go in one write, and in no order that is promised.
func (n *names) sortEventsOfCloses(lines Transcript) {
	for from := 0; from < len(lines); {
		to := from + 1
		for to < len(lines) && n.closes[lines[from].zxid] && lines[to].zxid == lines[from].zxid &&
			lines[to].Burst == lines[from].Burst && lines[to].Client == lines[from].Client {
			to++
		}
		slices.SortFunc(lines[from:to], func(a, b Line) int {
			return strings.Compare(a.Outcome, b.Outcome)
		})
		from = to
	}
}
