"""System management: a configuration that services follow.

configuration.py set KEY=VALUE… (all at once, or none) | configuration.py follow
"""

import os
import sys

import pando
from pando.v1 import tree_pb2 as tree

ROOT = "/configuration"


def change(session: pando.Session, settings: list[str]) -> None:
    operations = []
    for setting in settings:
        key, value = setting.split("=", 1)
        session.create(f"{ROOT}/{key}", if_not_exists=True)
        request = tree.SetRequest(path=f"{ROOT}/{key}", data=value.encode())
        operations.append(tree.TransactOperation(set=request))
    session.transact(operations)


def follow(session: pando.Session) -> None:
    # First as it stands, then every change after that: nothing is between the two.
    watch = session.watch(pando.watch_subtree(ROOT, with_data=True), send_initial=True)
    for node in watch.initial[1:]:
        print(node.path.removeprefix(ROOT + "/"), "=", node.data.decode(), flush=True)
    for event in watch:
        if event.kind == tree.EVENT_KIND_DATA_CHANGED:
            print(event.path.removeprefix(ROOT + "/"), "=", event.data.decode(), flush=True)


with pando.connect(os.environ["PANDO_ENDPOINTS"]) as session:
    session.create(ROOT, if_not_exists=True)
    if sys.argv[1] == "set":
        change(session, sys.argv[2:])
    else:
        follow(session)
