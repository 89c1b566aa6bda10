"""Deadlines: of all operations, by one timer. A timer each would be a third of a session's work."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable

from pando._operation import Operation


class Deadlines:
    """Of one event loop."""

    def __init__(self, expire: Callable[[Operation], None]) -> None:
        self._expire = expire
        self._heap: list[tuple[float, int, Operation]] = []
        self._timer: asyncio.TimerHandle | None = None

    def add(self, operation: Operation) -> None:
        """`operation` expires when its timeout has passed from now on, if it is not done then."""
        self._drop_done()
        deadline = asyncio.get_running_loop().time() + operation.timeout
        heapq.heappush(self._heap, (deadline, operation.message.request_id, operation))
        if self._timer is None or deadline < self._timer.when():
            self._set_timer()

    def stop(self) -> None:
        self._heap.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ring(self) -> None:
        now = asyncio.get_running_loop().time()
        while self._heap and (self._heap[0][0] <= now or self._heap[0][2].done):
            operation = heapq.heappop(self._heap)[2]
            if not operation.done:
                self._expire(operation)
        self._set_timer()

    def _drop_done(self) -> None:
        while self._heap and self._heap[0][2].done:
            heapq.heappop(self._heap)

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._heap:
            self._timer = asyncio.get_running_loop().call_at(self._heap[0][0], self._ring)
