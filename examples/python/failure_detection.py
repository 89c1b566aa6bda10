"""Failure detection: who went without a word has failed.

failure_detection.py live NAME: until its input ends | failure_detection.py watch
"""

import os
import sys

import pando
from pando.v1 import common_pb2, tree_pb2

ROOT = "/alive"


def live(session: pando.Session, name: str) -> None:
    # It goes when the session does: at once if that is closed, else after its timeout.
    path = f"{ROOT}/{name}"
    session.create(path, kind=common_pb2.NODE_KIND_EPHEMERAL)
    sys.stdin.read()
    session.set(path, b"bye")


def tell(session: pando.Session) -> None:
    polite: set[str] = set()
    watch = session.watch(pando.watch_subtree(ROOT, with_data=True))
    print("watching", flush=True)
    for event in watch:
        name = event.path.removeprefix(ROOT + "/")
        if event.kind == tree_pb2.EVENT_KIND_CREATED:
            print(f"{name} lives", flush=True)
        elif event.kind == tree_pb2.EVENT_KIND_DATA_CHANGED:
            polite.add(name)
        elif name in polite:
            polite.remove(name)
            print(f"{name} has left", flush=True)
        else:
            print(f"{name} has failed", flush=True)


with pando.connect(os.environ["PANDO_ENDPOINTS"], session_timeout=2) as session:
    session.create(ROOT, if_not_exists=True)
    if sys.argv[1] == "live":
        live(session, sys.argv[2])
    else:
        tell(session)
