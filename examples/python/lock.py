"""A distributed lock: one at a time, first come first served, free again when its holder dies.

lock.py NAME: takes it, says its fencing token, and gives it back when its input ends.
"""

import os
import sys

import pando
from pando.v1 import common_pb2

ROOT = f"/locks/{sys.argv[1]}"


def acquire(session: pando.Session) -> int:
    """Waits for it. The token is higher than every earlier holder's: what the lock guards outside
    Pando refuses a lower one than it has seen."""
    kind = common_pb2.NODE_KIND_EPHEMERAL
    session.create(ROOT, create_parents=True, if_not_exists=True)
    place = session.create(f"{ROOT}/", kind=kind, sequential=True)
    mine = place.path.rpartition("/")[2]
    while True:
        before = [entry.name for entry in session.children(ROOT) if entry.name < mine]
        if not before:
            return place.stat.create_revision
        # Only the next one ahead, so that a release wakes one of those who wait, not all.
        ahead = f"{ROOT}/{before[-1]}"
        watch = session.watch(pando.watch_node(ahead))
        if session.exists(ahead):
            watch.get()
        watch.close()


with pando.connect(os.environ["PANDO_ENDPOINTS"], session_timeout=2) as session:
    print("token", acquire(session), flush=True)
    # Whoever holds it for long also reads session.events(): SUSPENDED: pause; LOST: it is gone.
    sys.stdin.read()
