"""Three real servers as a person meets them: through the CLI, while servers die, move and come."""

import json
import shutil
import signal
import subprocess
import threading
import time
import unittest

import harness

OK, REFUSED, USAGE, UNREACHABLE, MAYBE_APPLIED = 0, 1, 2, 69, 75


class EnsembleTest(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.ensemble = harness.Ensemble(self.folder)
        self.addCleanup(self.ensemble.close)
        self.ensemble.start()

    def json(self, *words, **run):
        return json.loads(self.ensemble.pando(*words, "-o", "json", **run).stdout)

    def members(self):
        return {member["id"]: member for member in self.json("member", "ls")}


class Beginning(harness.TestCase):
    def test_whoever_is_ready_knows_its_ensemble(self):
        """Its name and that it serves come with /readyz, and not a moment later."""
        for turn in range(4):
            ensemble = harness.Ensemble(self.folder / f"{turn}", count=2)
            ensemble.folder.mkdir()
            self.addCleanup(ensemble.close)
            for server in ensemble.servers.values():
                server.spawn()
            for server in ensemble.servers.values():
                harness.wait_until(lambda: server.http("/readyz")[0] == 200, 30, "ready")
                self.assertIn(" serving client=", server.log())
            ensemble.close()


class Together(EnsembleTest):
    def test_each_server_takes_writes_and_shows_those_of_the_others(self):
        for writer in self.ensemble.servers.values():
            done = writer.pando("create", f"/of-{writer.id}", str(writer.id), "-o", "json")
            revision = json.loads(done.stdout)["stat"]["create_revision"]
            for reader in self.ensemble.servers.values():
                got = reader.pando("get", f"/of-{writer.id}", "--min-revision", revision)
                self.assertEqual(got.stdout, str(writer.id))
        for reader in self.ensemble.servers.values():
            names = reader.pando("ls", "--linearizable", "/").stdout.split()
            self.assertEqual(names, ["of-1", "of-2", "of-3"])

    def test_a_revision_that_does_not_exist_yet_is_refused(self):
        """By the leader at once; a follower cannot know, and waits for it."""
        for server, status, reason in (
                (self.ensemble.leader(), REFUSED, "INVALID_ARGUMENT"),
                (self.ensemble.followers()[0], UNREACHABLE, "BEHIND")):
            done = server.pando("ls", "/", "--min-revision", 1 << 40, "--timeout", "3s",
                                check=False)
            self.assertEqual(done.returncode, status, done.stderr)
            self.assertIn(f"({reason})", done.stderr)

    def test_status_shows_every_server_whichever_is_asked(self):
        leader = self.ensemble.leader()
        for server in self.ensemble.servers.values():
            status = json.loads(server.pando("status", "-o", "json").stdout)
            self.assertEqual(status["leader_id"], leader.id)
            self.assertEqual([m["id"] for m in status["members"]], [1, 2, 3])
            for member in status["members"]:
                self.assertEqual(member["role"],
                                 "LEADER" if member["id"] == leader.id else "FOLLOWER")
                self.assertTrue(member["answers"])
                self.assertEqual(member["client"],
                                 self.ensemble.servers[member["id"]].endpoint)
        shown = self.ensemble.pando("status").stdout
        self.assertIn(f"server {leader.id} leads", shown)

    def test_status_tells_who_is_away_and_that_a_majority_is_missing(self):
        one, two = self.ensemble.followers()
        one.kill()

        def is_told():
            status = self.ensemble.status()
            return status and not status["members"][one.id]["reachable"]

        harness.wait_until(is_told, 10, "the dead one is told")
        self.assertFalse(self.ensemble.status()["members"][one.id]["answers"])
        two.kill()

        def has_no_leader():
            return self.ensemble.pando("status", check=False).returncode == REFUSED

        harness.wait_until(has_no_leader, 10, "no leader")
        done = self.ensemble.pando("status", check=False)
        self.assertIn("no leader", done.stdout)
        self.assertIn("majority", done.stderr)


class Failover(EnsembleTest):
    def test_a_watch_misses_and_repeats_nothing_while_servers_are_killed(self):
        """First the leader, with the watch on another server; then the watch's own server."""
        leader, (own, _) = self.ensemble.leader(), self.ensemble.followers()
        watch = harness.Watcher(own, "/", out=self.folder / "events",
                                env=self.ensemble.environment(first=own))
        self.addCleanup(watch.stop)
        harness.wait_until(lambda: own.metrics().get("pando_watch_streams") == 1, 10, "watching")
        acknowledged, unknown = [], 0

        def write(count):
            nonlocal unknown
            for _ in range(count):
                done = self.ensemble.pando("create", "-s", "/n-", check=False)
                self.assertIn(done.returncode, (OK, MAYBE_APPLIED), done.stderr)
                acknowledged.extend(done.stdout.split())
                unknown += done.returncode == MAYBE_APPLIED

        def write_while(kill):
            writer = threading.Thread(target=write, args=(40,))
            writer.start()
            target = len(acknowledged) + 10
            harness.wait_until(lambda: len(acknowledged) >= target, 30, "writes")
            kill()
            writer.join(60)
            self.assertFalse(writer.is_alive(), "the writes go on")

        write_while(leader.kill)
        leader.start()
        write_while(own.kill)
        self.assertGreaterEqual(len(acknowledged), 70)
        last = self.json("create", "/last")["stat"]["create_revision"]
        watch.wait_for(last, 30)

        events = list(watch.events())
        self.assertEqual({event["kind"] for event in events}, {"CREATED"})
        revisions = [event["revision"] for event in events]
        self.assertEqual(revisions, sorted(set(revisions)), "in order, and each once")
        seen = [event["path"] for event in events]
        there = {f"/{name}" for name in self.ensemble.pando("ls", "/").stdout.split()}
        self.assertEqual(set(seen), there, "all that was committed, and nothing else")
        self.assertLessEqual(set(acknowledged), there, "what was acknowledged is there")
        self.assertLessEqual(len(seen) - 1 - len(acknowledged), unknown)

    def test_a_write_that_comes_right_after_the_leaders_death_is_done(self):
        leader, (survivor, _) = self.ensemble.leader(), self.ensemble.followers()
        leader.kill()
        began = time.monotonic()
        survivor.pando("create", "/after")
        # An election takes 0.2 s; this machine may be busy.
        self.assertLess(time.monotonic() - began, 5)

    def test_a_session_moves_to_another_server_with_its_ephemeral_node(self):
        first, second, _ = self.ensemble.servers.values()
        holder = subprocess.Popen(
            [harness.PANDO, "create", "-e", "--timeout", "3s", "/me", "here"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=self.ensemble.environment(first=first))
        self.addCleanup(holder.stdout.close)
        self.addCleanup(holder.stderr.close)
        self.addCleanup(holder.wait)
        self.addCleanup(holder.kill)
        self.assertEqual(harness.Lines(holder.stdout).next(), "/me\n")
        session = json.loads(second.pando("session", "ls", "-o", "json").stdout)[0]
        first.kill()

        def moved():
            now = json.loads(second.pando("session", "ls", "-o", "json").stdout)
            self.assertEqual([s["session_id"] for s in now], [session["session_id"]])
            return now[0]["attach_revision"] > session["attach_revision"]

        harness.wait_until(moved, 10, "attached to another server")
        # Longer than the session would live without a beat, an election included.
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            self.assertEqual(second.pando("get", "/me").stdout, "here")
            time.sleep(0.2)
        self.assertIsNone(holder.poll())
        holder.send_signal(signal.SIGINT)
        self.assertEqual(holder.wait(harness.STOP_S), OK)
        self.assertEqual(second.pando("ls", "--linearizable", "/").stdout, "")

    def test_term_hands_the_leadership_over_and_ends_within_ten_seconds(self):
        leader = self.ensemble.leader()
        watch = harness.Watcher(leader, "/", out=self.folder / "events",
                                env=self.ensemble.environment(first=leader))
        self.addCleanup(watch.stop)
        harness.wait_until(lambda: leader.metrics().get("pando_watch_streams") == 1, 10,
                           "watching")
        self.ensemble.pando("create", "/before")
        self.assertEqual(leader.stop(signal.SIGTERM, timeout_s=10), OK, leader.log())
        self.assertIn("hands over", leader.log())
        revision = self.json("create", "/after")["stat"]["create_revision"]
        watch.wait_for(revision, 20)
        self.assertEqual([event["path"] for event in watch.events()], ["/before", "/after"])

    def test_without_a_majority_a_write_says_so_and_nothing_is_applied(self):
        one, two = self.ensemble.followers()
        survivor = self.ensemble.leader()
        one.kill()
        two.kill()
        harness.wait_until(lambda: survivor.metrics()["pando_raft_leader_id"] == 0, 10,
                           "it steps down")
        done = survivor.pando("create", "/lost", "--timeout", "2s", check=False)
        self.assertEqual(done.returncode, UNREACHABLE, done.stderr)
        self.assertIn("(NO_LEADER)", done.stderr)
        self.assertEqual(survivor.pando("ls", "/").stdout, "", "reads go on")
        one.start()
        self.ensemble.leader()
        self.assertEqual(survivor.pando("ls", "--linearizable", "/").stdout, "")


class Room(EnsembleTest):
    def test_with_the_disks_of_a_majority_full_writes_are_refused_and_reads_served(self):
        """Full is what has less free than its reserve: here one that no disk of a test has."""
        self.ensemble.pando("create", "/before", "x")
        full = self.ensemble.followers()
        for server in full:
            server.stop()
            server.start("--disk-reserve=1TiB")

        def refusal(server):
            done = server.pando("set", "/before", "y", "--timeout", "1s", check=False)
            return done.returncode == REFUSED and done.stderr

        for server in self.ensemble.running():
            error = harness.wait_until(lambda: refusal(server), 10, "a refusal")
            self.assertIn("NO_SPACE", error)
            self.assertEqual(server.pando("get", "--linearizable", "/before").stdout, "x")
        full[0].stop()
        full[0].start()
        self.assertEqual(full[0].pando("set", "/before", "z").returncode, OK)


class Members(EnsembleTest):
    def newcomer(self):
        peers = ",".join(f"127.0.0.1:{server.ports[1]}"
                         for server in self.ensemble.servers.values())
        server = self.ensemble.make(4, f"--join={peers}")
        self.ensemble.servers[4] = server
        return server

    def test_a_server_is_added_promoted_and_removed(self):
        self.ensemble.pando("create", "/a", "of old")
        address = f"127.0.0.1:{(fourth := self.newcomer()).ports[1]}"
        done = self.ensemble.pando("member", "add", 4, address)
        self.assertIn("--join", done.stderr)
        self.assertEqual(self.members()[4]["role"], "LEARNER")
        self.ensemble.pando("member", "add", 4, address)  # again: it is as asked for
        done = self.ensemble.pando("member", "add", 4, "127.0.0.1:1", check=False)
        self.assertEqual(done.returncode, REFUSED)
        self.assertIn("(NODE_EXISTS)", done.stderr)

        done = self.ensemble.pando("member", "promote", 4, "--timeout", "1s", check=False)
        self.assertEqual(done.returncode, UNREACHABLE, done.stderr)
        self.assertRegex(done.stderr, r"caught up.*\(BEHIND\)")
        fourth.start()
        self.assertEqual(fourth.pando("get", "/a").stdout, "of old")
        self.ensemble.pando("member", "promote", 4)
        self.assertEqual(self.members()[4]["role"], "VOTER")
        self.ensemble.pando("leader", "transfer", 4)
        self.assertIs(self.ensemble.leader(), fourth)

        self.ensemble.pando("member", "rm", 4)  # the leader: it hands over first
        self.assertEqual(sorted(self.members()), [1, 2, 3])
        self.assertIsNot(self.ensemble.leader(), fourth)
        self.ensemble.pando("create", "/b")
        done = self.ensemble.pando("member", "rm", 4, check=False)
        self.assertEqual(done.returncode, REFUSED)
        self.assertRegex(done.stderr, r"no member 4 \(NO_NODE\)")

    def test_whoever_joins_is_let_in_as_learner_without_being_added(self):
        self.newcomer().start()
        self.assertEqual(self.members()[4]["role"], "LEARNER")
        self.assertEqual(self.ensemble.status()["members"][4]["role"], "LEARNER")

    def test_the_leadership_goes_where_it_is_sent(self):
        for server in (*self.ensemble.followers(), self.ensemble.leader()):
            done = self.ensemble.pando("leader", "transfer", server.id)
            self.assertEqual(done.stdout, f"server {server.id} leads\n")
            self.assertIs(self.ensemble.leader(), server)
        before = self.ensemble.leader()
        moved = self.json("leader", "transfer")["leader_id"]
        self.assertNotEqual(moved, before.id)
        done = self.ensemble.pando("leader", "transfer", 9, check=False)
        self.assertEqual(done.returncode, REFUSED)
        self.assertRegex(done.stderr, r"no member 9 \(NO_NODE\)")

    def test_a_member_that_lost_its_data_is_refused_under_its_id(self):
        wiped = self.ensemble.followers()[0]
        self.ensemble.pando("create", "/a")
        wiped.stop()
        shutil.rmtree(wiped.data_dir)
        wiped.spawn()
        harness.wait_until(lambda: "WRONG_STORAGE" in wiped.log(), 20, "it is refused")
        self.assertIn(f"the data of server {wiped.id} is gone: remove it and add it again",
                      wiped.log())
        self.assertNotEqual(wiped.http("/readyz")[0], 200)
        wiped.close()

        self.ensemble.pando("member", "rm", wiped.id)
        shutil.rmtree(wiped.data_dir)
        peers = ",".join(f"127.0.0.1:{server.ports[1]}" for server in self.ensemble.running())
        again = self.ensemble.make(wiped.id, f"--join={peers}", ports=wiped.ports)
        self.ensemble.servers[wiped.id] = again
        again.start()
        self.ensemble.pando("member", "promote", wiped.id)
        self.assertEqual(self.members()[wiped.id]["role"], "VOTER")
        self.assertEqual(again.pando("ls", "/").stdout, "a\n")


class Strangers(EnsembleTest):
    def test_a_server_of_another_cluster_on_a_members_address_is_refused_by_name(self):
        leader, gone = self.ensemble.leader(), self.ensemble.followers()[0]
        gone.stop()
        stranger = self.server(f"--initial-cluster={gone.id}=127.0.0.1:{gone.ports[1]}",
                               server_id=gone.id, data_dir=self.folder / "stranger",
                               ports=gone.ports).start()
        stranger.pando("create", "/theirs")
        harness.wait_until(lambda: "WRONG_CLUSTER" in leader.log(), 20, "it is refused")
        leader.pando("create", "/ours")
        self.assertEqual(stranger.pando("ls", "/").stdout, "theirs\n")
        self.assertEqual(leader.pando("ls", "/").stdout, "ours\n")

    def test_the_cli_passes_over_whoever_does_not_serve_the_cluster_that_is_meant(self):
        alien = self.server(data_dir=self.folder / "alien", server_id=9).start()
        alien.pando("create", "/theirs")
        self.ensemble.pando("create", "/ours")
        cluster = self.ensemble.status()["cluster_id"]
        silent = harness.SilentListener()
        self.addCleanup(silent.close)
        dead = f"127.0.0.1:{harness.free_ports(1)[0]}"
        ours = self.ensemble.servers[1].endpoint
        environment = {**harness.clean_environment(), "PANDO_CLUSTER": cluster,
                       "PANDO_ENDPOINTS": f"{dead},{silent.endpoint},{alien.endpoint},{ours}"}
        began = time.monotonic()
        self.assertEqual(self.ensemble.pando("ls", "/", env=environment).stdout, "ours\n")
        self.assertLess(time.monotonic() - began, 5, "a second for the silent one, and the call")
        self.ensemble.pando("create", "/more", env=environment)
        self.assertEqual(alien.pando("ls", "/").stdout, "theirs\n")

        done = alien.pando("ls", "/", "--cluster", cluster, check=False)
        self.assertEqual(done.returncode, REFUSED)
        self.assertRegex(done.stderr, r"another cluster.*--endpoints.*\(WRONG_CLUSTER\)")

    def test_a_watch_does_not_go_on_in_another_cluster(self):
        ours = self.ensemble.servers[1]
        alien = self.server(data_dir=self.folder / "alien", server_id=9).start()
        environment = {**harness.clean_environment(),
                       "PANDO_ENDPOINTS": f"{ours.endpoint},{alien.endpoint}"}
        watch = harness.Watcher(ours, "/", "--timeout", "60s", out=self.folder / "events",
                                env=environment)
        self.addCleanup(watch.stop)
        harness.wait_until(lambda: ours.metrics().get("pando_watch_streams") == 1, 10, "watching")
        ours.kill()
        harness.wait_until(lambda: alien.metrics().get(
            'pando_api_requests_total{method="TreeService/Watch",reason="WRONG_CLUSTER"}'), 20,
            "it was tried")
        for i in range(20):
            alien.pando("create", f"/theirs-{i}")
        ours.start()
        revision = self.json("create", "/ours")["stat"]["create_revision"]
        watch.wait_for(revision, 20)
        self.assertEqual([event["path"] for event in watch.events()], ["/ours"])

    def freeze(self, server):
        server.process.send_signal(signal.SIGSTOP)
        self.addCleanup(lambda: server.process and server.process.send_signal(signal.SIGCONT))

    def test_a_frozen_server_is_passed_over(self):
        frozen = self.ensemble.followers()[0]
        self.freeze(frozen)
        began = time.monotonic()
        self.ensemble.pando("create", "/a", env=self.ensemble.environment(first=frozen))
        self.assertLess(time.monotonic() - began, 5, "a second for it, and the call")

    def test_a_write_whose_outcome_is_unknown_is_not_repeated(self):
        leader, followers = self.ensemble.leader(), self.ensemble.followers()
        for server in followers:
            self.freeze(server)
        done = self.ensemble.pando("create", "-s", "/n-", "--timeout", "3s", first=leader,
                                   check=False)
        self.assertEqual(done.returncode, MAYBE_APPLIED, done.stderr)
        self.assertRegex(done.stderr, "may have been applied: look before you repeat it")
        for server in followers:
            server.process.send_signal(signal.SIGCONT)
        self.ensemble.pando("create", "/last")
        names = self.ensemble.pando("ls", "--linearizable", "/").stdout.split()
        self.assertLessEqual(len(names), 2, "once at most")


if __name__ == "__main__":
    unittest.main()
