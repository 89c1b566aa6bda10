"""Session: what programs use. Every method may be called from any thread."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import Any, TypeVar, overload

from pando._core import Core, SessionEvent
from pando._loop import shared_loop
from pando._operation import Operation, Request
from pando.errors import NoNodeError, PandoError
from pando.feed import Feed
from pando.options import Options, Tls
from pando.v1 import common_pb2 as common
from pando.v1 import tree_pb2 as tree
from pando.watches import Watch

Answer = TypeVar("Answer")

# The loop keeps every deadline; this only bounds the wait for a loop that is itself held up.
_LOOP_GRACE = 5.0


def connect(
    endpoints: str | Sequence[str],
    *,
    session_timeout: float = 10.0,
    connect_timeout: float = 10.0,
    operation_timeout: float = 10.0,
    attempt_timeout: float = 1.0,
    cluster_id: int = 0,
    tls: Tls | None = None,
    identities: Sequence[str] = (),
) -> Session:
    """Opens a session on whichever endpoint answers; the arguments are those of Options.

    Raises UnavailableError, which says what is wrong with each endpoint, when none did in time;
    UnauthenticatedError when an identity is not accepted.
    """
    return Session(
        Options(
            endpoints=endpoints,
            session_timeout=session_timeout,
            connect_timeout=connect_timeout,
            operation_timeout=operation_timeout,
            attempt_timeout=attempt_timeout,
            cluster_id=cluster_id,
            tls=tls,
            identities=identities,
        )
    )


class Session:
    """A session, its calls and its watches, over one server at a time.

    A call waits while there is no server, until its timeout (operation_timeout if it names none):
    then TimedOutError, whose `maybe_applied` says whether a write was sent. What a broken
    connection leaves unanswered goes again on the next server, and is applied once. Calls of one
    thread are applied in their order. A call that raises SessionLostError is the session's last.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self._loop = shared_loop()
        self._core = Core(options, self._emit)
        self._submitted: deque[Operation] = deque()
        self._woken = False
        self._feeds: list[Feed[SessionEvent]] = []
        self._history: list[SessionEvent] = []
        self._feeds_lock = threading.Lock()
        opened: Future[None] = Future()
        self._life = asyncio.run_coroutine_threadsafe(self._live(opened), self._loop)
        try:
            opened.result()
        except BaseException:
            self.close()
            raise

    # --- The session itself -------------------------------------------------------------------

    @property
    def id(self) -> int:
        return self._core.session_id

    @property
    def timeout(self) -> float:
        """In seconds, as granted."""
        return self._core.timeout

    @property
    def state(self) -> SessionEvent:
        """The last thing that happened to it."""
        with self._feeds_lock:
            return self._history[-1]

    def events(self) -> Feed[SessionEvent]:
        """What happens to the session, beginning with how it stands now. It ends with it."""
        feed: Feed[SessionEvent] = Feed()
        with self._feeds_lock:
            feed._put(self._history[-1:])
            if self._life.done():
                feed._end()
            else:
                self._feeds.append(feed)
        return feed

    def close(self) -> None:
        """Ends the session, with its ephemeral nodes. Without a server it expires by itself."""
        asyncio.run_coroutine_threadsafe(self._core.close(), self._loop).result()
        self._life.result()

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # --- The tree -----------------------------------------------------------------------------

    def create(
        self,
        path: str,
        data: bytes | None = None,
        *,
        kind: common.NodeKind = common.NODE_KIND_PERSISTENT,
        sequential: bool = False,
        ttl_ms: int = 0,
        acl: Sequence[common.AclEntry] = (),
        create_parents: bool = False,
        if_not_exists: bool = False,
        timeout: float | None = None,
    ) -> tree.CreateResponse:
        """Makes a node; the response has its actual path."""
        request = tree.CreateRequest(
            path=path,
            data=data,
            kind=kind,
            sequential=sequential,
            ttl_ms=ttl_ms,
            acl=acl,
            create_parents=create_parents,
            if_not_exists=if_not_exists,
        )
        return self._ask(request, timeout)

    def get(
        self, path: str, *, linearizable: bool = False, timeout: float | None = None
    ) -> tree.GetResponse:
        """A node's data and Stat. It shows at least what this session has seen before."""
        return self._ask(tree.GetRequest(path=path), timeout, linearizable)

    def exists(
        self, path: str, *, linearizable: bool = False, timeout: float | None = None
    ) -> bool:
        try:
            self._ask(tree.GetRequest(path=path, without_data=True), timeout, linearizable)
        except NoNodeError:
            return False
        return True

    def set(
        self,
        path: str,
        data: bytes | None,
        *,
        expected_version: int | None = None,
        timeout: float | None = None,
    ) -> tree.SetResponse:
        request = tree.SetRequest(path=path, data=data, expected_version=expected_version)
        return self._ask(request, timeout)

    def delete(
        self,
        path: str,
        *,
        expected_version: int | None = None,
        recursive: bool = False,
        timeout: float | None = None,
    ) -> tree.DeleteResponse:
        request = tree.DeleteRequest(
            path=path, expected_version=expected_version, recursive=recursive
        )
        return self._ask(request, timeout)

    def children(
        self,
        path: str,
        *,
        prefix: str = "",
        with_stat: bool = False,
        with_data: bool = False,
        linearizable: bool = False,
        timeout: float | None = None,
    ) -> list[tree.ListEntry]:
        """All children, in the order of their names; a page after the other."""
        entries: list[tree.ListEntry] = []
        request = tree.ListRequest(
            path=path, prefix=prefix, with_stat=with_stat, with_data=with_data
        )
        while True:
            page = self._ask(request, timeout, linearizable)
            entries.extend(page.entries)
            if not page.next_page_token:
                return entries
            request.page_token = page.next_page_token

    def walk(
        self,
        path: str,
        *,
        max_depth: int = 0,
        without_data: bool = False,
        with_acl: bool = False,
        timeout: float | None = None,
    ) -> tuple[int, Sequence[tree.WalkEntry]]:
        """A subtree, a node before its children, and the one revision that all of it is of."""
        request = tree.WalkRequest(
            path=path, max_depth=max_depth, without_data=without_data, with_acl=with_acl
        )
        return self._await(lambda wait: self._core.walk(request, wait), timeout)

    def get_acl(self, path: str, *, timeout: float | None = None) -> tree.GetAclResponse:
        return self._ask(tree.GetAclRequest(path=path), timeout)

    def set_acl(
        self,
        path: str,
        acl: Sequence[common.AclEntry],
        *,
        expected_acl_version: int | None = None,
        recursive: bool = False,
        timeout: float | None = None,
    ) -> tree.SetAclResponse:
        request = tree.SetAclRequest(
            path=path, acl=acl, expected_acl_version=expected_acl_version, recursive=recursive
        )
        return self._ask(request, timeout)

    def transact(
        self,
        then_operations: Sequence[tree.TransactOperation] = (),
        *,
        compares: Sequence[tree.Compare] = (),
        else_operations: Sequence[tree.TransactOperation] = (),
        timeout: float | None = None,
    ) -> tree.TransactResponse:
        """All of one list or nothing: then_operations if every compare is true."""
        request = tree.TransactRequest(
            compares=compares, then_operations=then_operations, else_operations=else_operations
        )
        return self._ask(request, timeout)

    def sync(self, *, timeout: float | None = None) -> None:
        """Later reads show all that was committed anywhere before this."""
        self._ask(tree.SyncRequest(), timeout)

    def watch(
        self,
        *targets: tree.WatchTarget,
        start_revision: int = 0,
        send_initial: bool = False,
        timeout: float | None = None,
    ) -> Watch:
        """Watches targets: see watch_node, watch_children and watch_subtree.

        From now on, or from start_revision; with send_initial, after the state in Watch.initial.
        A reply that comes after an event is given only when the event is there to be taken.
        """
        if any(target.once for target in targets):
            raise ValueError("once: close() the watch instead")
        request = tree.WatchRequest(
            targets=targets, start_revision=start_revision, send_initial=send_initial
        )
        return self._await(lambda wait: self._core.watch(request, wait), timeout)

    # --- The general forms --------------------------------------------------------------------

    @overload
    def submit(self, request: tree.CreateRequest) -> Future[tree.CreateResponse]: ...
    @overload
    def submit(
        self, request: tree.GetRequest, timeout: float | None = None, linearizable: bool = False
    ) -> Future[tree.GetResponse]: ...
    @overload
    def submit(
        self, request: tree.SetRequest, timeout: float | None = None
    ) -> Future[tree.SetResponse]: ...
    @overload
    def submit(
        self, request: Request, timeout: float | None = None, linearizable: bool = False
    ) -> Future[Any]: ...
    def submit(
        self, request: Request, timeout: float | None = None, linearizable: bool = False
    ) -> Future[Any]:
        """Sends a request of TreeService, and does not wait: many fit into one message.

        Cancelling the future forgets the answer; it does not take the request back.
        """
        wait = self._options.operation_timeout if timeout is None else timeout
        operation = Operation(request, wait, linearizable)
        self._submitted.append(operation)
        if not self._woken:
            self._woken = True
            self._loop.call_soon_threadsafe(self._take_submitted)
        return operation.future

    def call(
        self,
        method: str,
        request: Any,
        response_type: type[Answer],
        timeout: float | None = None,
    ) -> Answer:
        """A unary rpc of another service, "/pando.v1.LockService/Lock", on the session's server.

        It is repeated until a server has answered it, as every rpc outside TreeService may be.
        """
        result: Answer = self._await(
            lambda wait: self._core.unary(method, request, response_type, wait), timeout
        )
        return result

    # --- Between the threads ------------------------------------------------------------------

    def _ask(self, request: Request, timeout: float | None, linearizable: bool = False) -> Any:
        return self.submit(request, timeout, linearizable).result()

    def _await(self, body: Any, timeout: float | None) -> Any:
        wait = self._options.operation_timeout if timeout is None else timeout
        future = asyncio.run_coroutine_threadsafe(body(wait), self._loop)
        return future.result(wait + _LOOP_GRACE)

    async def _live(self, opened: Future[None]) -> None:
        def tell(error: PandoError | None) -> None:
            if error is None:
                opened.set_result(None)
            else:
                opened.set_exception(error)

        try:
            await self._core.run(tell)
        finally:
            with self._feeds_lock:
                for feed in self._feeds:
                    feed._end()
                self._feeds.clear()

    def _take_submitted(self) -> None:
        self._woken = False
        while self._submitted:
            self._core.submit(self._submitted.popleft())
        self._core.wake()

    def _emit(self, event: SessionEvent) -> None:
        with self._feeds_lock:
            self._history.append(event)
            for feed in self._feeds:
                feed._put([event])
