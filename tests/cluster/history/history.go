// Package history is what the clients of a run asked, saw and were told, with the times of one
// monotonic clock.
package history

import "fmt"

// Where the clients of a run work. Everything lies below Root, which is watched as a whole.
const (
	Root           = "/cluster"
	RegistersRoot  = Root + "/registers"
	CreatesRoot    = Root + "/creates"
	EphemeralsRoot = Root + "/ephemerals"
)

// History is everything that a run's checks look at.
type History struct {
	Operations []Operation
	Creates    []CreateRun
	Sessions   []Session
	Watches    []Watch
	Final      Tree
}

// CreateRun is the sequential nodes that one session asked for, in the order in which it did.
type CreateRun struct {
	Client  int
	Prefix  string
	Creates []SequentialCreate
}

// SequentialCreate is one of them. Data is unique in the run.
type SequentialCreate struct {
	Data string
	// Whether it is known to have been made.
	Acknowledged bool
	// Whether it is known to have been refused.
	Refused bool
	// As answered.
	Path     string
	Revision int64
}

// Session is one session's life, as its client saw it.
type Session struct {
	ID        int64
	Timeout   Time
	Opened    Time
	Ephemeral string // the path of its node; "": it has none
	Beats     []Beat
	// Beats are no longer sent on purpose after that; Never: they were to the end.
	Silent Time
	// When a server said that the session is over; Never: none did.
	Expired Time
}

// Beat is a sign of life that was answered with OK.
type Beat struct {
	Server   int
	Sent     Time
	Answered Time
	TimeLeft Time // promised, counted from Sent
}

type EventKind string

const (
	Created EventKind = "created"
	Deleted EventKind = "deleted"
	Changed EventKind = "changed"
)

// Event is one change that a watch told of.
type Event struct {
	Revision int64
	Kind     EventKind
	Path     string
	Version  int64
	Modified int64
	Owner    int64
	Value    string
	Seen     Time
	// The stream's cursor when it came: nothing up to it may come any more.
	Cursor int64
}

// Watch is what one client saw of all below Root, over all its streams.
type Watch struct {
	Client  int
	Start   int64 // the first revision asked for
	Streams []Stream
	// The last one told: all up to it has been seen.
	Progress int64
}

// Stream is one watch stream, on one server.
type Stream struct {
	Server int
	Start  int64
	Events []Event
	End    string // why it ended
}

// Events of all streams, as they came.
func (w Watch) Events() []Event {
	var events []Event
	for _, stream := range w.Streams {
		events = append(events, stream.Events...)
	}
	return events
}

// Node is one node of the tree at the end.
type Node struct {
	Path    string
	Value   string
	Version int64
	Owner   int64
}

// Tree is all below Root at one revision.
type Tree struct {
	Revision int64
	Nodes    []Node
}

func (e Event) String() string {
	return fmt.Sprintf("%d %s %s version %d %q", e.Revision, e.Kind, e.Path, e.Version, e.Value)
}
