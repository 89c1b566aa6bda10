"""What the metrics of an ensemble say while things happen to it."""

import signal
import unittest

import harness


class EnsembleMetrics(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.ensemble = harness.Ensemble(self.folder, "--snapshot-interval=1s")
        self.addCleanup(self.ensemble.close)
        self.ensemble.start()
        self.leader = self.ensemble.leader()
        self.follower, self.other = self.ensemble.followers()

    def wait_for(self, server, name, holds, timeout_s=20):
        return harness.wait_until(
            lambda: holds(server.metrics().get(name, float("nan"))), timeout_s,
            f"{name} of server {server.id}")

    def of_peer(self, name, peer):
        return f'{name}{{peer="{peer.id}"}}'

    def test_everybody_is_connected_to_everybody(self):
        servers = self.ensemble.servers.values()
        for server in servers:
            for peer in servers:
                if peer is server:
                    continue
                self.wait_for(server, self.of_peer("pando_peer_connected", peer),
                              lambda value: value == 1)
                for name in ("sent_bytes_total", "sent_messages_total", "received_bytes_total",
                             "received_messages_total", "round_trip_seconds_count"):
                    self.wait_for(server, self.of_peer(f"pando_peer_{name}", peer),
                                  lambda value: value > 0)
            metrics = server.metrics()
            self.assertEqual(metrics["pando_raft_members"], 3)
            self.assertEqual(metrics["pando_raft_members_heard"], 3)
            self.assertEqual(metrics["pando_server_ready"], 1)
            self.assertEqual(metrics["pando_raft_digest_mismatches_total"], 0)
            # On one machine, and without what the peer itself took.
            total = sum(metrics[self.of_peer("pando_peer_round_trip_seconds_sum", peer)]
                        for peer in servers if peer is not server)
            count = sum(metrics[self.of_peer("pando_peer_round_trip_seconds_count", peer)]
                        for peer in servers if peer is not server)
            self.assertLess(total / count, 0.5)

    def test_a_member_that_stops_and_comes_back(self):
        connected = self.of_peer("pando_peer_connected", self.follower)
        lag = self.of_peer("pando_raft_follower_lag_entries", self.follower)
        self.assertNotIn(lag, self.other.metrics())
        self.follower.kill()
        self.wait_for(self.leader, connected, lambda value: value == 0)
        self.wait_for(self.leader, "pando_raft_members_heard", lambda value: value == 2)
        for i in range(20):
            self.leader.pando("create", f"/n{i}")
        self.wait_for(self.leader, lag, lambda value: value >= 20)
        failures = self.leader.metrics()["pando_raft_heartbeat_failures_total"]
        self.wait_for(self.leader, "pando_raft_heartbeat_failures_total",
                      lambda value: value > failures)
        self.follower.start()
        self.wait_for(self.leader, connected, lambda value: value == 1)
        self.wait_for(self.leader, lag, lambda value: value == 0)
        reconnects = self.of_peer("pando_peer_reconnects_total", self.follower)
        self.assertGreaterEqual(self.leader.metrics()[reconnects], 1)

    def test_another_leader(self):
        changes = self.follower.metrics()["pando_raft_leader_changes_total"]
        self.leader.kill()
        new = harness.wait_until(
            lambda: next((server for server in (self.follower, self.other) if server.metrics().get(
                'pando_raft_role{role="leader"}') == 1), None), 20, "another leader")
        self.wait_for(self.follower, "pando_raft_leader_changes_total",
                      lambda value: value == changes + 1)
        self.assertGreaterEqual(new.metrics()["pando_raft_elections_total"], 1)
        self.assertEqual(new.metrics()["pando_raft_leader_id"], new.id)

    def test_writes_that_are_sent_on(self):
        name = "pando_raft_forwarded_proposals_total"
        before = self.follower.metrics()[name]
        self.follower.pando("create", "/through-a-follower")
        self.assertGreater(self.follower.metrics()[name], before)
        self.assertEqual(self.leader.metrics()["pando_raft_pending_proposals"], 0)

    def test_writes_that_wait_for_a_majority(self):
        for server in (self.follower, self.other):
            server.process.send_signal(signal.SIGSTOP)
            self.addCleanup(server.process.send_signal, signal.SIGCONT)
        done = self.leader.pando("--timeout", "2s", "create", "/waits", check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertGreaterEqual(self.leader.metrics()["pando_raft_pending_proposals"], 1)
        self.wait_for(self.leader, "pando_server_ready", lambda value: value == 0)

    def test_a_snapshot_for_a_new_member(self):
        # More than the 16 MiB of log that stay in memory for followers that lag.
        for i in range(20):
            data = self.folder / f"data-{i}.bin"
            data.write_bytes(bytes(1_000_000))
            self.leader.pando("create", f"/n{i}", "--file", data)
        # What is in a snapshot need not be in the log. The second begins after all of that.
        for i in range(2):
            taken = self.leader.metrics()["pando_store_snapshots_total"]
            self.leader.pando("create", f"/last-{i}")
            self.wait_for(self.leader, "pando_store_snapshots_total",
                          lambda value, taken=taken: value > taken)
        joiner = self.ensemble.make(4, f"--join=127.0.0.1:{self.leader.ports[1]}")
        self.addCleanup(joiner.close)
        joiner.start()
        received = joiner.metrics()
        self.assertGreaterEqual(received["pando_peer_snapshot_receive_seconds_count"], 1)
        self.assertGreater(received["pando_peer_snapshot_received_bytes_total"], 20_000_000)
        self.wait_for(self.leader, "pando_peer_snapshot_send_seconds_count",
                      lambda value: value >= 1)
        sent = self.leader.metrics()
        self.assertEqual(sent["pando_peer_snapshot_sent_bytes_total"],
                         received["pando_peer_snapshot_received_bytes_total"])
        self.assertEqual(sent["pando_peer_snapshot_send_failures_total"], 0)


if __name__ == "__main__":
    unittest.main()
