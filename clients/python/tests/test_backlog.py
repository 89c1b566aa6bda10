"""Backlog and Watches by themselves: what a server would hardly do on demand."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

import pando
from pando._backlog import UNANSWERED_MAX, Backlog
from pando._operation import Operation
from pando.v1 import common_pb2 as common
from pando.v1 import tree_pb2 as tree
from pando.watches import EVENTS_MAX, Watches, matches


def operation(linearizable: bool = False, size: int = 0) -> Operation:
    return Operation(tree.SetRequest(path="/a", data=b"x" * size), 1.0, linearizable)


def ids(operations: list[Operation]) -> list[int]:
    return [operation.message.request_id for operation in operations]


def filled(*operations: Operation) -> Backlog:
    backlog = Backlog()
    for one in operations:
        backlog.add(one)
    return backlog


def test_what_is_unanswered_goes_again_first_and_in_order() -> None:
    backlog = filled(operation(), operation(), operation())
    assert ids(backlog.take()) == [1, 2, 3]
    backlog.add(operation())
    assert backlog.answered(1).message.request_id == 1
    again = backlog.answered(2)
    backlog.keep(again)
    backlog.rewind()
    assert backlog.first_outstanding == 2
    assert ids(backlog.take()) == [2, 3, 4]


def test_what_was_given_up_does_not_go_again() -> None:
    backlog = filled(operation(), operation())
    for one in backlog.take()[:1]:
        one.fail(TimeoutError())
    backlog.rewind()
    assert ids(backlog.take()) == [2]
    assert backlog.first_outstanding == 2


def test_an_answer_out_of_order_is_found() -> None:
    backlog = filled(operation(), operation())
    backlog.take()
    with pytest.raises(RuntimeError, match="answer 2 came where 1 was due"):
        backlog.answered(2)


def test_messages_are_bounded_and_of_one_consistency() -> None:
    backlog = filled(operation(size=1 << 20), operation(size=1 << 20), operation(True), operation())
    assert [ids(backlog.take()) for _ in range(5)] == [[1], [2], [3], [4], []]
    backlog = filled(*(operation() for _ in range(UNANSWERED_MAX + 1)))
    assert len(backlog.take()) == UNANSWERED_MAX
    assert backlog.take() == []
    backlog.answered(1)
    assert len(backlog.take()) == 1


def event(path: str, kind: tree.EventKind, revision: int = 1) -> tree.WatchEvent:
    return tree.WatchEvent(path=path, kind=kind, revision=revision)


def test_matches_as_the_server_does() -> None:
    created, changed = tree.EVENT_KIND_CREATED, tree.EVENT_KIND_DATA_CHANGED
    assert matches(pando.watch_node("/a"), event("/a", changed))
    assert not matches(pando.watch_node("/a"), event("/a/b", changed))
    assert matches(pando.watch_children("/a"), event("/a/b", created))
    assert not matches(pando.watch_children("/a"), event("/a/b", changed))
    assert not matches(pando.watch_children("/a"), event("/a/b/c", created))
    assert matches(pando.watch_children("/"), event("/a", created))
    assert not matches(pando.watch_children("/"), event("/", created))
    assert matches(pando.watch_subtree("/a"), event("/a/b/c", changed))
    assert not matches(pando.watch_subtree("/a"), event("/ab", changed))
    assert matches(pando.watch_subtree("/"), event("/", changed))


def message(progress: int, *events: tree.WatchEvent, partial: bool = False) -> tree.WatchResponse:
    return tree.WatchResponse(
        header=common.ResponseHeader(revision=10),
        events=events,
        partial=partial,
        progress_revision=progress,
    )


def test_a_revision_in_parts_is_told_once() -> None:
    async def body() -> None:
        watches, watch = Watches(), pando.Watch([pando.watch_subtree("/")], [], 4)
        watches.add(watch)
        part = event("/a", tree.EVENT_KIND_CREATED, 5)
        watches.request(common.RequestHeader())
        watches.take(message(4, part, partial=True))
        resumed = watches.request(common.RequestHeader())  # the stream broke between the parts
        assert resumed is not None
        assert resumed.start_revision == 5
        watches.take(message(4, part, partial=True))
        watches.take(message(5, event("/b", tree.EVENT_KIND_CREATED, 5)))
        assert [watch.get(0).path for _ in range(len(watch))] == ["/a", "/b"]

    asyncio.run(body())


def test_only_watches_that_need_what_is_gone_end() -> None:
    async def body() -> None:
        watches = Watches()
        old, new = (pando.Watch([pando.watch_node("/a")], [], cursor) for cursor in (4, 9))
        watches.add(old)
        watches.add(new)
        watches.compacted(pando.CompactedError("gone", metadata={"oldest_revision": "8"}))
        with pytest.raises(pando.CompactedError) as compacted:
            old.get(0)
        assert compacted.value.oldest_revision == 8
        request = watches.request(common.RequestHeader())
        assert request is not None
        assert request.start_revision == 10
        with pytest.raises(TimeoutError):
            new.get(0)

    asyncio.run(body())


def test_a_watch_lags_before_its_last_events_are_there() -> None:
    """Else a reader could take all of them, see no lag, and be left by the stream for ever."""
    lagged: list[bool] = []

    class Observed(pando.Watch):
        def _put(self, items: Sequence[tree.WatchEvent]) -> None:
            lagged.append(self._lagging)
            super()._put(items)

    async def body() -> None:
        watches, watch = Watches(), Observed([pando.watch_node("/a")], [], 4)
        watches.add(watch)
        changed = event("/a", tree.EVENT_KIND_DATA_CHANGED, 5)
        watches.take(message(5, *[changed] * (EVENTS_MAX + 1)))

    asyncio.run(body())
    assert lagged == [True]
