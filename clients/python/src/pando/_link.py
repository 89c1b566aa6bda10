"""Link: the one server that a session is attached to: a Pipeline, a KeepAlive, a Watch stream.

It lasts until the first of them fails; whoever made it then makes another, on the next server.
The session's loop's own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

import grpc
import grpc.aio

from pando._backlog import Backlog
from pando._operation import Operation
from pando.errors import (
    CompactedError,
    PandoError,
    SessionLostError,
    UnavailableError,
    call_error,
    operation_error,
)
from pando.v1 import common_pb2 as common
from pando.v1 import session_pb2, session_pb2_grpc, tree_pb2_grpc
from pando.v1 import tree_pb2 as tree
from pando.watches import Watches

# A beat every third of the session's timeout; a server that does not answer it within another
# sixth is left, so that half of the timeout remains to find the next one.
_BEATS_PER_TIMEOUT = 3
_PATIENCE_PER_TIMEOUT = 1 / 6
# How often a server without a leader is asked again, and how long it may have none.
_NO_LEADER_PAUSE = 0.2
_NO_LEADER_MAX = 1.0
# Answers that are none: the operation goes again, on another server.
_GOES_AGAIN = {"NO_LEADER", "BEHIND", "OVERLOADED", "TIMEOUT"}


class Lease(Protocol):
    """What the links of one session share with it."""

    timeout: float  # of the session, as granted
    metadata: list[tuple[str, str | bytes]]

    def header(self) -> common.RequestHeader: ...
    def heard(self, header: common.ResponseHeader) -> None: ...
    def renew(self, until: float) -> None: ...


def _is_cancelled() -> bool:
    """Whether the current task is.

    A function of its own: a frame that names its task, in the traceback of that task's end, would
    keep all that it holds, down to the connection, until garbage is collected.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def answered(call: Any) -> Any:
    """Awaits one step of a call; a failure of it is a PandoError.

    When a channel is closed, gRPC cancels who waits for its calls: that is not our cancellation.
    """
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        raise call_error(error) from None
    except asyncio.InvalidStateError:
        raise UnavailableError("the stream is over") from None
    except asyncio.CancelledError:
        if _is_cancelled():
            raise
        raise UnavailableError("the connection was given up") from None


async def next_message(call: Any) -> Any:
    message = await answered(call.read())
    if message is grpc.aio.EOF:
        raise UnavailableError("the server is going away")
    return message


async def _stop(tasks: Sequence[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class Link:
    def __init__(self, channel: grpc.aio.Channel, lease: Lease) -> None:
        self.channel = channel
        self._lease = lease
        self._tree = tree_pb2_grpc.TreeServiceStub(channel)
        self._pipeline: Any = None
        self._wake = asyncio.Event()

    async def attach(self) -> None:
        """Moves the session here: from now on nothing takes effect that it sent elsewhere."""
        self._pipeline = self._tree.Pipeline(metadata=self._lease.metadata)
        await answered(self._pipeline.write(tree.PipelineRequest(header=self._lease.header())))
        self._lease.heard((await next_message(self._pipeline)).header)

    def wake(self) -> None:
        """Something waits in the backlog."""
        self._wake.set()

    async def serve(self, backlog: Backlog, watches: Watches) -> PandoError:
        """Until the server is of no more use; says why. Cancelling it ends it, too."""
        # Not a TaskGroup: in Python 3.11 one that fails leaves its task marked as being cancelled.
        parts = [
            asyncio.create_task(part)
            for part in (
                self._send(backlog),
                self._receive(backlog, watches),
                self._beat(),
                self._watch(watches),
            )
        ]
        try:
            ended, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            ended.pop().result()
        except PandoError as error:
            return error
        finally:
            await _stop(parts)
        raise AssertionError("a part of a link ends only with an error")

    # --- Pipeline -----------------------------------------------------------------------------

    async def _send(self, backlog: Backlog) -> None:
        """What gathers while a message is being written makes the next one: so it batches."""
        while True:
            operations = backlog.take()
            if not operations:
                self._wake.clear()
                await self._wake.wait()
                continue
            header = self._lease.header()
            header.first_outstanding_request_id = backlog.first_outstanding
            if operations[0].linearizable:
                header.consistency = common.CONSISTENCY_LINEARIZABLE
            request = tree.PipelineRequest(
                header=header, operations=[operation.message for operation in operations]
            )
            await answered(self._pipeline.write(request))

    async def _receive(self, backlog: Backlog, watches: Watches) -> None:
        while True:
            response = await next_message(self._pipeline)
            await watches.precede(response.header)
            self._lease.heard(response.header)
            again: PandoError | None = None
            for result in response.results:
                operation = backlog.answered(result.request_id)
                again = self._answer(operation, result, response.header, backlog) or again
            if again is not None:
                raise again
            self._wake.set()

    @staticmethod
    def _answer(
        operation: Operation,
        result: tree.PipelineResult,
        header: common.ResponseHeader,
        backlog: Backlog,
    ) -> PandoError | None:
        """Gives a result to its caller; an answer that is none is returned instead."""
        kind = result.WhichOneof("result")
        if kind == "error":
            error = operation_error(result.error)
            if error.reason in _GOES_AGAIN:
                backlog.keep(operation)
                return error
            operation.fail(error)
            return None
        response = getattr(result, str(kind))
        response.header.CopyFrom(header)
        response.header.revision = result.revision
        operation.finish(response)
        return None

    # --- KeepAlive ----------------------------------------------------------------------------

    async def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        stub = session_pb2_grpc.SessionServiceStub(self.channel)
        call = stub.KeepAlive(metadata=self._lease.metadata)
        leader_lost: float | None = None
        while True:
            sent = loop.time()
            try:
                async with asyncio.timeout(self._lease.timeout * _PATIENCE_PER_TIMEOUT):
                    request = session_pb2.KeepAliveRequest(header=self._lease.header())
                    await answered(call.write(request))
                    response = await next_message(call)
            except TimeoutError:
                raise UnavailableError("the server does not answer") from None
            self._lease.heard(response.header)
            if response.state == session_pb2.SESSION_STATE_EXPIRED:
                raise SessionLostError("the session is over", "SESSION_EXPIRED")
            if response.state == session_pb2.SESSION_STATE_OK:
                leader_lost = None
                self._lease.renew(sent + response.time_left_ms / 1000)
                await asyncio.sleep(self._lease.timeout / _BEATS_PER_TIMEOUT)
                continue
            leader_lost = leader_lost or sent
            if loop.time() - leader_lost > _NO_LEADER_MAX:
                raise UnavailableError("the server knows no leader")
            await asyncio.sleep(_NO_LEADER_PAUSE)

    # --- Watch --------------------------------------------------------------------------------

    async def _watch(self, watches: Watches) -> None:
        """Keeps one stream open that fits what is watched."""
        while True:
            request = watches.request(self._lease.header())
            if request is None:
                await watches.changed.wait()
                continue
            changed = asyncio.create_task(watches.changed.wait())
            reading = asyncio.create_task(self._read_watch(request, watches))
            try:
                await asyncio.wait((changed, reading), return_when=asyncio.FIRST_COMPLETED)
                if reading.done():
                    reading.result()
            except CompactedError as error:
                watches.compacted(error)
            finally:
                await _stop((changed, reading))
                watches.disconnected()

    async def _read_watch(self, request: tree.WatchRequest, watches: Watches) -> None:
        call = self._tree.Watch(request, metadata=self._lease.metadata)
        try:
            while True:
                watches.take(await next_message(call))
        finally:
            call.cancel()
