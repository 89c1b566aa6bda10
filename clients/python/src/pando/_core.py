"""Core: a session's life, on one event loop: found, attached to one server at a time, and lost.

connect ──► CONNECTED ──► SUSPENDED ──► RECONNECTED ──► …
                              └─ the lease ran out, or a server says so ─► LOST
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import grpc
import grpc.aio

from pando._backlog import Backlog
from pando._deadlines import Deadlines
from pando._link import Link, answered, next_message
from pando._operation import Operation
from pando.errors import (
    PandoError,
    SessionClosedError,
    SessionLostError,
    TimedOutError,
    UnavailableError,
)
from pando.options import Options
from pando.v1 import common_pb2 as common
from pando.v1 import session_pb2, session_pb2_grpc, tree_pb2_grpc
from pando.v1 import tree_pb2 as tree
from pando.watches import Watch, Watches

Answer = TypeVar("Answer")

# Between two rounds of all endpoints, in which none was of use.
_PAUSE_MIN = 0.02
_PAUSE_MAX = 0.5
# A link that lasted so long was of use: the next round begins at once.
_LINK_GOOD = 1.0
# Between two tries of a call on a link that is about to be found broken.
_CALL_PAUSE = 0.02
_CLOSE_TIMEOUT = 1.0


class SessionEvent(enum.Enum):
    """What happens to a session."""

    CONNECTED = "CONNECTED"  # it is open; once, and first
    SUSPENDED = "SUSPENDED"  # its server is gone; calls wait. Whoever holds a lock should pause
    RECONNECTED = "RECONNECTED"  # it lives on, on another server or the same
    LOST = "LOST"  # it is over, with its ephemeral nodes; last


class Core:
    def __init__(self, options: Options, emit: Callable[[SessionEvent], None]) -> None:
        self._options = options
        self._emit = emit
        self._endpoint = 0
        self._tried = 0
        self._pause = _PAUSE_MIN
        self._failures: dict[str, PandoError] = {}
        self._cluster_id = options.cluster_id
        self._revision = 0
        self._backlog = Backlog()
        self._deadlines = Deadlines(_expire)
        self._watches = Watches()
        self._life: asyncio.Task[Any] | None = None
        self._lease: asyncio.Timeout | None = None
        self._link: Link | None = None
        self._linked = asyncio.Event()
        self._end: PandoError | None = None
        self._closing = False
        self.session_id = 0
        self.timeout = options.session_timeout
        self.metadata: list[tuple[str, str | bytes]] = [
            ("pando-auth", identity) for identity in options.identities
        ]

    # --- The session's life -------------------------------------------------------------------

    async def run(self, opened: Callable[[PandoError | None], None]) -> None:
        """From the search for a server to the end; `opened` is called once there is a session."""
        connected = False
        self._life = asyncio.current_task()
        try:
            async with asyncio.timeout(self._options.connect_timeout) as self._lease:
                while True:
                    link = await self._connect()
                    self._emit(SessionEvent.RECONNECTED if connected else SessionEvent.CONNECTED)
                    if not connected:
                        connected = True
                        opened(None)
                    error = await self._serve(link)
                    if _is_final(error):
                        raise error
                    self._emit(SessionEvent.SUSPENDED)
                    await self._leave(error)
        except TimeoutError:
            self._end = self._unheard(connected)
        except PandoError as error:
            self._end = _lost(str(error)) if connected else error
            if self._closing:
                self._end = SessionClosedError("the session was closed")
        except asyncio.CancelledError:
            self._end = SessionClosedError("the session was closed")
        except BaseException as error:
            self._end = SessionClosedError(f"a fault of the client: {error!r}")
            raise
        finally:
            assert self._end is not None
            self._finish(connected)
            if not connected:
                opened(self._end)

    async def close(self) -> None:
        """Ends the session on its server, if there is one; else it expires there."""
        self._closing = True
        if self._link is not None:
            stub = session_pb2_grpc.SessionServiceStub(self._link.channel)
            request = session_pb2.CloseRequest(header=self.header())
            with contextlib.suppress(PandoError):
                await answered(stub.Close(request, metadata=self.metadata, timeout=_CLOSE_TIMEOUT))
        if self._life is not None:
            self._life.cancel()

    async def _connect(self) -> Link:
        """A link to whichever endpoint is of use first."""
        while True:
            endpoint = self._options.endpoints[self._endpoint]
            channel = self._options.channel(endpoint)
            try:
                return await self._attach(channel)
            except PandoError as error:
                await channel.close()
                if _is_final(error):
                    raise
                await self._leave(error)
            except BaseException:
                await channel.close()
                raise

    async def _attach(self, channel: grpc.aio.Channel) -> Link:
        link = Link(channel, self)
        try:
            async with asyncio.timeout(self._options.attempt_timeout):
                if self.session_id == 0:
                    await self._open(channel)
                sent = asyncio.get_running_loop().time()
                await link.attach()
        except TimeoutError:
            raise UnavailableError(
                f"took the connection, and did not answer within {self._options.attempt_timeout} s"
            ) from None
        self.renew(sent + self.timeout)
        return link

    async def _open(self, channel: grpc.aio.Channel) -> None:
        stub = session_pb2_grpc.SessionServiceStub(channel)
        request = session_pb2.OpenRequest(
            header=self.header(), timeout_ms=int(self._options.session_timeout * 1000)
        )
        response = await answered(stub.Open(request, metadata=self.metadata))
        self.heard(response.header)
        self.session_id = response.session_id
        self.timeout = response.timeout_ms / 1000
        self.metadata.append(("pando-session-token-bin", response.token))

    async def _serve(self, link: Link) -> PandoError:
        loop = asyncio.get_running_loop()
        began = loop.time()
        self._backlog.rewind()
        self._link = link
        self._linked.set()
        try:
            return await link.serve(self._backlog, self._watches)
        finally:
            self._link = None
            self._linked.clear()
            await link.channel.close()
            if loop.time() - began > _LINK_GOOD:
                self._tried, self._pause = 0, _PAUSE_MIN
                self._failures.clear()

    async def _leave(self, error: PandoError) -> None:
        """On to the next endpoint; after a round of them in which none was of use, a pause."""
        self._failures[self._options.endpoints[self._endpoint]] = error
        self._endpoint = (self._endpoint + 1) % len(self._options.endpoints)
        self._tried += 1
        if self._tried % len(self._options.endpoints) == 0:
            await asyncio.sleep(self._pause)
            self._pause = min(self._pause * 2, _PAUSE_MAX)

    def _unheard(self, connected: bool) -> PandoError:
        current = self._options.endpoints[self._endpoint]
        said = {current: "has not answered yet"} | self._failures
        why = "; ".join(f"{endpoint}: {error}" for endpoint, error in said.items())
        if connected:
            return _lost(f"no server confirmed the session within {self.timeout} s: {why}")
        timeout = self._options.connect_timeout
        return UnavailableError(
            f"no session within {timeout} s: {why}", "", grpc.StatusCode.UNAVAILABLE
        )

    def _finish(self, connected: bool) -> None:
        end = self._end
        assert end is not None
        closed = isinstance(end, SessionClosedError)
        if connected and not closed:
            self._emit(SessionEvent.LOST)
        self._deadlines.stop()
        for operation in list(self._backlog):
            operation.fail(_of_operation(end, operation))
        self._watches.end(None if closed else end)
        self._linked.set()

    # --- What its links need (Lease) ----------------------------------------------------------

    def header(self) -> common.RequestHeader:
        return common.RequestHeader(
            cluster_id=self._cluster_id,
            session_id=self.session_id,
            min_revision=self._revision,
        )

    def heard(self, header: common.ResponseHeader) -> None:
        self._cluster_id = header.cluster_id or self._cluster_id
        self._revision = max(self._revision, header.revision)

    def renew(self, until: float) -> None:
        assert self._lease is not None
        self._lease.reschedule(until)

    # --- Calls --------------------------------------------------------------------------------

    def submit(self, operation: Operation) -> None:
        if self._end is not None:
            operation.fail(_of_operation(self._end, operation))
            return
        self._backlog.add(operation)
        self._deadlines.add(operation)

    def wake(self) -> None:
        """Operations were submitted."""
        if self._link is not None:
            self._link.wake()

    async def call(
        self, body: Callable[[grpc.aio.Channel], Awaitable[Answer]], seconds: float
    ) -> Answer:
        """Runs `body` until a server has answered it. For what may be repeated."""
        last: PandoError | None = None
        try:
            async with asyncio.timeout(seconds):
                while True:
                    await self._linked.wait()
                    if self._link is None:
                        assert self._end is not None
                        raise self._end
                    try:
                        return await body(self._link.channel)
                    except PandoError as error:
                        if not (error.retriable or isinstance(error, UnavailableError)):
                            raise
                        last = error
                    await asyncio.sleep(_CALL_PAUSE)
        except TimeoutError:
            why = f": {last}" if last else ""
            raise TimedOutError(
                f"not answered within {seconds} s{why}",
                "TIMEOUT",
                grpc.StatusCode.DEADLINE_EXCEEDED,
            ) from None

    async def unary(
        self,
        method: str,
        request: Any,
        response_type: Any,
        seconds: float,
    ) -> Any:
        async def body(channel: grpc.aio.Channel) -> Any:
            call: Any = channel.unary_unary(
                method,
                request_serializer=type(request).SerializeToString,
                response_deserializer=response_type.FromString,
            )
            request.header.MergeFrom(self.header())
            response = await answered(call(request, metadata=self.metadata))
            await self._watches.precede(response.header)
            self.heard(response.header)
            return response

        return await self.call(body, seconds)

    async def walk(
        self, request: tree.WalkRequest, seconds: float
    ) -> tuple[int, list[tree.WalkEntry]]:
        async def body(channel: grpc.aio.Channel) -> tuple[int, list[tree.WalkEntry]]:
            stub = tree_pb2_grpc.TreeServiceStub(channel)
            request.header.MergeFrom(self.header())
            call = stub.Walk(request, metadata=self.metadata)
            revision, entries = 0, []
            while (part := await answered(call.read())) is not grpc.aio.EOF:
                await self._watches.precede(part.header)
                revision = part.revision
                entries.extend(part.entries)
            return revision, entries

        return await self.call(body, seconds)

    async def watch(self, request: tree.WatchRequest, seconds: float) -> Watch:
        """Begins on a stream of its own, so that what is wrong with it is its alone."""

        async def body(channel: grpc.aio.Channel) -> Watch:
            stub = tree_pb2_grpc.TreeServiceStub(channel)
            request.header.CopyFrom(self.header())
            request.header.session_id = 0  # its events precede no reply
            call = stub.Watch(request, metadata=self.metadata)
            initial: list[tree.WalkEntry] = []
            try:
                while True:
                    first = await next_message(call)
                    initial.extend(first.initial_nodes)
                    if first.initial_done or not request.send_initial:
                        self.heard(first.header)
                        # From a start in the past the first message may have events already.
                        cursor = request.start_revision - 1
                        if request.start_revision == 0:
                            cursor = first.progress_revision
                        return Watch(request.targets, initial, cursor)
            finally:
                call.cancel()

        watch = await self.call(body, seconds)
        self._watches.add(watch)
        return watch


def _is_final(error: PandoError) -> bool:
    """No other server would say anything else."""
    return (
        error.reason not in ("", "WRONG_CLUSTER", "SESSION_MOVED")
        and not error.retriable
        and not isinstance(error, UnavailableError)
    )


def _lost(message: str) -> SessionLostError:
    return SessionLostError(message, "SESSION_EXPIRED", grpc.StatusCode.FAILED_PRECONDITION)


def _expire(operation: Operation) -> None:
    error = TimedOutError(
        f"not answered within {operation.timeout} s",
        "TIMEOUT",
        grpc.StatusCode.DEADLINE_EXCEEDED,
    )
    operation.fail(_of_operation(error, operation))


def _of_operation(error: PandoError, operation: Operation) -> PandoError:
    """The end of an operation that was not answered."""
    metadata = {**error.metadata}
    if operation.is_write and operation.sent:
        metadata["maybe_applied"] = "true"
    return type(error)(error.message, error.reason, error.code, metadata)
