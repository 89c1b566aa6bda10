"""Servers joining and leaving: each is in the list for as long as it lives.

membership.py NAME ADDRESS: joins, says who comes and goes, and leaves when its input ends.
"""

import os
import sys
import threading

import pando
from pando.v1 import common_pb2, tree_pb2

ROOT = "/members"
name, address = sys.argv[1:]


def say(session: pando.Session) -> None:
    watch = session.watch(pando.watch_subtree(ROOT, with_data=True), send_initial=True)
    for member in watch.initial[1:]:
        print(f"{member.path.removeprefix(ROOT + '/')} at {member.data.decode()}", flush=True)
    for event in watch:
        who = event.path.removeprefix(ROOT + "/")
        if event.kind == tree_pb2.EVENT_KIND_DELETED:
            print(f"{who} left", flush=True)
        else:
            print(f"{who} at {event.data.decode()}", flush=True)


with pando.connect(os.environ["PANDO_ENDPOINTS"], session_timeout=2) as session:
    session.create(ROOT, if_not_exists=True)
    # Ephemeral: it goes with the session, so also when this process is killed.
    kind = common_pb2.NODE_KIND_EPHEMERAL
    session.create(f"{ROOT}/{name}", address.encode(), kind=kind)
    threading.Thread(target=say, args=[session], daemon=True).start()
    sys.stdin.read()
