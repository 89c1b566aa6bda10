"""How a session is to be had."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import grpc
import grpc.aio

# Above every message of the API, which are at most 4 MiB.
_MESSAGE_BYTES_MAX = 8 << 20


@dataclass(frozen=True)
class Tls:
    """PEM texts. Without `ca`: the system's roots. `certificate` and `key` show who asks."""

    ca: bytes | None = None
    certificate: bytes | None = None
    key: bytes | None = field(default=None, repr=False)
    # The name in the servers' certificate, where it is not the endpoints' own.
    server_name: str | None = None


@dataclass(frozen=True)
class Options:
    endpoints: Sequence[str]  # HOST:PORT each; one is used at a time, the first one first
    # All in seconds.
    session_timeout: float = 10.0  # how long the ensemble waits for a silent client
    connect_timeout: float = 10.0  # for connect() to find a server and get a session
    operation_timeout: float = 10.0  # of a call that does not say its own
    # How long a server may be silent to an attempt to connect before the next one is tried.
    attempt_timeout: float = 1.0
    cluster_id: int = 0  # the ensemble that is meant; 0: whichever answers first
    tls: Tls | None = None
    identities: Sequence[str] = field(default=(), repr=False)  # "digest:user:password"

    def __post_init__(self) -> None:
        if isinstance(self.endpoints, str):
            object.__setattr__(self, "endpoints", self.endpoints.split(","))
        if not self.endpoints or not all(self.endpoints):
            raise ValueError("endpoints: at least one HOST:PORT is needed, and none may be empty")
        for name in (
            "session_timeout",
            "connect_timeout",
            "operation_timeout",
            "attempt_timeout",
        ):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name}: must be more than 0 seconds")

    def channel(self, endpoint: str) -> grpc.aio.Channel:
        options: list[tuple[str, int | str]] = [
            # A channel is dropped when it fails, and must not inherit an earlier one's back-off.
            ("grpc.use_local_subchannel_pool", 1),
            # So long a connection may stand on which a server has said nothing, once given up.
            ("grpc.min_reconnect_backoff_ms", int(self.attempt_timeout * 1000)),
            ("grpc.enable_http_proxy", 0),
            ("grpc.enable_retries", 0),
            ("grpc.service_config_disable_resolution", 1),
            ("grpc.max_receive_message_length", _MESSAGE_BYTES_MAX),
        ]
        if self.tls is None:
            return grpc.aio.insecure_channel(endpoint, options)
        if self.tls.server_name is not None:
            options.append(("grpc.ssl_target_name_override", self.tls.server_name))
        credentials = grpc.ssl_channel_credentials(self.tls.ca, self.tls.key, self.tls.certificate)
        return grpc.aio.secure_channel(endpoint, credentials, options)
