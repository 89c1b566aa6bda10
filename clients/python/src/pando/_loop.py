"""The event loop of this process: one thread, for all sessions.

One, because gRPC has one poller for all loops of a process, which does not outlive them.
"""

from __future__ import annotations

import asyncio
import threading

_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None


def shared_loop() -> asyncio.AbstractEventLoop:
    """Started with the first session; it ends with the process."""
    global _loop
    with _lock:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_loop.run_forever, name="pando", daemon=True).start()
        return _loop
