"""Watching data: every change of a subtree, also over the end of this program.

watching.py PATH BOOKMARK: goes on after the revision in the file BOOKMARK, where it left off.
"""

import os
import pathlib
import sys

import pando
from pando.v1 import tree_pb2

path, bookmark = sys.argv[1], pathlib.Path(sys.argv[2])

with pando.connect(os.environ["PANDO_ENDPOINTS"]) as session:
    start = int(bookmark.read_text()) + 1 if bookmark.exists() else 0
    target = pando.watch_subtree(path, with_data=True)
    try:
        watch = session.watch(target, start_revision=start)
    except pando.CompactedError:
        # Too long ago: what is kept begins later. Read the state, and go on from there.
        watch = session.watch(target, send_initial=True)
        print(len(watch.initial), "nodes now", flush=True)
    bookmark.write_text(str(watch.start_revision - 1))
    print("watching", flush=True)
    for event in watch:
        kind = tree_pb2.EventKind.Name(event.kind).removeprefix("EVENT_KIND_")
        print(kind, event.path, event.data.decode(), flush=True)
        bookmark.write_text(str(event.revision))
