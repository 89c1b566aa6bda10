"""Client of Pando: a session that outlives its servers. See README.md."""

from pando._core import SessionEvent
from pando.errors import (
    BadVersionError,
    BehindError,
    CompactedError,
    InvalidError,
    NodeExistsError,
    NoLeaderError,
    NoNodeError,
    NoParentError,
    NoSpaceError,
    NotEmptyError,
    OverloadedError,
    PandoError,
    PermissionDeniedError,
    SessionClosedError,
    SessionLostError,
    SessionMovedError,
    TimedOutError,
    UnauthenticatedError,
    UnavailableError,
    WrongClusterError,
)
from pando.feed import Feed
from pando.options import Options, Tls
from pando.session import Session, connect
from pando.watches import Watch, watch_children, watch_node, watch_subtree

__all__ = [
    "BadVersionError",
    "BehindError",
    "CompactedError",
    "Feed",
    "InvalidError",
    "NoLeaderError",
    "NoNodeError",
    "NoParentError",
    "NoSpaceError",
    "NodeExistsError",
    "NotEmptyError",
    "Options",
    "OverloadedError",
    "PandoError",
    "PermissionDeniedError",
    "Session",
    "SessionClosedError",
    "SessionEvent",
    "SessionLostError",
    "SessionMovedError",
    "TimedOutError",
    "Tls",
    "UnauthenticatedError",
    "UnavailableError",
    "Watch",
    "WrongClusterError",
    "connect",
    "watch_children",
    "watch_node",
    "watch_subtree",
]
