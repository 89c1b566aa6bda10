"""What a call can end with: one class for each reason of protos/pando/v1/common.proto."""

from __future__ import annotations

from collections.abc import Mapping

import grpc
from google.rpc import error_details_pb2, status_pb2

from pando.v1 import common_pb2

_CODES = {code.value[0]: code for code in grpc.StatusCode}
_DETAILS = "grpc-status-details-bin"
_PREFIX = "REASON_"


class PandoError(Exception):
    """A call that failed. Match on the class or on `reason`, never on the message."""

    def __init__(
        self,
        message: str,
        reason: str = "",
        code: grpc.StatusCode = grpc.StatusCode.UNKNOWN,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{message} ({reason})" if reason else message)
        self.message = message
        self.reason = reason  # "": no server said why
        self.code = code
        self.metadata = dict(metadata or {})

    @property
    def maybe_applied(self) -> bool:
        """The write may have taken effect, or still may."""
        return self.metadata.get("maybe_applied") == "true"

    @property
    def retriable(self) -> bool:
        """The same request may succeed later or elsewhere."""
        return self.metadata.get("retriable") == "true"

    @property
    def path(self) -> str:
        """The node that the trouble is with."""
        return self.metadata.get("path", "")


class UnavailableError(PandoError):
    """No server answers."""


class SessionClosedError(PandoError):
    """The session was closed here."""


class NoNodeError(PandoError):
    pass


class NodeExistsError(PandoError):
    pass


class NoParentError(PandoError):
    pass


class NotEmptyError(PandoError):
    pass


class BadVersionError(PandoError):
    pass


class InvalidError(PandoError):
    """The request cannot be right: its path, an argument, an ACL, its size."""


class SessionLostError(PandoError):
    """The session is over, and its ephemeral nodes are gone, or will be."""


class SessionMovedError(PandoError):
    pass


class PermissionDeniedError(PandoError):
    pass


class UnauthenticatedError(PandoError):
    pass


class NoSpaceError(PandoError):
    """A quota or a disk is full."""


class NoLeaderError(PandoError):
    pass


class BehindError(PandoError):
    pass


class CompactedError(PandoError):
    """Changes since the start revision are no longer kept: read the state again."""

    @property
    def oldest_revision(self) -> int:
        return int(self.metadata.get("oldest_revision", "0"))


class OverloadedError(PandoError):
    pass


class TimedOutError(PandoError, TimeoutError):
    """The deadline passed first; `maybe_applied` says what that means for a write."""


class WrongClusterError(PandoError):
    pass


_CLASSES: dict[str, type[PandoError]] = {
    "NO_NODE": NoNodeError,
    "NODE_EXISTS": NodeExistsError,
    "NO_PARENT": NoParentError,
    "NOT_EMPTY": NotEmptyError,
    "BAD_VERSION": BadVersionError,
    "NO_CHILDREN_FOR_EPHEMERALS": InvalidError,
    "INVALID_PATH": InvalidError,
    "INVALID_ARGUMENT": InvalidError,
    "INVALID_ACL": InvalidError,
    "TOO_LARGE": InvalidError,
    "SESSION_EXPIRED": SessionLostError,
    "SESSION_MOVED": SessionMovedError,
    "PERMISSION_DENIED": PermissionDeniedError,
    "UNAUTHENTICATED": UnauthenticatedError,
    "QUOTA_EXCEEDED": NoSpaceError,
    "NO_SPACE": NoSpaceError,
    "NO_LEADER": NoLeaderError,
    "BEHIND": BehindError,
    "COMPACTED": CompactedError,
    "OVERLOADED": OverloadedError,
    "TIMEOUT": TimedOutError,
    "WRONG_CLUSTER": WrongClusterError,
}


def make_error(
    message: str,
    reason: str,
    code: grpc.StatusCode,
    metadata: Mapping[str, str] | None = None,
) -> PandoError:
    """The error of the reason's own class; PandoError for one that this version has no class for.

    Without a reason no server said anything: the connection broke.
    """
    otherwise = PandoError if reason else UnavailableError
    return _CLASSES.get(reason, otherwise)(message, reason, code, metadata)


def operation_error(error: common_pb2.OperationError) -> PandoError:
    """The failure of one operation of a Pipeline."""
    known = error.reason in common_pb2.Reason.values()
    name = common_pb2.Reason.Name(error.reason) if known else str(error.reason)
    reason = name.removeprefix(_PREFIX)
    return make_error(error.message, reason, _CODES[error.code], error.metadata)


def call_error(error: grpc.aio.AioRpcError) -> PandoError:
    """The failure of a call."""
    for key, value in error.trailing_metadata() or ():
        if key != _DETAILS:
            continue
        status = status_pb2.Status.FromString(value if isinstance(value, bytes) else value.encode())
        info = error_details_pb2.ErrorInfo()
        for detail in status.details:
            if detail.Unpack(info) and info.domain == "pando":
                return make_error(status.message, info.reason, error.code(), info.metadata)
    if error.code() in (grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.INVALID_ARGUMENT):
        return PandoError(error.details() or "refused", "", error.code())
    return UnavailableError(error.details() or error.code().name, "", error.code())
