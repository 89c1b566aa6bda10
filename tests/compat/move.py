"""move.py [--nodes N] [--budget]: `pando import zookeeper` from a real ZooKeeper of three servers
into Pando, with one of them killed while it follows, and everything compared in the end.

It tells how long the copy of N nodes (2,000 by default) took, and how long a change was on its way;
--budget fails where that is over a second.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time
import types

import servers
from mover import Mover
from servers import harness

import zookeeper_client as zk

PER_FOLDER = 1_000
CHANGES = 100
BUDGET_S = 1.0


def client_of(address):
    """A client of the server at the address."""
    port = int(address.rsplit(":", 1)[1])
    client = zk.Client(types.SimpleNamespace(ports=[0, 0, 0, port]), timeout_s=60)
    client.connect(timeout_ms=40_000)
    return client


def fill(client, count):
    """/app with `count` nodes in all."""
    client.create("/app", b"top")
    made = 1
    while made < count:
        folder = f"/app/f{made}"
        asked = [client.ask_create(folder, b"folder")]
        size = min(PER_FOLDER, count - made)
        asked += [client.ask_create(f"{folder}/n{i}", f"data of {i}") for i in range(size - 1)]
        for xid in asked:
            client.answer(xid)
        made += size


def lag(source, pando):
    """The longest time, in s, from a write's acknowledgement until Pando tells of it."""
    watch = subprocess.Popen([harness.PANDO, "watch", "-r", "-o", "json", "/app"], text=True,
                             env=pando.environment(), stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE)
    lines = harness.Lines(watch.stdout)
    harness.wait_until(lambda: pando.metrics().get("pando_watch_streams", 0) > 0, 20, "watching")
    worst = 0.0
    try:
        for number in range(CHANGES):
            source.set("/app", f"change {number}")
            began = time.monotonic()
            while json.loads(lines.next()).get("data") != f"change {number}":
                pass
            worst = max(worst, time.monotonic() - began)
    finally:
        watch.kill()
        watch.wait()
    return worst


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--nodes", type=int, default=2_000)
    parser.add_argument("--budget", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pando-move-") as folder:
        zookeeper = servers.ZooKeeper(pathlib.Path(folder, "zookeeper"), count=3)
        pando = harness.Server(folder)
        try:
            zookeeper.start()
            pando.start()
            fill(client_of(zookeeper.addresses[0]), options.nodes)
            move = Mover("import", zookeeper.addresses, pando, "--verify")
            move.wait_said("following")
            source = client_of(zookeeper.addresses[2])
            worst = lag(source, pando)
            print(f"a change was under way for {worst * 1000:.0f} ms at most, of {CHANGES}")
            assert not options.budget or worst < BUDGET_S
            source.create("/app/container", b"1", flags=zk.CONTAINER, opcode=zk.CREATE_CONTAINER)
            source.create("/app/gone", b"2", flags=zk.EPHEMERAL)
            source.create("/app/mine", b"3", acl=[(31, "digest", servers.SUPER_DIGEST)])
            zookeeper.kill(zookeeper.addresses[0])  # the one that the import began with
            move.wait_said("connected again")
            source.set("/app", b"last")
            source.delete("/app/mine")
            summary = move.stop()
            assert summary["nodes"] == options.nodes + 1, summary
            assert summary["ephemerals"] == 1, summary
            again = subprocess.run(
                [harness.PANDO, "import", "zookeeper", zookeeper.addresses[2], "/app", "--once",
                 "--delete", "-o", "json"], env=pando.environment(), capture_output=True, text=True,
                check=True)
            assert json.loads(again.stdout)["created"] == 0, again.stdout
        finally:
            pando.close()
            zookeeper.close()
    print("move: passed")


if __name__ == "__main__":
    sys.exit(main())
