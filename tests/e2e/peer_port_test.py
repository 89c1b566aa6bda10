"""The peer port against whoever can reach it: an ensemble goes on whatever is said there, says who
was turned away and why, and what it costs is bounded."""

import contextlib
import errno
import pathlib
import re
import resource
import socket
import time
import unittest

import harness
import http2
from protobuf import field, varint

CHANNEL = "/pando.internal.v1.PeerService/Channel"
INSTALL = "/pando.internal.v1.PeerService/Install"
PROTOCOL = 3
VOTER = 1
FRAME_BYTES_MAX = 8 << 20
# What a server may grow by under everything that this test does to it: most of it is windows and
# buffers of connections that gRPC and the allocator keep for a while.
GROWTH_BYTES_MAX = 192 << 20
# Of messages that are not complete, over all connections.
QUOTA_BYTES = 256 << 20


def text(value):
    return varint(len(value)) + value.encode()


def hello(to, server_id, storage, cluster=0, start=1, protocol=PROTOCOL, joins=False,
          address="127.0.0.1:1"):
    """services/protocol/wire.h: the first frame of a channel."""
    member = (varint(1) + varint(server_id) + varint(storage) + bytes([VOTER]) + text(address) +
              text("") * 3 + varint(1) + varint(1))
    return (varint(protocol) + varint(to) + varint(server_id) + varint(storage) + varint(start) +
            varint(cluster) + varint(0) + varint(0) + varint(0) + varint(1) + varint(1) +
            bytes([joins]) + varint(len(member)) + member)


def stand_now():
    """The smallest message: raft::StandNow of term 1, which nobody obeys."""
    return bytes([0, 6, 1])


def say_no_more(connection):
    """Closes our half of it. Where the server has reset it since, the kernel says ENOTCONN, which
    Python counts among no ConnectionErrors."""
    try:
        connection.shutdown(socket.SHUT_WR)
    except OSError as error:
        if error.errno != errno.ENOTCONN:
            raise


def storage_of(server):
    """The random id of its data, as the log says it."""
    return int(re.findall(r"data dir opened.* storage=(\d+)", server.log_path.read_text())[-1])


def cluster_of(server):
    return int(re.findall(r"serving.* cluster=\"?([0-9a-f]+)", server.log_path.read_text())[-1], 16)


class PeerPort(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.ensemble = self.ensemble_in("own", 3)
        self.leader = self.ensemble.leader()
        self.follower = self.ensemble.followers()[0]
        self.nodes = 0

    def ensemble_in(self, name, count):
        folder = self.folder / name
        folder.mkdir()
        ensemble = harness.Ensemble(folder, count=count)
        self.addCleanup(ensemble.close)
        return ensemble.start()

    def tearDown(self):
        """Whatever was done: somebody leads, and writes through anybody are committed."""
        for server in self.ensemble.servers.values():
            self.assert_writes(server)
        for server in self.ensemble.servers.values():
            self.assertIsNone(server.process.poll(), server.log())
        super().tearDown()

    def assert_writes(self, server):
        self.nodes += 1
        server.pando("create", f"/n{self.nodes}", "x")

    def call(self, server, path=CHANNEL):
        return http2.Call(server.ports[1], path)

    def channel(self, server, *frames):
        call = self.call(server)
        self.addCleanup(call.socket.close)
        for payload in frames:
            call.send(field(payload))
        return call

    def assert_refused(self, server, reason, *words):
        """A line that says why, and whom; others of the same second may have taken its place."""
        def logged():
            lines = [line for line in server.log_path.read_text().splitlines()
                     if "refused a server" in line and f"reason={reason}" in line]
            return any(all(word in line for word in words) for line in lines)

        harness.wait_until(logged, 10, f"{reason} {words} in the log of server {server.id}")
        name = f'pando_peer_refused_total{{reason="{reason}"}}'
        self.assertGreater(server.metrics()[name], 0)

    def test_garbage_and_other_protocols(self):
        for server in (self.leader, self.follower):
            before = server.resident_bytes()
            for nonsense in (bytes(range(256)) * 256, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
                             b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", http2.PREFACE,
                             http2.PREFACE + b"\xff" * 4096):
                with socket.create_connection(("127.0.0.1", server.ports[1]), 10) as connection:
                    with contextlib.suppress(ConnectionError):
                        connection.sendall(nonsense)
                        say_no_more(connection)
                        while connection.recv(1 << 16):
                            pass
            self.assertLess(server.resident_bytes() - before, GROWTH_BYTES_MAX)

    def test_calls_that_do_not_say_who_they_are(self):
        silent = self.channel(self.follower)
        self.assertEqual(silent.read_to_end(), b"")
        self.assert_refused(self.follower, "SILENT", "no Hello in time", silent.address)
        garbage = self.channel(self.follower, b"\xff" * 100)
        self.assertEqual(garbage.read_to_end(), b"")
        self.assert_refused(self.follower, "UNREADABLE", "its Hello of 100 bytes", garbage.address)

    def test_another_protocol_another_server_and_another_cluster(self):
        """Each is refused in words that reach the caller, too."""
        leader, cluster = self.leader, cluster_of(self.leader)
        member = dict(server_id=self.follower.id, storage=storage_of(self.follower))
        for reason, word, first in (
                ("WRONG_VERSION", "the caller 77", hello(leader.id, protocol=77, **member)),
                ("WRONG_SERVER", "wants 9", hello(9, **member)),
                ("WRONG_CLUSTER", f"is of cluster {cluster ^ 1:x}",
                 hello(leader.id, cluster=cluster ^ 1, **member)),
                ("WRONG_STORAGE", f"data of server {self.follower.id} is gone",
                 hello(leader.id, self.follower.id, 12345, cluster)),
                ("NOT_A_MEMBER", "server 9 is not a member", hello(leader.id, 9, 12345, cluster))):
            with self.subTest(reason):
                call = self.channel(leader, first)
                self.assertIn(word.encode(), call.read_to_end())
                self.assert_refused(leader, reason, word, call.address)

    def test_who_claims_the_id_of_the_leader_does_not_silence_it(self):
        """Such as a server that was given an id by mistake, or whose data was lost."""
        claimed = self.channel(self.follower, hello(self.follower.id, self.leader.id, 12345))
        self.assertIn(b"is a member and is here", claimed.read_to_end())
        self.assert_refused(self.follower, "WRONG_STORAGE", claimed.address)
        changes = self.follower.metrics()["pando_raft_leader_changes_total"]
        for _ in range(20):
            self.assert_writes(self.follower)
            time.sleep(0.1)
        claimed.socket.close()
        self.assert_writes(self.follower)
        self.assertEqual(self.follower.metrics()["pando_raft_leader_changes_total"], changes)

    def test_frames_that_are_too_large_or_cannot_be_read(self):
        known = hello(self.follower.id, 9, 12345)
        before = self.follower.resident_bytes()
        self.assertEqual(self.channel(self.follower, known, b"\xff" * 64).read_to_end(), b"")
        self.assert_refused(self.follower, "UNREADABLE", "a frame of 64 bytes")
        # A megabyte of nothing but empty commands, of which each would be a string in memory.
        count = 1 << 16
        forward = bytes([1, 1]) + varint(count) + bytes(count)
        self.assertEqual(self.channel(self.follower, known, forward * 15).read_to_end(), b"")
        self.assertLess(self.follower.resident_bytes() - before, GROWTH_BYTES_MAX)

    def test_many_idle_connections_and_silent_calls(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        server = self.follower
        before = server.resident_bytes()
        with contextlib.ExitStack() as held:
            for _ in range(500):
                held.enter_context(socket.create_connection(("127.0.0.1", server.ports[1]), 10))
            for path in (CHANNEL, INSTALL):
                for _ in range(250):
                    held.enter_context(self.call(server, path))
            # Who does say who it is is not kept out: the leader finds it again.
            self.assert_writes(server)
            self.assert_refused(server, "CROWDED")
            self.assertLess(server.resident_bytes() - before, GROWTH_BYTES_MAX)
            threads = int(pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
                          .split("Threads:")[1].split()[0])
            self.assertLess(threads, 150)
            # All of them are ended by the server: half said nothing, half no Hello.
            descriptors = pathlib.Path(f"/proc/{server.process.pid}/fd")
            harness.wait_until(lambda: len(list(descriptors.iterdir())) < 200, 40,
                               "idle connections closed")

    def test_half_of_a_large_message_from_many(self):
        before = self.follower.resident_bytes()
        calls = [self.channel(self.follower) for _ in range(40)]
        announced = b"\0" + FRAME_BYTES_MAX.to_bytes(4, "big") + b"\xff" * (60 << 10)
        for call in calls:
            with contextlib.suppress(ConnectionError):
                call.send_raw(announced)
        self.assert_refused(self.follower, "CROWDED")
        self.assertLess(self.follower.resident_bytes() - before, GROWTH_BYTES_MAX)

    def test_messages_without_end(self):
        """All of them are read, and dropped, and cost nothing that stays."""
        flood = self.channel(self.follower, hello(self.follower.id, 9, 12345))
        self.assert_floods(flood, http2.message(field(stand_now() * 5_000)), GROWTH_BYTES_MAX)

    def test_a_message_without_end(self):
        """gRPC would take it in whole, and only then see that it is too large."""
        flood = self.channel(self.follower, hello(self.follower.id, 9, 12345))
        flood.send_raw(b"\0" + (0xFFFF_FFFF).to_bytes(4, "big"))
        self.assert_floods(flood, b"\xff" * 16_384, QUOTA_BYTES + GROWTH_BYTES_MAX)

    def assert_floods(self, flood, payload, bytes_max):
        flood.socket.settimeout(2)
        before = self.follower.resident_bytes()
        sent, until = 0, time.monotonic() + 10
        with contextlib.suppress(ConnectionError, TimeoutError):
            while time.monotonic() < until and sent < 1 << 30:
                flood.send_raw(payload)
                sent += len(payload)
        self.assertGreater(sent, 1 << 20)
        self.assertLess(self.follower.resident_bytes() - before, bytes_max, f"{sent} bytes sent")
        self.assert_writes(self.follower)

    def test_a_server_of_another_ensemble_on_a_members_address(self):
        """Both logs name it, the caller's once for all that it asks again."""
        third = self.ensemble_in("third", 2)
        for server in third.servers.values():
            server.stop()
        here = self.ensemble_in("here", 2)
        first, second = here.servers[1], here.servers[2]
        second.stop()
        second.data_dir.rename(second.folder / "its-own")
        third.servers[2].data_dir.rename(second.data_dir)
        second.spawn()
        called = "refused a server reason=WRONG_CLUSTER"
        caller = "server 2 refuses this one: WRONG_CLUSTER"
        harness.wait_until(lambda: second.log_path.read_text().count(called) > 1, 20, called)
        self.assertEqual(first.log_path.read_text().count(caller), 1)


if __name__ == "__main__":
    unittest.main()
