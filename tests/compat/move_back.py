"""move_back.py [--nodes N]: `pando export zookeeper` from Pando into a real ZooKeeper of three
servers: where it must not write, what it copies, and that it follows while the server that it
writes to is killed. In the end both sides are compared whole, by the command and by this test.
"""

import argparse
import pathlib
import struct
import sys
import tempfile
import time

import servers
from mover import PASSWORD, TOP, Mover
from servers import harness

import zookeeper_client as zk

# A digest's hash is shown to the superuser only.
ADA = "ada:6W0ByIZ4yxSGGdJJ9PUh2qYyK8M="
BYTES = bytes(range(256))
SUPERS = [(31, "digest", servers.SUPER_DIGEST)]
GET_ACL = 6
CHANGES = 100


def client_of(address):
    client = zk.Client(None, timeout_s=60, port=int(address.rsplit(":", 1)[1]))
    client.connect(timeout_ms=40_000)
    client.add_auth("digest", PASSWORD.removeprefix("digest:"))
    return client


def acl_of(client, path):
    """[(permissions, scheme, id), …]"""
    rest = client.call(GET_ACL, zk.text(path))
    count, rest = struct.unpack(">i", rest[:4])[0], rest[4:]
    entries = []
    for _ in range(count):
        permissions, rest = struct.unpack(">i", rest[:4])[0], rest[4:]
        scheme, rest = zk.take_text(rest)
        who, rest = zk.take_text(rest)
        entries.append((permissions, scheme.decode(), who.decode()))
    return entries


def fill(pando, count):
    """`count` nodes below TOP, and it; one of each kind that matters among them."""
    client = client_of(f"127.0.0.1:{pando.ports[3]}")
    client.create(TOP, b"top", acl=[(31, "digest", servers.SUPER_DIGEST), (1, "world", "anyone")])
    client.create(f"{TOP}/bytes", BYTES, acl=[(31, "digest", ADA), (3, "ip", "10.0.0.0/8")])
    client.create(f"{TOP}/empty", b"")
    pando.pando("create", f"{TOP}/null", "--auth", PASSWORD)
    client.create(f"{TOP}/s", b"1", flags=zk.SEQUENTIAL)
    client.create(f"{TOP}/gone", b"2", flags=zk.EPHEMERAL)
    asked = [client.ask_create(f"{TOP}/n{i}", f"data of {i}") for i in range(count - 4)]
    for xid in asked:
        client.answer(xid)
    return client


def refuse(pando, words, where, *more, status=1):
    """The export to `where` must end with that status, and say these words."""
    done = pando.pando("export", "zookeeper", where, TOP, "--once", "--timeout", "2s", "--auth",
                       PASSWORD, *more, check=False)
    assert done.returncode == status, (where, done.returncode, done.stderr)
    assert words in done.stderr, (where, done.stderr)
    print(f"refused: {done.stderr.splitlines()[-1]}")


def check_refusals(zookeeper, pando, source):
    address = zookeeper.addresses[0]
    free = f"127.0.0.1:{harness.free_ports(1)[0]}"
    silent = harness.SilentListener()
    for nobody in (free, silent.endpoint, f"127.0.0.1:{pando.ports[2]}"):
        refuse(pando, f"no ZooKeeper serves at {nobody}", nobody, status=69)
    silent.close()
    client = client_of(address)
    # Somebody else's: this client may not write there, and says so of every node.
    client.create(TOP, b"theirs", acl=[*SUPERS, (1, "world", "anyone")])
    refuse(pando, "could not be copied as they are", address)
    assert client.get(TOP)[0] == b"theirs"
    client.create(f"{TOP}/theirs", b"x")
    refuse(pando, f"ZooKeeper has 1 nodes below {TOP} already", address)
    assert client.children(TOP) == ["theirs"]
    # All but the one that ZooKeeper would close the connection for.
    source.create(f"{TOP}/large", b"x" * 1_040_000)
    refuse(pando, f"skipped {TOP}/large: more data than ZooKeeper takes", address, "--merge",
           "--zookeeper-auth", PASSWORD)
    assert "n0" in client.children(TOP)
    assert "large" not in client.children(TOP)
    source.delete(f"{TOP}/large")


def check_copy(client, count):
    """What ZooKeeper has is what there was: `count` nodes below TOP."""
    names = client.children(TOP)
    assert len(names) == count, len(names)
    assert "gone" not in names and "theirs" not in names
    assert client.get(f"{TOP}/bytes")[0] == BYTES
    assert client.get(f"{TOP}/s0000000003")[0] == b"1", sorted(names)
    record = client.call(zk.GET_DATA, zk.text(f"{TOP}/null") + b"\0")
    assert struct.unpack(">i", record[:4])[0] == -1, record[:4]
    assert client.get(f"{TOP}/empty")[0] == b""
    assert acl_of(client, f"{TOP}/bytes") == [(31, "digest", ADA), (3, "ip", "10.0.0.0/8")]
    assert acl_of(client, TOP) == [*SUPERS, (1, "world", "anyone")]


def wait_for(client, path, data):
    """How long it took."""
    def shown():
        try:
            return client.get(path)[0] == data
        except zk.Failed as failed:
            if failed.code != zk.NO_NODE:
                raise
            return False

    began = time.monotonic()
    harness.wait_until(shown, 60, f"{path} is {data}")
    return time.monotonic() - began


def check_following(export, zookeeper, pando, source, count):
    """Changes of every kind, before and after the server that is written to is killed."""
    client = client_of(zookeeper.addresses[2])
    check_copy(client, count)
    worst = 0.0
    for number in range(CHANGES):
        source.set(f"{TOP}/n0", f"change {number}")
        worst = max(worst, wait_for(client, f"{TOP}/n0", f"change {number}".encode()))
    print(f"a change was under way for {worst * 1000:.0f} ms at most, of {CHANGES}")
    pando.pando("acl", "set", f"{TOP}/n1", "world:anyone:r", "--auth", PASSWORD)
    harness.wait_until(lambda: acl_of(client, f"{TOP}/n1") == [(1, "world", "anyone")], 60,
                       "the new ACL")
    zookeeper.kill(zookeeper.addresses[0])  # the one that the export began with
    source.create(f"{TOP}/n2/below", b"new")
    source.delete(f"{TOP}/n3")
    export.wait_said("connected again")
    wait_for(client, f"{TOP}/n2/below", b"new")
    source.set(TOP, b"last")
    summary = export.stop()
    assert summary["nodes"] == count + 1, summary  # TOP too
    assert summary["ephemerals"] == 1, summary
    client.call(zk.SYNC, zk.text(TOP))
    assert client.get(TOP)[0] == b"last"
    assert "n3" not in client.children(TOP)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--nodes", type=int, default=2_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pando-move-back-") as folder:
        zookeeper = servers.ZooKeeper(pathlib.Path(folder, "zookeeper"), count=3)
        pando = harness.Server(folder, f"--super-digest={servers.SUPER_DIGEST}")
        export = None
        try:
            zookeeper.start()
            pando.start()
            source = fill(pando, options.nodes)
            check_refusals(zookeeper, pando, source)
            export = Mover("export", zookeeper.addresses, pando, "--auth", PASSWORD, "--delete",
                           "--verify", "--recheck", "1s")
            export.wait_said("following")
            check_following(export, zookeeper, pando, source, options.nodes)
        finally:
            if export:
                export.close()
            pando.close()
            zookeeper.close()
    print("move_back: passed")


if __name__ == "__main__":
    sys.exit(main())
