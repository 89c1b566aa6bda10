package check

import (
	"fmt"
	"testing"
	"time"

	"pando.test/cluster/history"
)

const second = time.Second

// honest is a history without a fault: each test doctors one.
func honest() *history.History {
	path := history.RegisterPath(0, 0)
	ephemeral := history.EphemeralsRoot + "/1"
	silent := history.EphemeralsRoot + "/2"
	create := history.CreatesRoot + "/7-"
	events := []history.Event{
		{Revision: 1, Kind: history.Created, Path: history.Root, Modified: 1},
		{Revision: 5, Kind: history.Created, Path: ephemeral, Modified: 5, Owner: 3, Seen: 1 * second},
		{Revision: 6, Kind: history.Created, Path: silent, Modified: 6, Owner: 4, Seen: 1 * second},
		{Revision: 10, Kind: history.Created, Path: path, Value: "a", Modified: 10},
		{Revision: 11, Kind: history.Created, Path: create + "0000000000", Value: "7:1", Modified: 11},
		{Revision: 12, Kind: history.Changed, Path: path, Value: "b", Version: 1, Modified: 12},
		{Revision: 13, Kind: history.Created, Path: create + "0000000001", Value: "7:2", Modified: 13},
		{Revision: 14, Kind: history.Changed, Path: path, Value: "c", Version: 2, Modified: 14},
		{Revision: 20, Kind: history.Deleted, Path: silent, Modified: 6, Owner: 4, Seen: 9 * second},
	}
	watch := func(client int) history.Watch {
		first := append([]history.Event{}, events[:4]...)
		second := append([]history.Event{}, events[4:]...)
		for i := range first {
			first[i].Cursor = first[i].Revision - 1
		}
		for i := range second {
			second[i].Cursor = second[i].Revision - 1
		}
		return history.Watch{Client: client, Start: 1, Progress: 20, Streams: []history.Stream{
			{Server: 1, Start: 1, Events: first, End: "broken"},
			{Server: 2, Start: 11, Events: second, End: "cancelled"},
		}}
	}
	set := func(call history.Time, revision, version int64, value string) history.Operation {
		return history.Operation{Client: 1, Server: 1, Call: call, Return: call + 1,
			Command: history.Command{Then: []history.Step{
				{Kind: history.Set, Value: value, Expected: version - 1}}},
			Answer: history.Answer{Revision: revision, ComparedTrue: true, Results: []history.Register{
				{Exists: true, Version: version, Modified: revision, Value: value}}}}
	}
	get := func(call history.Time, revision int64, saw history.Register) history.Operation {
		return history.Operation{Client: 2, Server: 2, Call: call, Return: call + 1,
			Command: history.Command{Then: []history.Step{{Kind: history.Get}}},
			Answer: history.Answer{Revision: revision, ComparedTrue: true,
				Results: []history.Register{saw}}}
	}
	made := set(10, 10, 0, "a")
	made.Then[0].Kind = history.Create
	unanswered := set(20, 12, 1, "b")
	unanswered.Answer, unanswered.Return = history.Answer{}, history.Never
	local := get(60, 13, history.Register{Exists: true, Version: 1, Modified: 12, Value: "b"})
	local.Local, local.MinRevision = true, 12
	beats := []history.Beat{
		{Server: 1, Sent: 1 * second, Answered: 1 * second, TimeLeft: 4 * second},
		{Server: 2, Sent: 3 * second, Answered: 3 * second, TimeLeft: 4 * second},
	}
	return &history.History{
		Operations: []history.Operation{
			made,
			unanswered,
			get(30, 12, history.Register{Exists: true, Version: 1, Modified: 12, Value: "b"}),
			set(40, 14, 2, "c"),
			get(50, 14, history.Register{Exists: true, Version: 2, Modified: 14, Value: "c"}),
			local,
		},
		Creates: []history.CreateRun{{Client: 7, Prefix: create, Creates: []history.SequentialCreate{
			{Data: "7:1", Acknowledged: true, Path: create + "0000000000", Revision: 11},
			{Data: "7:2"},
		}}},
		Sessions: []history.Session{
			{ID: 3, Timeout: 4 * second, Ephemeral: ephemeral, Beats: beats,
				Silent: history.Never, Expired: history.Never},
			{ID: 4, Timeout: 4 * second, Ephemeral: silent, Beats: beats,
				Silent: 4 * second, Expired: history.Never},
		},
		Watches: []history.Watch{watch(8), watch(9)},
		Final: history.Tree{Revision: 20, Nodes: []history.Node{
			{Path: history.Root},
			{Path: ephemeral, Owner: 3},
			{Path: path, Value: "c", Version: 2},
			{Path: create + "0000000000", Value: "7:1"},
			{Path: create + "0000000001", Value: "7:2"},
		}},
	}
}

func TestAnHonestHistoryHasNoViolation(t *testing.T) {
	for _, violation := range All(honest(), "") {
		t.Error(violation)
	}
}

// doctor changes what must be noticed, and as which rule.
type doctor struct {
	rule   Rule
	what   string
	change func(h *history.History)
}

func first(h *history.History) *history.Stream   { return &h.Watches[0].Streams[0] }
func resumed(h *history.History) *history.Stream { return &h.Watches[0].Streams[1] }

var doctors = []doctor{
	{Linearizable, "a read returns what was overwritten before it", func(h *history.History) {
		h.Operations[4].Results[0] = h.Operations[2].Results[0]
	}},
	{Linearizable, "a read returns what nobody wrote", func(h *history.History) {
		h.Operations[2].Results[0].Value = "x"
	}},
	{Linearizable, "a read misses an acknowledged write", func(h *history.History) {
		h.Operations[4].Reason, h.Operations[4].Results = "NO_NODE", nil
	}},
	{Linearizable, "a compare-and-set succeeds at another version", func(h *history.History) {
		h.Operations[3].Then[0].Expected = 0
	}},
	{Linearizable, "a compare-and-set fails at the version it names", func(h *history.History) {
		h.Operations[3].Reason = "BAD_VERSION"
	}},
	{Linearizable, "a later write has an older revision", func(h *history.History) {
		h.Operations[3].Revision, h.Operations[3].Results[0].Modified = 9, 9
	}},
	{Linearizable, "a read is of a revision before what it shows", func(h *history.History) {
		h.Operations[4].Revision = 9
	}},
	{Linearizable, "an unanswered write is seen before it was asked for", func(h *history.History) {
		h.Operations[1].Call = 35
	}},
	{Linearizable, "a write that was refused is seen", func(h *history.History) {
		h.Operations = append(h.Operations[:1], h.Operations[2:]...)
	}},
	{Linearizable, "a transaction takes the branch that is excluded", func(h *history.History) {
		o := &h.Operations[4]
		o.Transaction, o.Compares = true, []history.Compare{{Register: 0, Exists: true, Version: 1}}
	}},
	{Linearizable, "a transaction sees one of two writes of another one", func(h *history.History) {
		both := history.Operation{Client: 3, Server: 1, Call: 70, Return: 71,
			Command: history.Command{Transaction: true, Then: []history.Step{
				{Kind: history.Create, Register: 1, Value: "x"},
				{Kind: history.Create, Register: 2, Value: "y"}}},
			Answer: history.Answer{Revision: 15, ComparedTrue: true, Results: []history.Register{
				{Exists: true, Modified: 15, Value: "x"}, {Exists: true, Modified: 15, Value: "y"}}}}
		half := history.Operation{Client: 3, Server: 1, Call: 70, Return: 80,
			Command: history.Command{Transaction: true, Then: []history.Step{
				{Kind: history.Get, Register: 1, Expected: history.AnyVersion},
				{Kind: history.Create, Register: 2, Value: "z"}}},
			Answer: history.Answer{Revision: 16, ComparedTrue: true, Results: []history.Register{
				{Exists: true, Modified: 15, Value: "x"}, {Exists: true, Modified: 16, Value: "z"}}}}
		h.Operations = append(h.Operations, both, half)
	}},
	{LocalRead, "a local read is older than min_revision", func(h *history.History) {
		h.Operations[5].MinRevision = 14
	}},
	{LocalRead, "a local read shows an older state than its revision", func(h *history.History) {
		h.Operations[5].Revision = 14
	}},
	{Acknowledged, "an acknowledged write has no change", func(h *history.History) {
		h.Operations[3].Revision, h.Operations[3].Results[0].Modified = 15, 15
	}},
	{Acknowledged, "an acknowledged create is not there", func(h *history.History) {
		h.Final.Nodes = append(h.Final.Nodes[:3], h.Final.Nodes[4:]...)
	}},
	{ExactlyOnce, "a create was applied twice", func(h *history.History) {
		h.Final.Nodes = append(h.Final.Nodes,
			history.Node{Path: history.CreatesRoot + "/7-0000000002", Value: "7:1"})
	}},
	{ExactlyOnce, "a repeat got another answer than the write", func(h *history.History) {
		h.Creates[0].Creates[0].Path = history.CreatesRoot + "/7-0000000009"
	}},
	{ExactlyOnce, "a create that was refused is there", func(h *history.History) {
		h.Creates[0].Creates[1].Refused = true
	}},
	{SessionOrder, "a session's creates have changed places", func(h *history.History) {
		creates := h.Creates[0].Creates
		creates[0], creates[1] = creates[1], creates[0]
	}},
	{SessionPromise, "a silent session ended before its promise", func(h *history.History) {
		for i := range h.Watches {
			events := h.Watches[i].Streams[1].Events
			events[len(events)-1].Seen = 6 * second
		}
	}},
	{SessionPromise, "a beat was promised time after the end", func(h *history.History) {
		h.Sessions[1].Beats = append(h.Sessions[1].Beats,
			history.Beat{Sent: 10 * second, TimeLeft: 4 * second})
	}},
	{SessionKept, "a session that beats is said to be over", func(h *history.History) {
		h.Sessions[0].Expired = 8 * second
	}},
	{SessionKept, "the node of a session that beats is gone", func(h *history.History) {
		h.Final.Nodes = append(h.Final.Nodes[:1], h.Final.Nodes[2:]...)
	}},
	{SessionEnds, "the node of a silent session stays", func(h *history.History) {
		h.Final.Nodes = append(h.Final.Nodes, history.Node{Path: h.Sessions[1].Ephemeral, Owner: 4})
	}},
	{WatchOrder, "a resumed stream tells a change again", func(h *history.History) {
		stream := resumed(h)
		stream.Events = append([]history.Event{first(h).Events[3]}, stream.Events...)
	}},
	{WatchOrder, "two changes have changed places", func(h *history.History) {
		events := first(h).Events
		events[1], events[2] = events[2], events[1]
	}},
	{WatchOrder, "a change comes after the cursor has passed it", func(h *history.History) {
		resumed(h).Events[0].Cursor = 11
	}},
	{WatchGap, "a change in the middle is missing", func(h *history.History) {
		for i := range h.Watches {
			stream := &h.Watches[i].Streams[1]
			stream.Events = append(stream.Events[:1:1], stream.Events[2:]...)
		}
	}},
	{WatchGap, "a watch stopped before the end", func(h *history.History) {
		h.Watches[0].Progress = 19
	}},
	{WatchesAgree, "one watch has another value", func(h *history.History) {
		h.Watches[1].Streams[0].Events[3].Value = "x"
	}},
	{WatchesAgree, "one watch lacks a create", func(h *history.History) {
		stream := &h.Watches[1].Streams[1]
		stream.Events = stream.Events[1:]
	}},
	{WatchesEndAtTree, "the last change is missing", func(h *history.History) {
		for i := range h.Watches {
			events := &h.Watches[i].Streams[1].Events
			*events = (*events)[:len(*events)-1]
		}
	}},
	{WatchesEndAtTree, "a node is not among the changes", func(h *history.History) {
		h.Final.Nodes = append(h.Final.Nodes, history.Node{Path: history.Root + "/x"})
	}},
}

func TestEachRuleFindsItsDoctoredHistory(t *testing.T) {
	tested := map[Rule]bool{}
	for _, d := range doctors {
		tested[d.rule] = true
		t.Run(d.what, func(t *testing.T) {
			h := honest()
			d.change(h)
			found := All(h, t.TempDir())
			for _, violation := range found {
				if violation.Rule == d.rule {
					return
				}
			}
			t.Errorf("not found: %s; found: %v", d.rule, found)
		})
	}
	for _, rule := range rules {
		if !tested[rule] {
			t.Errorf("no doctored history for: %s", rule)
		}
	}
}

func TestTheFirstOfManyViolationsAreShown(t *testing.T) {
	var v violations
	for i := range 2 * shownMax {
		v.add(WatchGap, "%s", fmt.Sprint(i))
	}
	if len(v.found) != shownMax {
		t.Errorf("%d are shown", len(v.found))
	}
}
