"""SIGTERM to a server of an ensemble: it hands leadership over, ends its streams, answers whoever
waits, and exits with 0 within 10 s, also when nobody can take over or a client never reads."""

import re
import signal
import subprocess
import threading
import time
import unittest

import harness
import http2
from protobuf import field, read_varint

WATCH = "/pando.v1.TreeService/Watch"
STOP_S = 10


def watch_request(path):
    """pando.v1.WatchRequest of one target: the subtree of `path`, with data."""
    return field(field(path.encode()) + b"\x10\x03\x18\x01", number=2)


def progress_revisions(stream):
    """Field 4 of every pando.v1.WatchResponse in the bytes of a gRPC stream."""
    revisions = []
    while stream:
        length = int.from_bytes(stream[1:5], "big")
        body, stream = stream[5:5 + length], stream[5 + length:]
        while body:
            key, body = read_varint(body)
            if key & 7 == 2:
                size, body = read_varint(body)
                body = body[size:]
            elif key & 7 == 1:
                body = body[8:]
            else:
                value, body = read_varint(body)
                if key >> 3 == 4:
                    revisions.append(value)
    return revisions


class Stop(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.ensemble = harness.Ensemble(self.folder)
        self.addCleanup(self.ensemble.close)
        self.ensemble.start()
        self.leader = self.ensemble.leader()

    def all_apply(self, revision):
        for server in self.ensemble.running():
            harness.wait_until(
                lambda: server.metrics().get("pando_raft_applied_revision", 0) >= revision, 20,
                f"revision {revision} applied by server {server.id}")

    def wait_writable(self, server):
        harness.wait_until(
            lambda: server.pando("create", "/after", check=False).returncode == 0
            or server.pando("get", "/after", check=False).returncode == 0,
            20, f"a write through server {server.id}")

    def assert_stops(self, server):
        began = time.monotonic()
        self.assertEqual(server.stop(timeout_s=STOP_S), 0, server.log())
        self.assertIn("stopped", server.log().splitlines()[-1])
        return time.monotonic() - began

    def test_a_leader_hands_over_and_no_write_fails_elsewhere(self):
        """Nobody waits for an election: the successor is told to stand."""
        through = self.ensemble.followers()[0]
        outcomes, done = [], threading.Event()

        def write():
            while not done.is_set():
                wrote = through.pando("create", f"/w{len(outcomes)}", check=False)
                outcomes.append(wrote.returncode)

        writer = threading.Thread(target=write)
        writer.start()
        try:
            harness.wait_until(lambda: len(outcomes) > 5, 20, "writes")
            self.assertLess(self.assert_stops(self.leader), 5)
            self.assertIn("hands over before it stops", self.leader.log())
            after = len(outcomes)
            harness.wait_until(lambda: len(outcomes) > after + 5, 20, "writes after it")
        finally:
            done.set()
            writer.join()
        self.assertEqual(set(outcomes), {0})
        self.assertNotEqual(self.ensemble.leader(), self.leader)
        # In the term after that of the old leader: nobody else stood.
        terms = [int(term) for term in re.findall(r"role LEADER in term (\d+)", self.log_of_all())]
        self.assertEqual(max(terms), min(terms) + 1)

    def log_of_all(self):
        return "".join(s.log_path.read_text() for s in self.ensemble.servers.values())

    def test_a_follower_stops_without_an_election(self):
        follower = self.ensemble.followers()[0]
        changes = self.leader.metrics()["pando_raft_leader_changes_total"]
        self.assertLess(self.assert_stops(follower), 5)
        self.leader.pando("create", "/after")
        self.assertEqual(self.leader.metrics()["pando_raft_leader_changes_total"], changes)

    def test_streams_end_with_the_last_revision(self):
        """Also one that has had no event: whoever resumes elsewhere does not begin further back."""
        follower = self.ensemble.followers()[0]
        with http2.Call(follower.ports[0], WATCH) as call:
            call.send(watch_request("/quiet"))
            harness.wait_until(lambda: follower.metrics()["pando_watch_streams"] == 1, 10,
                               "watching")
            self.leader.pando("create", "/elsewhere")
            revision = self.leader.metrics()["pando_raft_applied_revision"]
            self.all_apply(revision)
            stream = []
            reader = threading.Thread(target=lambda: stream.append(call.read_to_end()))
            reader.start()
            self.assert_stops(follower)
            reader.join()
            revisions = progress_revisions(stream[0])
        self.assertEqual(revisions, sorted(revisions))
        self.assertGreaterEqual(revisions[-1], revision)

    def test_the_last_server_of_a_majority_that_is_gone(self):
        """A write that waits is answered, and told that it may still be applied."""
        for server in self.ensemble.followers():
            server.kill()
        waiting = subprocess.Popen(
            [harness.PANDO, "--timeout", "60s", "create", "/waits"], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=self.leader.environment())
        self.addCleanup(waiting.kill)
        harness.wait_until(lambda: self.leader.metrics()["pando_raft_pending_proposals"] > 0, 10,
                           "a write that waits")
        self.assert_stops(self.leader)
        self.assertNotEqual(waiting.wait(20), 0)
        self.assertIn("all_answered=true", self.leader.log())

    def test_followers_that_do_not_answer(self):
        """It tries, gives up after an election timeout, and goes all the same."""
        followers = self.ensemble.followers()
        for server in followers:
            server.process.send_signal(signal.SIGSTOP)
            self.addCleanup(server.process.send_signal, signal.SIGCONT)
        self.assert_stops(self.leader)
        for server in followers:
            server.process.send_signal(signal.SIGCONT)
        self.wait_writable(followers[0])

    def test_a_follower_that_lags_is_not_handed_the_ensemble(self):
        """One lags for want of the log, the other takes over."""
        lagging, current = self.ensemble.followers()
        lagging.process.send_signal(signal.SIGSTOP)
        self.addCleanup(lagging.process.send_signal, signal.SIGCONT)
        for i in range(50):
            self.leader.pando("create", f"/n{i}", "x" * 10_000)
        lagging.process.send_signal(signal.SIGCONT)
        self.assert_stops(self.leader)
        self.wait_writable(current)
        self.assertEqual(lagging.pando("get", "/n49").stdout.strip(), "x" * 10_000)

    def test_clients_that_never_read(self):
        """A watch whose outbox and socket are full, and one that has only said that it comes."""
        server = self.ensemble.followers()[0]
        with http2.Call(server.ports[0], WATCH) as deaf, http2.Call(server.ports[0], WATCH):
            deaf.send(watch_request("/"))
            harness.wait_until(lambda: server.metrics()["pando_watch_streams"] == 1, 10, "watching")
            for i in range(20):
                self.leader.pando("create", f"/big{i}", "x" * 100_000)
            self.all_apply(self.leader.metrics()["pando_raft_applied_revision"])
            self.assert_stops(server)


if __name__ == "__main__":
    unittest.main()
