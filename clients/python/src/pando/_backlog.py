"""Backlog: what a session has been asked and has not answered, in the order of its request ids.

    add ──► waiting ──take──► unanswered ──answer──► done
               ▲                  │
               └──────rewind──────┘  the Pipeline broke: all of it goes again, in order, first

The session's loop's own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from pando._operation import Operation

# A session keeps 1,024 answers for repeats, so that no more are under way.
UNANSWERED_MAX = 1000
# A Pipeline's message has at most 4 MiB; one operation of any size always fits.
MESSAGE_BYTES_MAX = 1 << 20


class Backlog:
    def __init__(self) -> None:
        self._waiting: deque[Operation] = deque()
        self._unanswered: deque[Operation] = deque()
        self._last_request_id = 0

    def add(self, operation: Operation) -> None:
        self._last_request_id += 1
        operation.message.request_id = self._last_request_id
        self._waiting.append(operation)

    def take(self) -> list[Operation]:
        """The operations of the next message: none, if nothing waits or too much is unanswered.

        All of one consistency, because a message has one.
        """
        taken: list[Operation] = []
        size = 0
        while self._waiting and len(self._unanswered) < UNANSWERED_MAX:
            operation = self._waiting[0]
            if operation.done:  # its caller has given it up
                self._waiting.popleft()
                continue
            size += operation.size
            if taken and (
                size > MESSAGE_BYTES_MAX or operation.linearizable != taken[0].linearizable
            ):
                break
            self._waiting.popleft()
            operation.sent = True
            self._unanswered.append(operation)
            taken.append(operation)
        return taken

    @property
    def first_outstanding(self) -> int:
        """No answer to a lower request id is waited for."""
        for queue in (self._unanswered, self._waiting):
            if queue:
                return queue[0].message.request_id
        return self._last_request_id + 1

    def answered(self, request_id: int) -> Operation:
        """The operation that an answer is for: they come in order."""
        operation = self._unanswered.popleft()
        if operation.message.request_id != request_id:
            raise RuntimeError(
                f"answer {request_id} came where {operation.message.request_id} was due"
            )
        return operation

    def keep(self, operation: Operation) -> None:
        """Its answer was none: it goes again with the next rewind."""
        self._waiting.appendleft(operation)

    def rewind(self) -> None:
        """What was sent and not answered goes again, before what was not sent."""
        again = [operation for operation in self if not operation.done]
        again.sort(key=lambda operation: operation.message.request_id)
        self._unanswered.clear()
        self._waiting = deque(again)

    def __iter__(self) -> Iterator[Operation]:
        yield from self._unanswered
        yield from self._waiting
