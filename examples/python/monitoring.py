"""Monitoring servers: each reports its load, and a monitor has the newest of all.

monitoring.py report NAME: reports each line of its input | monitoring.py watch LIMIT
"""

import os
import sys

import pando
from pando.v1 import common_pb2, tree_pb2

ROOT = "/monitoring"


def report(session: pando.Session, name: str) -> None:
    path = f"{ROOT}/{name}"
    session.create(path, b"0", kind=common_pb2.NODE_KIND_EPHEMERAL)
    for line in sys.stdin:
        session.set(path, line.strip().encode())


def tell(session: pando.Session, limit: int) -> None:
    loads: dict[str, int] = {}
    watch = session.watch(pando.watch_subtree(ROOT, with_data=True))
    print("watching", flush=True)
    for event in watch:
        name = event.path.removeprefix(ROOT + "/")
        if event.kind == tree_pb2.EVENT_KIND_DELETED:
            loads.pop(name, None)
            print(f"{name} reports no more", flush=True)
            continue
        loads[name] = int(event.data)
        alarm = " ALARM" if loads[name] > limit else ""
        print(f"{name} {loads[name]}, all {sum(loads.values())}{alarm}", flush=True)


with pando.connect(os.environ["PANDO_ENDPOINTS"], session_timeout=2) as session:
    session.create(ROOT, if_not_exists=True)
    if sys.argv[1] == "report":
        report(session, sys.argv[2])
    else:
        tell(session, int(sys.argv[2]))
