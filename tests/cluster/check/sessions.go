package check

import (
	"fmt"

	"pando.test/cluster/history"
)

// Sessions holds the ends of sessions, and of their ephemeral nodes, against their beats.
func Sessions(h *history.History) []Violation {
	var v violations
	gone := map[string]history.Event{} // of ephemeral nodes, by path: the first that tells
	for _, watch := range h.Watches {
		for _, event := range watch.Events() {
			earlier, known := gone[event.Path]
			if event.Kind == history.Deleted && event.Owner != 0 && (!known || event.Seen < earlier.Seen) {
				gone[event.Path] = event
			}
		}
	}
	left := map[string]bool{}
	for _, node := range h.Final.Nodes {
		left[node.Path] = true
	}
	for _, session := range h.Sessions {
		ended := session.Expired
		if event, known := gone[session.Ephemeral]; known {
			ended = min(ended, event.Seen)
		}
		promised := history.Time(0)
		for _, beat := range session.Beats {
			// A beat that was answered after the end was answered wrongly whatever it promised.
			promised = max(promised, beat.Sent+beat.TimeLeft)
		}
		if ended < promised {
			v.add(SessionPromise, "session %#x ended at %v, and was promised to %v", session.ID, ended,
				promised)
		}
		switch silent := session.Silent != history.Never; {
		case !silent && ended != history.Never:
			v.add(SessionKept, "session %#x ended at %v; %s", session.ID, ended, lastBeat(session))
		case !silent && session.Ephemeral != "" && !left[session.Ephemeral]:
			v.add(SessionKept, "session %#x beats, and %s is not there", session.ID, session.Ephemeral)
		case silent && left[session.Ephemeral]:
			v.add(SessionEnds, "session %#x is silent since %v, and %s is there", session.ID,
				session.Silent, session.Ephemeral)
		}
	}
	return v.found
}

func lastBeat(session history.Session) string {
	if len(session.Beats) == 0 {
		return "it had no beat"
	}
	beat := session.Beats[len(session.Beats)-1]
	return fmt.Sprintf("the last beat was sent to server %d at %v, answered at %v with %v left",
		beat.Server, beat.Sent, beat.Answered, beat.TimeLeft)
}
