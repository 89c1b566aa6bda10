"""Operation: one request on its way through Pipelines, until it is answered."""

from __future__ import annotations

import contextlib
from concurrent.futures import Future, InvalidStateError
from typing import Any, TypeAlias

from pando.v1 import tree_pb2 as tree

Request: TypeAlias = (
    tree.CreateRequest
    | tree.GetRequest
    | tree.SetRequest
    | tree.DeleteRequest
    | tree.ListRequest
    | tree.GetAclRequest
    | tree.SetAclRequest
    | tree.TransactRequest
    | tree.SyncRequest
)

# The field of PipelineOperation and PipelineResult.
_FIELDS: dict[type[Any], str] = {
    tree.CreateRequest: "create",
    tree.GetRequest: "get",
    tree.SetRequest: "set",
    tree.DeleteRequest: "delete",
    tree.ListRequest: "list",
    tree.GetAclRequest: "get_acl",
    tree.SetAclRequest: "set_acl",
    tree.TransactRequest: "transact",
    tree.SyncRequest: "sync",
}
_READS = {"get", "list", "get_acl", "sync"}


class Operation:
    """Made by the caller's thread, and then the session's loop's own; `future` is shared."""

    __slots__ = (
        "done",
        "future",
        "is_write",
        "linearizable",
        "message",
        "sent",
        "size",
        "timeout",
    )

    def __init__(self, request: Request, timeout: float, linearizable: bool) -> None:
        field = _FIELDS[type(request)]
        self.message = tree.PipelineOperation()
        getattr(self.message, field).CopyFrom(request)
        self.size = self.message.ByteSize()
        self.is_write = field not in _READS
        self.linearizable = linearizable
        self.timeout = timeout
        self.sent = False  # a server may have it
        self.done = False
        self.future: Future[Any] = Future()

    def finish(self, response: Any) -> None:
        if not self.done:
            self.done = True
            with contextlib.suppress(InvalidStateError):  # its caller has cancelled it
                self.future.set_result(response)

    def fail(self, error: Exception) -> None:
        if not self.done:
            self.done = True
            with contextlib.suppress(InvalidStateError):
                self.future.set_exception(error)
