"""Watches: what a session watches, all of it on one stream.

One stream, because only so it is known which events precede a reply: `stream_revision` says how far
the session's streams must have come, and a stream without an event there would say so only with
its next progress mark. Each watch has a cursor of its own; the stream goes on from the lowest, and
every watch takes what is above its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence

from pando.errors import CompactedError, InvalidError
from pando.feed import Feed
from pando.v1 import common_pb2 as common
from pando.v1 import tree_pb2 as tree

# A watch that has so many events to be taken lags: it leaves the stream until half are taken.
EVENTS_MAX = 10_000
TARGETS_MAX = 10_000

_NEVER = 1 << 63


def watch_node(path: str, *, with_data: bool = False) -> tree.WatchTarget:
    """All changes of one node."""
    return tree.WatchTarget(path=path, kind=tree.WATCH_KIND_NODE, with_data=with_data)


def watch_children(path: str) -> tree.WatchTarget:
    """Direct children that come and go."""
    return tree.WatchTarget(path=path, kind=tree.WATCH_KIND_CHILDREN)


def watch_subtree(path: str, *, with_data: bool = False) -> tree.WatchTarget:
    """All changes of a node and of all below it."""
    return tree.WatchTarget(path=path, kind=tree.WATCH_KIND_SUBTREE, with_data=with_data)


def matches(target: tree.WatchTarget, event: tree.WatchEvent) -> bool:
    """As the server matches them."""
    if target.kind == tree.WATCH_KIND_CHILDREN:
        parent = event.path.rpartition("/")[0] or "/"
        comes_or_goes = event.kind in (tree.EVENT_KIND_CREATED, tree.EVENT_KIND_DELETED)
        return comes_or_goes and event.path != "/" and parent == target.path
    if event.path == target.path:
        return True
    below = target.path.rstrip("/") + "/"
    return target.kind == tree.WATCH_KIND_SUBTREE and event.path.startswith(below)


class Watch(Feed[tree.WatchEvent]):
    """The events of some targets: each once, in order, without a gap, over servers that fail.

    Iterate over it, or get() one event at a time. It ends with CompactedError where changes are no
    longer kept, and with the session's own end.
    """

    def __init__(
        self,
        targets: Sequence[tree.WatchTarget],
        initial: Sequence[tree.WalkEntry],
        cursor: int,
    ) -> None:
        super().__init__()
        self.targets = tuple(targets)
        # With send_initial: the state that the events come after, as of `start_revision` - 1.
        self.initial = tuple(initial)
        self.start_revision = cursor + 1
        self._cursor = cursor  # all up to here was told; the session's loop's own
        self._lagging = False
        self._home: tuple[Watches, asyncio.AbstractEventLoop] | None = None

    def get(self, timeout: float | None = None) -> tree.WatchEvent:
        event = super().get(timeout)
        if self._lagging and len(self) <= EVENTS_MAX // 2:
            self._ask(Watches.resume)
        return event

    def close(self) -> None:
        self._ask(Watches.remove)
        self._end()

    def _ask(self, change: Callable[[Watches, Watch], None]) -> None:
        assert self._home is not None
        watches, loop = self._home
        loop.call_soon_threadsafe(change, watches, self)


class Watches:
    """The session's loop's own."""

    def __init__(self) -> None:
        self._all: list[Watch] = []
        self._partial: list[tree.WatchEvent] = []
        self._opened_at = _NEVER
        self._moved = asyncio.Event()
        self.changed = asyncio.Event()  # the stream at hand no longer fits what is watched

    def add(self, watch: Watch) -> None:
        if sum(len(w.targets) for w in self._all) + len(watch.targets) > TARGETS_MAX:
            raise InvalidError(f"a session watches at most {TARGETS_MAX} targets", "TOO_LARGE")
        watch._home = (self, asyncio.get_running_loop())
        self._all.append(watch)
        self._change()

    def remove(self, watch: Watch) -> None:
        if watch in self._all:
            self._all.remove(watch)
            self._change()

    def resume(self, watch: Watch) -> None:
        if watch in self._all and watch._lagging:
            watch._lagging = False
            self._change()

    def request(self, header: common.RequestHeader) -> tree.WatchRequest | None:
        """Opens the stream; None: nothing is watched."""
        self.changed.clear()
        self.disconnected()
        live = self._live()
        if not live:
            return None
        return tree.WatchRequest(
            header=header,
            targets=[target for watch in live for target in watch.targets],
            start_revision=self._cursor() + 1,
        )

    def disconnected(self) -> None:
        self._opened_at = _NEVER
        self._partial.clear()

    def take(self, response: tree.WatchResponse) -> None:
        """A message of the stream: its events to those who watch for them."""
        if self._opened_at == _NEVER:
            self._opened_at = response.header.revision
        self._partial.extend(response.events)
        if response.partial:
            return  # a stream that is resumed begins the revision again
        events, self._partial = self._partial, []
        for watch in self._live():
            self._tell(watch, events, response.progress_revision)
        self._notify()

    def compacted(self, error: CompactedError) -> None:
        """Changes from below error.oldest_revision are gone: so are the watches that need them."""
        live = self._live()
        for watch in [w for w in live if w._cursor + 1 < error.oldest_revision] or live:
            self._all.remove(watch)
            watch._end(error)
        self._change()

    async def precede(self, header: common.ResponseHeader) -> None:
        """Returns once all was told that comes before a reply with this header."""
        while self._due(header) > self._cursor():
            await self._moved.wait()

    def end(self, error: Exception | None) -> None:
        for watch in self._all:
            watch._end(error)
        self._all.clear()
        self._notify()

    def _tell(self, watch: Watch, events: Iterable[tree.WatchEvent], progress: int) -> None:
        its = [
            event
            for event in events
            if event.revision > watch._cursor
            and any(matches(target, event) for target in watch.targets)
        ]
        watch._cursor = max(watch._cursor, progress)
        # First: who takes the last of them must see that the stream is to come back.
        if len(watch) + len(its) > EVENTS_MAX:
            watch._lagging = True
            self.changed.set()
        watch._put(its)

    def _due(self, header: common.ResponseHeader) -> int:
        # A reply as old as the stream may come from when the server did not know the stream yet.
        if header.revision <= self._opened_at:
            return header.revision
        return header.stream_revision

    def _live(self) -> list[Watch]:
        return [watch for watch in self._all if not watch._lagging]

    def _cursor(self) -> int:
        return min((watch._cursor for watch in self._live()), default=_NEVER)

    def _change(self) -> None:
        self.changed.set()
        self._notify()

    def _notify(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()
