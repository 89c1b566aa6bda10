"""One ensemble for all tests, whole again before each."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ensemble import Ensemble

import pando
from pando._loop import shared_loop

_NAMES = itertools.count(1)


@pytest.fixture(scope="session")
def _ensemble() -> Iterator[Ensemble]:
    ensemble = Ensemble()
    yield ensemble
    ensemble.close()


@pytest.fixture
def ensemble(_ensemble: Ensemble) -> Ensemble:
    _ensemble.heal()
    return _ensemble


Connect = Callable[..., pando.Session]


@pytest.fixture
def connect(ensemble: Ensemble) -> Iterator[Connect]:
    """pando.connect, to the ensemble unless it is said where; closed at the end, without a leak."""
    sessions: list[pando.Session] = []

    def connect(endpoints: Any = None, **options: Any) -> pando.Session:
        sessions.append(pando.connect(endpoints or ensemble.endpoints, **options))
        return sessions[-1]

    yield connect
    for session in sessions:
        session.close()
    deadline = time.monotonic() + 2  # gRPC ends its own tasks a little later
    while tasks := asyncio.all_tasks(shared_loop()):
        assert time.monotonic() < deadline, tasks
        time.sleep(0.01)


@pytest.fixture
def root(connect: Connect) -> str:
    """A node of the test's own."""
    return connect().create(f"/test-{next(_NAMES)}").path
