"""Feed: what a thread waits for: items in order, and how they end."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Feed(Generic[Item]):
    """Iterate over it, or get() one item at a time. Thread-safe; waiting costs no wake-ups."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._items: deque[Item] = deque()
        self._ended = False
        self._error: Exception | None = None

    def get(self, timeout: float | None = None) -> Item:
        """The next item. TimeoutError: there is none yet. StopIteration: nor will there be."""
        with self._condition:
            if not self._condition.wait_for(lambda: self._items or self._ended, timeout):
                raise TimeoutError(f"nothing came within {timeout} s")
            if self._items:
                return self._items.popleft()
            raise self._error or StopIteration

    def __iter__(self) -> Iterator[Item]:
        return self

    def __next__(self) -> Item:
        return self.get()

    def __len__(self) -> int:
        """How many items are there to be taken."""
        return len(self._items)

    def _put(self, items: Sequence[Item]) -> None:
        with self._condition:
            if not self._ended:
                self._items.extend(items)
                self._condition.notify_all()

    def _end(self, error: Exception | None = None) -> None:
        """After what is there comes `error`; None: the end."""
        with self._condition:
            if not self._ended:
                self._ended, self._error = True, error
                self._condition.notify_all()
