"""What a session costs, and what its Pipeline is worth. Figures are printed (pytest -s)."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import grpc
from ensemble import Ensemble

import pando
from pando.v1 import tree_pb2 as tree
from pando.v1 import tree_pb2_grpc

# Each way takes turns, and its best counts: other work on the machine slows both.
_ROUNDS = 4
_SECONDS = 1.0


def rate(callers: int, ask: Callable[[], int]) -> float:
    """Answers a second to so many callers; `ask` returns how many it got."""
    counts = [0] * callers
    end = time.monotonic() + _SECONDS

    def call(caller: int) -> None:
        while time.monotonic() < end:
            counts[caller] += ask()

    threads = [threading.Thread(target=call, args=(caller,)) for caller in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / _SECONDS


def test_pipeline_throughput(ensemble: Ensemble) -> None:
    """Each way as it is the fastest: unary calls by 64 threads, futures by 8 with 64 each."""
    endpoint = ensemble.endpoint(ensemble.leader())
    request = tree.SetRequest(path="/", data=b"x" * 100)
    unary = pipeline = 0.0
    with grpc.insecure_channel(endpoint) as channel, pando.connect([endpoint]) as session:
        stub: Any = tree_pb2_grpc.TreeServiceStub(channel)

        def one_call() -> int:
            stub.Set(request)
            return 1

        def many_futures() -> int:
            futures = [session.submit(request) for _ in range(64)]
            for future in reversed(futures):  # the last one first: one wait for all of them
                future.result(30)
            return len(futures)

        for _ in range(_ROUNDS):
            unary = max(unary, rate(64, one_call))
            pipeline = max(pipeline, rate(8, many_futures))
    print(f"unary {unary:.0f}/s, pipeline {pipeline:.0f}/s: {pipeline / unary:.1f} times as many")
    assert pipeline >= 5 * unary


# How often the session's own thread wakes up, and the time of all threads; gRPC's own wake up
# some twenty times a second in every process that has a channel.
_IDLE = """
import sys, threading, time, pando

def waits():
    own = next(thread for thread in threading.enumerate() if thread.name == "pando")
    with open(f"/proc/self/task/{own.native_id}/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("voluntary"))

with pando.connect(sys.argv[1], session_timeout=10) as session:
    watch = session.watch(pando.watch_node("/"))
    time.sleep(1)
    before, busy = waits(), time.process_time()
    time.sleep(10)
    print((waits() - before) / 10, (time.process_time() - busy) / 10)
"""


def test_idle_session(ensemble: Ensemble) -> None:
    command = [sys.executable, "-c", _IDLE, ",".join(ensemble.endpoints)]
    wake_ups, busy = map(float, subprocess.check_output(command, timeout=60, text=True).split())
    print(f"an idle session wakes up {wake_ups:.2f} times a second: {busy:.2%} of a processor")
    assert wake_ups < 1
    assert busy < 0.01
