"""The scenarios that every language's client passes: clients/conformance/scenarios.json."""

from __future__ import annotations

import asyncio
import contextlib
import pathlib
import threading
import time
from collections.abc import Iterator

import pytest
from conftest import Connect
from ensemble import Ensemble

import pando
from pando import SessionEvent
from pando._loop import shared_loop
from pando.v1 import common_pb2, session_pb2
from pando.v1 import tree_pb2 as tree


@contextlib.contextmanager
def takes(at_least: float, at_most: float) -> Iterator[None]:
    began = time.monotonic()
    yield
    took = time.monotonic() - began
    assert at_least <= took <= at_most, f"took {took:.3f} s"


def names(session: pando.Session, path: str) -> list[str]:
    return [entry.name for entry in session.children(path, linearizable=True)]


def until(event: SessionEvent, events: pando.Feed[SessionEvent], timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while events.get(max(deadline - time.monotonic(), 0)) is not event:
        pass


def test_connect(connect: Connect, root: str) -> None:
    session = connect()
    assert session.events().get(0) is SessionEvent.CONNECTED
    made = session.create(f"{root}/a", b"1", kind=common_pb2.NODE_KIND_EPHEMERAL)
    assert made.stat.ephemeral_owner == session.id
    other = connect()
    assert other.get(made.path, linearizable=True).data == b"1"
    session.close()
    assert not other.exists(made.path, linearizable=True)


def test_typed_errors(connect: Connect, root: str) -> None:
    session = connect()
    with pytest.raises(pando.NoNodeError) as no_node:
        session.get(f"{root}/nothing")
    assert no_node.value.reason == "NO_NODE"
    assert no_node.value.path == f"{root}/nothing"
    assert not no_node.value.maybe_applied
    with pytest.raises(pando.NodeExistsError):
        session.create(root)
    with pytest.raises(pando.BadVersionError) as bad_version:
        session.set(root, b"", expected_version=7)
    assert bad_version.value.metadata["actual_version"] == "0"
    with pytest.raises(pando.InvalidError, match="INVALID_PATH"):
        session.create("no-slash")
    with pytest.raises(pando.InvalidError, match="INVALID_PATH"):
        session.watch(pando.watch_node("no-slash"))


def test_no_endpoint_up(ensemble: Ensemble, connect: Connect) -> None:
    nobody = [ensemble.other("nobody") for _ in range(3)]
    busy = time.process_time()
    with takes(2.0, 2.5), pytest.raises(pando.UnavailableError) as unavailable:
        connect(nobody, connect_timeout=2)
    assert time.process_time() - busy < 0.5  # it does not spin
    for endpoint in nobody:
        assert endpoint in str(unavailable.value)


def footprint() -> tuple[int, int, int]:
    """Sockets, tasks and threads of this process."""
    sockets = 0
    for descriptor in pathlib.Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # that of this listing
            sockets += descriptor.readlink().name.startswith("socket:")
    return sockets, len(asyncio.all_tasks(shared_loop())), threading.active_count()


def test_leaves_nothing(ensemble: Ensemble, root: str) -> None:
    nobody, silent = ensemble.other("nobody"), ensemble.other("silent")
    before = footprint()
    for _ in range(10):
        with pando.connect([nobody, ensemble.endpoint(1)]) as session:
            session.watch(pando.watch_node(root))
    with pytest.raises(pando.UnavailableError):
        pando.connect(silent, connect_timeout=0.3)
    deadline = time.monotonic() + 5
    while any(now > then for now, then in zip(footprint(), before, strict=True)):
        assert time.monotonic() < deadline, (before, footprint())
        time.sleep(0.01)


def test_wrong_endpoint(ensemble: Ensemble, connect: Connect) -> None:
    with takes(1.0, 1.5), pytest.raises(pando.UnavailableError, match="no session within 1 s"):
        connect(ensemble.other("http"), connect_timeout=1)
    with pytest.raises(ValueError, match="HOST:PORT"):
        connect(["127.0.0.1:1", ""])


def test_one_of_three_wrong(ensemble: Ensemble, connect: Connect) -> None:
    for kind in ("nobody", "http"):
        with takes(0, 1.5):
            session = connect([ensemble.other(kind), *ensemble.endpoints[:2]])
        assert session.exists("/")


def test_silent_server(ensemble: Ensemble, connect: Connect) -> None:
    silent = ensemble.other("silent")
    with takes(0.5, 1.5):
        session = connect([silent, ensemble.endpoint(1)], attempt_timeout=0.5)
    assert session.exists("/")
    with takes(2.0, 2.5), pytest.raises(pando.UnavailableError, match="did not answer"):
        connect([silent], connect_timeout=2, attempt_timeout=0.5)
    # It is named also before it was silent for too long.
    with pytest.raises(pando.UnavailableError, match=silent):
        connect([silent], connect_timeout=0.3)


def test_another_cluster(ensemble: Ensemble, connect: Connect) -> None:
    stranger = ensemble.other("stranger")
    front = ensemble.front(1)
    session = connect([front, stranger, ensemble.endpoint(2)])
    session.create("/another-cluster", if_not_exists=True)
    events = session.events()
    ensemble.fault("silence", front)
    ensemble.fault("cut", front)
    until(SessionEvent.RECONNECTED, events, 5)
    assert session.exists("/another-cluster")
    mine = session.get("/").header.cluster_id
    with pytest.raises(pando.UnavailableError, match="WRONG_CLUSTER"):
        connect([stranger], cluster_id=mine, connect_timeout=1)


def test_failover(ensemble: Ensemble, connect: Connect, root: str) -> None:
    follower = ensemble.followers()[0]
    session = connect(ensemble.first(follower))
    node = session.create(f"{root}/mine", kind=common_pb2.NODE_KIND_EPHEMERAL).path
    events = session.events()
    stamps: dict[SessionEvent, float] = {}

    def stamp() -> None:
        for event in events:
            stamps[event] = time.monotonic()

    stamping = threading.Thread(target=stamp)
    stamping.start()
    ensemble.kill(follower)
    assert session.set(node, b"again", timeout=5).stat.version == 1
    session.close()
    stamping.join()
    back_ms = (stamps[SessionEvent.RECONNECTED] - stamps[SessionEvent.SUSPENDED]) * 1000
    print(f"back after {back_ms:.0f} ms")
    assert back_ms < 200


def test_failover_in_the_middle_of_a_write(ensemble: Ensemble, connect: Connect, root: str) -> None:
    for server in (ensemble.followers()[0], ensemble.leader()):
        ensemble.heal()
        front = ensemble.front(server)
        rest = [e for e in ensemble.endpoints if e != ensemble.endpoint(server)]
        session, other = connect([front, *rest]), connect(rest)
        node = session.create(f"{root}/node-{server}").path
        ensemble.fault("mute", front)
        writes = [session.submit(tree.SetRequest(path=node, data=b"x")) for _ in range(20)]
        while other.get(node, linearizable=True).stat.version == 0:
            pass  # until the server has the first of them
        ensemble.kill(server)
        versions = [write.result(10).stat.version for write in writes]
        assert versions == list(range(1, 21))
        assert session.get(node).stat.version == 20


def test_exactly_once_under_dropped_replies(
    ensemble: Ensemble, connect: Connect, root: str
) -> None:
    front = ensemble.front(1)
    session, other = connect([front]), connect()
    for count in range(1, 11):
        ensemble.fault("mute", front)
        create = session.submit(tree.CreateRequest(path=f"{root}/n-", sequential=True))
        while len(names(other, root)) < count:
            pass  # until it is applied; its reply is kept back
        assert not create.done()
        ensemble.fault("cut", front)
        assert create.result(10).path == f"{root}/{names(other, root)[-1]}"
        assert len(names(other, root)) == count


def test_maybe_applied(ensemble: Ensemble, connect: Connect, root: str) -> None:
    front = ensemble.front(1)
    session = connect([front])
    ensemble.fault("mute", front)
    with takes(0.5, 1.0), pytest.raises(pando.TimedOutError) as sent:
        session.create(f"{root}/sent", timeout=0.5)
    assert sent.value.maybe_applied
    with pytest.raises(pando.TimedOutError) as read:
        session.get(root, timeout=0.2)
    assert not read.value.maybe_applied
    events = session.events()
    ensemble.fault("cut", front)
    until(SessionEvent.RECONNECTED, events, 5)
    assert session.exists(f"{root}/sent")


def test_watch_over_a_leader_change(ensemble: Ensemble, connect: Connect, root: str) -> None:
    leader = ensemble.leader()
    watcher, writer = connect(ensemble.first(leader)), connect(ensemble.first(leader))
    watch = watcher.watch(pando.watch_subtree(root, with_data=True))
    for i in range(100):
        if i == 50:
            ensemble.kill(leader)
        writer.create(f"{root}/{i:03}", str(i).encode())
    events = [watch.get(10) for _ in range(100)]
    assert [int(event.data) for event in events] == list(range(100))
    revisions = [event.revision for event in events]
    assert revisions == sorted(set(revisions))
    with pytest.raises(TimeoutError):
        watch.get(0.1)


def test_watch_from_a_revision(connect: Connect, root: str) -> None:
    session = connect()
    revisions = [session.set(root, str(i).encode()).header.revision for i in range(5)]
    target = pando.watch_node(root, with_data=True)
    watch = session.watch(target, start_revision=revisions[2])
    assert [watch.get(5).data for _ in range(3)] == [b"2", b"3", b"4"]
    state = session.watch(target, send_initial=True)
    assert [entry.data for entry in state.initial] == [b"4"]
    session.set(root, b"5")
    assert (watch.get(5).data, state.get(5).data) == (b"5", b"5")


def test_event_before_data(connect: Connect, root: str) -> None:
    writer, reader = connect(), connect()
    writer.create(f"{root}/busy")
    watches = [
        reader.watch(pando.watch_node(root), pando.watch_children("/")),
        reader.watch(pando.watch_node(f"{root}/busy")),
        reader.watch(pando.watch_children(root)),
    ]
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            for one in [
                writer.submit(tree.SetRequest(path=f"{root}/busy", data=b"x")) for _ in range(5)
            ]:
                one.result()

    writing = threading.Thread(target=write)
    writing.start()
    told = 0
    try:
        for _ in range(1000):
            version = reader.get(f"{root}/busy").stat.version
            while len(watches[1]):
                told = watches[1].get(0).stat.version
            assert told >= version, "the data came before its event"
    finally:
        stop.set()
        writing.join()
    assert told > 0
    assert [len(watch) for watch in watches] == [0, len(watches[1]), 0]


def test_watch_is_held_by_no_reader(connect: Connect, root: str) -> None:
    """A watch that nobody reads costs no more than its bound, and holds nothing back."""
    session = connect()
    watch = session.watch(pando.watch_node(root))
    writes = [session.submit(tree.SetRequest(path=root), 60) for _ in range(25_000)]
    assert writes[-1].result(60).stat.version == 25_000
    assert len(watch) <= 12_000
    assert [watch.get(10).stat.version for _ in range(25_000)] == list(range(1, 25_001))


def test_session_lost(ensemble: Ensemble, connect: Connect, root: str) -> None:
    """Who is cut off knows before anybody else can have what it held."""
    front = ensemble.front(1)
    session, other = connect([front], session_timeout=2), connect()
    node = session.create(f"{root}/held", kind=common_pb2.NODE_KIND_EPHEMERAL).path
    events = session.events()
    gone = other.watch(pando.watch_node(node))
    watch = session.watch(pando.watch_node(root))
    ensemble.fault("silence", front)
    with takes(0, 2.5):
        until(SessionEvent.LOST, events, 5)
    assert other.exists(node, linearizable=True)
    with pytest.raises(StopIteration):
        events.get(1)
    with takes(0, 0.1), pytest.raises(pando.SessionLostError):
        session.get(root)
    with pytest.raises(pando.SessionLostError):
        watch.get(1)
    assert gone.get(10).kind == tree.EVENT_KIND_DELETED


def test_session_expired(ensemble: Ensemble, connect: Connect) -> None:
    """The servers say that it is over."""
    session = connect(session_timeout=2)
    events = session.events()
    session.call(
        "/pando.v1.SessionService/Close", session_pb2.CloseRequest(), session_pb2.CloseResponse
    )
    with takes(0, 2):
        until(SessionEvent.LOST, events, 5)
    with pytest.raises(pando.SessionLostError):
        session.get("/")


def test_server_falls_silent(ensemble: Ensemble, connect: Connect, root: str) -> None:
    front = ensemble.front(1)
    session = connect([front, ensemble.endpoint(2)], session_timeout=3)
    events = session.events()
    ensemble.fault("silence", front)
    busy = time.process_time()
    with takes(0, 3):
        assert session.set(root, b"x", timeout=5).stat.version == 1
    assert time.process_time() - busy < 0.5
    until(SessionEvent.RECONNECTED, events, 1)


def test_no_leader(ensemble: Ensemble, connect: Connect, root: str) -> None:
    """Without a majority a write waits for its timeout, and the session goes on when it is back."""
    session = connect(ensemble.first(1), session_timeout=30)
    ensemble.kill(2)
    ensemble.kill(3)
    busy = time.process_time()
    with takes(2, 2.5), pytest.raises(pando.TimedOutError):
        session.set(root, b"x", timeout=2)
    assert time.process_time() - busy < 0.5
    ensemble.heal()
    assert session.set(root, b"y", timeout=10).stat.version in (1, 2)
    assert session.get(root).data == b"y"


def test_acl_denied(connect: Connect, root: str) -> None:
    ann, anybody = connect(identities=["digest:ann:secret"]), connect()
    everything = common_pb2.AclEntry(
        identity=common_pb2.Identity(scheme="auth"), permissions=0b11111
    )
    node = ann.create(f"{root}/hers", b"x", acl=[everything]).path
    watches = [session.watch(pando.watch_node(node, with_data=True)) for session in (ann, anybody)]
    with pytest.raises(pando.PermissionDeniedError) as denied:
        anybody.set(node, b"y")
    assert denied.value.path == node
    assert not denied.value.maybe_applied
    with pytest.raises(pando.PermissionDeniedError):
        anybody.get(node)
    assert ann.set(node, b"y").stat.version == 1
    assert ann.get(node).data == b"y"
    assert watches[0].get(5).data == b"y"
    anybody.get(root, linearizable=True)  # what precedes this reply was told: nothing
    assert len(watches[1]) == 0
    with takes(0, 2), pytest.raises(pando.UnauthenticatedError):
        connect(identities=["nonsense"])


def test_tls(ensemble: Ensemble, connect: Connect) -> None:
    def mutual(server: dict[str, str]) -> pando.Tls:
        ca, certificate, key = (server[name].encode() for name in ("ca", "certificate", "key"))
        return pando.Tls(ca, certificate, key)

    def refused(server: dict[str, str], tls: pando.Tls | None, why: str) -> None:
        with takes(1, 1.5), pytest.raises(pando.UnavailableError, match=why):
            connect(server["endpoint"], tls=tls, connect_timeout=1, attempt_timeout=0.5)

    server = ensemble.tls("server")
    session = connect(server["endpoint"], tls=mutual(server))
    me = session.call("/pando.v1.TreeService/WhoAmI", tree.WhoAmIRequest(), tree.WhoAmIResponse)
    assert [one.id for one in me.identities if one.scheme == "x509"]
    refused(server, pando.Tls(server["ca"].encode()), "no session within 1")
    refused(server, None, "no session within 1")
    refused(server, pando.Tls(server["other_ca"].encode()), "CERTIFICATE_VERIFY_FAILED")
    expired = ensemble.tls("expired")
    refused(expired, mutual(expired), "CERTIFICATE_VERIFY_FAILED.*expired")
