"""Backups: saved while everything goes on, inspected, and restored as one server and as three."""

import json
import os
import re
import shutil
import stat
import subprocess
import threading
import unittest

import harness

REFUSED = 1
GAP = 10**12  # how far above its backup a restored ensemble begins


def run(*words, **popen):
    return subprocess.run([*map(str, words)], capture_output=True, text=True, timeout=60,
                          env=harness.clean_environment(), **popen)


class SnapshotTest(harness.TestCase):
    def filled(self, *flags, **options):
        """A server with nodes of every sort."""
        server = self.server(*flags, **options).start()
        for path, data in (("/config/color", "blue"), ("/config/empty", ""), ("/queue", "q")):
            server.pando("create", "-p", path, data)
        server.pando("create", "/null")
        server.pando("set", "/config/color", "green")
        for _ in range(3):
            server.pando("create", "-s", "/queue/n-", "x" * 5000)
        server.pando("rm", "/queue/n-0000000001")
        return server

    def holding(self, server, path):
        """A session that holds an ephemeral node, until the test ends."""
        holder = subprocess.Popen([harness.PANDO, "create", "-e", path], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                  env=server.environment())
        self.addCleanup(holder.stdout.close)
        self.addCleanup(holder.wait)
        self.addCleanup(holder.kill)
        self.assertEqual(harness.Lines(holder.stdout).next().strip(), path)

    def saved(self, server, name="backup"):
        path = self.folder / name
        server.pando("snapshot", "save", path)
        return path

    @staticmethod
    def inspected(path):
        done = run(harness.PANDO, "snapshot", "inspect", path, "-o", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    @staticmethod
    def restore(path, data_dir, *words):
        return run(harness.PANDO, "snapshot", "restore", path, "--data-dir", data_dir, *words)

    def restored(self, path, *words, server_id=1, ports=None, flags=()):
        """A server on a data dir that was made from the backup; it is still to be started."""
        data_dir = self.folder / f"restored-{server_id}"
        done = self.restore(path, data_dir, "--id", server_id, *words)
        self.assertEqual(done.returncode, 0, done.stderr)
        return self.server(*flags, server_id=server_id, data_dir=data_dir, ports=ports)

    def nodes(self, server):
        """Every node with its stat and its data, but for the root's stat."""
        listed = json.loads(server.pando("ls", "-R", "-o", "json", "/").stdout)
        data = {node["path"]: server.pando("get", "-o", "json", node["path"]).stdout
                for node in listed}
        return listed, data

    @staticmethod
    def cluster(server):
        return json.loads(server.pando("status", "-o", "json").stdout)["cluster_id"]

    def assert_refuses_to_watch_from(self, server, revision):
        done = server.pando("watch", "-r", "--from", revision, "/", check=False, timeout_s=20,
                            stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, REFUSED, done.stdout)
        self.assertIn("(COMPACTED)", done.stderr)


class Save(SnapshotTest):
    def test_it_says_what_it_saved_and_inspect_says_the_same(self):
        server = self.filled()
        self.holding(server, "/alive")
        path = self.folder / "backup"
        said = server.pando("snapshot", "save", path).stdout
        facts = self.inspected(path)
        self.assertRegex(said, rf"\Asaved 9 nodes at revision {facts['revision']}, .* in .* s\n\Z")
        self.assertEqual(facts["cluster_id"], self.cluster(server))
        self.assertEqual(facts["nodes"], 9)
        self.assertEqual(facts["sessions"], 1)
        self.assertEqual(facts["bytes"], path.stat().st_size)
        self.assertEqual(facts["format"], 1)
        self.assertEqual(facts["checksum"], "ok")
        changed = json.loads(server.pando("stat", "/alive", "-o", "json").stdout)["stat"]
        self.assertEqual(facts["time_ms"], changed["mtime_ms"])
        self.assertGreaterEqual(facts["revision"], changed["create_revision"])
        text = run(harness.PANDO, "snapshot", "inspect", path).stdout
        for word in (facts["cluster_id"], str(facts["revision"]), "2026-"[:2], "checksum"):
            self.assertIn(word, text)

    def test_it_is_for_its_owner_alone_and_replaces_what_was_there(self):
        server = self.filled()
        path = self.folder / "backup"
        path.write_text("an older one")
        server.pando("snapshot", "save", path)
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        self.assertEqual(self.inspected(path)["nodes"], 8)
        self.assertEqual(self.beside(path), [])

    def beside(self, path):
        return [name for name in os.listdir(path.parent)
                if name.startswith(path.name) and name != path.name]

    def test_the_standard_output_gets_the_same(self):
        server = self.filled()
        piped = server.pando("snapshot", "save", "-", text=False)
        self.assertEqual(piped.stderr, b"")
        done = subprocess.run([harness.PANDO, "snapshot", "inspect", "-", "-o", "json"],
                              input=piped.stdout, capture_output=True, timeout=60)
        self.assertEqual(json.loads(done.stdout)["bytes"], len(piped.stdout))

    def test_what_cannot_be_written_leaves_nothing(self):
        server = self.filled()
        (self.folder / "dir").mkdir()
        for path, says in ((self.folder / "dir", "no regular file"),
                           ("/dev/null", "no regular file"),
                           (self.folder / "nowhere" / "backup", "No such file"),
                           ("/proc/backup", "cannot write")):
            done = server.pando("snapshot", "save", path, check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertRegex(done.stderr, r"\Apando: [^\n]+\n\Z")
            self.assertIn(says, done.stderr)
        self.assertEqual(os.listdir(self.folder / "dir"), [])

    def test_without_a_server_there_is_no_file(self):
        server = self.server()
        path = self.folder / "backup"
        done = server.pando("snapshot", "save", path, "--timeout", "300ms", check=False)
        self.assertEqual(done.returncode, 69)
        self.assertFalse(path.exists())
        self.assertEqual(self.beside(path), [])

    def test_under_load_it_is_of_one_revision(self):
        """Two nodes that every transaction makes equal are equal in every backup, and what was
        acknowledged before it began is in it."""
        server = self.server().start()
        server.pando("create", "/x", "0")
        server.pando("create", "/y", "0")
        bulk = self.folder / "bulk"
        bulk.mkdir()
        for i in range(40):
            (bulk / str(i)).write_bytes(os.urandom(200_000))
        server.pando("import", bulk, "/bulk")  # so that a backup is many chunks
        stop, acknowledged, failed = threading.Event(), [0], []

        def write():
            for i in range(1, 100_000):
                if stop.is_set():
                    return
                transaction = f"then set /x {i}\nthen set /y {i}\n"
                done = server.pando("txn", "-", check=False, input=transaction)
                if done.returncode != 0:
                    failed.append(done.stderr)
                    return
                acknowledged[0] = i

        writer = threading.Thread(target=write)
        writer.start()
        self.addCleanup(writer.join)
        self.addCleanup(stop.set)
        backups = []
        for number in range(4):
            harness.wait_until(lambda n=number: acknowledged[0] > 5 * n or failed, 30, "writes")
            before = acknowledged[0]
            backups.append((before, self.saved(server, f"backup-{number}")))
        stop.set()
        writer.join()
        self.assertEqual(failed, [])
        for number, (before, path) in enumerate(backups):
            self.assertEqual(self.inspected(path)["nodes"], 1 + 2 + 1 + 40)
            again = self.restored(path, server_id=number + 1).start()
            x, y = (int(again.pando("get", "-o", "raw", name).stdout) for name in ("/x", "/y"))
            self.assertEqual(x, y)
            self.assertGreaterEqual(x, before)
            again.stop()


class RestoreOne(SnapshotTest):
    def test_every_node_is_as_it_was(self):
        server = self.filled()
        before = self.nodes(server)
        path = self.saved(server)
        again = self.restored(path).start()
        self.assertEqual(self.nodes(again), before)
        self.assertNotEqual(self.cluster(again), self.cluster(server), "a new ensemble")
        # Its revisions and sequence numbers go on above all that the old one gave out.
        self.assertEqual(again.pando("create", "-s", "/queue/n-").stdout, "/queue/n-0000000003\n")
        made = json.loads(again.pando("create", "/new", "-o", "json").stdout)["stat"]
        self.assertGreater(made["create_revision"], self.inspected(path)["revision"] + GAP)
        again.kill()
        again.start()
        self.assertEqual(json.loads(again.pando("stat", "/new", "-o", "json").stdout)["stat"], made)
        # The old server is none the worse for it.
        self.assertEqual(self.nodes(server), before)

    def test_sessions_and_what_they_hold_stay_behind(self):
        server = self.filled()
        self.holding(server, "/alive")
        self.holding(server, "/queue/lock")
        path = self.saved(server)
        done = self.restore(path, self.folder / "restored")
        self.assertRegex(done.stdout, r"\Arestored 8 nodes .*left out 2 sessions with 2 ephemeral")
        again = self.server(data_dir=self.folder / "restored").start()
        self.assertEqual(json.loads(again.pando("session", "ls", "-o", "json").stdout), [])
        listed = again.pando("ls", "-R", "/").stdout.split()
        self.assertNotIn("/alive", listed)
        self.assertNotIn("/queue/lock", listed)
        shown = json.loads(again.pando("stat", "/queue", "-o", "json").stdout)["stat"]
        self.assertEqual(shown["children_count"], 2)

    def test_an_old_watch_cursor_is_told_that_it_has_missed_changes(self):
        server = self.filled()
        path = self.saved(server)
        server.pando("create", "/after-the-backup")
        lost = json.loads(server.pando("stat", "/after-the-backup", "-o", "json").stdout)
        again = self.restored(path).start()
        self.assert_refuses_to_watch_from(again, lost["stat"]["create_revision"])
        self.assert_refuses_to_watch_from(again, 2)

    def test_a_backup_can_be_made_of_it_and_restored_higher_up(self):
        server = self.filled()
        path = self.saved(server)
        first = self.restored(path).start()
        second = self.saved(first, "second")
        self.assertGreater(self.inspected(second)["revision"], GAP)
        above = self.restored(second, server_id=2).start()
        self.assertEqual(self.nodes(above), self.nodes(first))
        # The first backup once more, beyond all that the first restored ensemble gave out.
        last = self.inspected(second)["revision"]
        twice = self.restored(path, "--above", last, server_id=3).start()
        made = json.loads(twice.pando("create", "/new", "-o", "json").stdout)["stat"]
        self.assertGreater(made["create_revision"], last + GAP)

    def test_a_snapshot_of_the_data_dir_is_a_backup_too(self):
        server = self.filled("--snapshot-interval=1s")
        snapshots = server.data_dir / "snapshots"
        path = harness.wait_until(lambda: snapshots.exists() and sorted(
            snapshots.glob("*.snapshot")), 20, "a snapshot")[-1]
        server.stop()
        self.assertGreater(self.restored(path).start().metrics()["pando_tree_nodes"], 0)

    def test_it_can_be_checked_and_recovered_like_any_other(self):
        again = self.restored(self.saved(self.filled()))
        done = run(harness.PANDOD, "--check", again.data_dir)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        again.start()
        harness.wait_until(lambda: list(again.data_dir.glob("snapshots/*.snapshot")), 20,
                           "its first snapshot, at once")
        before = self.nodes(again)
        again.kill()
        done = run(harness.PANDOD, "--recover", again.data_dir)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        again.start()
        self.assertEqual(self.nodes(again), before)


class RestoreThree(SnapshotTest):
    def three(self, path, **others):
        """Three servers of one new ensemble, still to be started. `others`: another backup, or
        none, for one of them, as server_2=path."""
        ports = {number: harness.free_ports(4) for number in (1, 2, 3)}
        list_of_all = ",".join(f"{number}=127.0.0.1:{ports[number][1]}" for number in ports)
        servers = []
        for number in ports:
            options = {"server_id": number, "ports": ports[number],
                       "flags": (f"--initial-cluster={list_of_all}",)}
            source = others.get(f"server_{number}", path)
            if source is not None:
                servers.append(self.restored(source, **options))
            else:
                flags = options.pop("flags")
                servers.append(self.server(*flags, data_dir=self.folder / f"empty-{number}",
                                           **options))
        return servers

    def start(self, servers):
        for server in servers:
            server.spawn()
        for server in servers:
            server.wait_ready()

    def test_they_form_one_ensemble_with_every_node(self):
        old = self.filled()
        self.holding(old, "/alive")
        before = self.nodes(old)
        before = ([node for node in before[0] if node["path"] != "/alive"],
                  {path: data for path, data in before[1].items() if path != "/alive"})
        servers = self.three(self.saved(old))
        self.start(servers)
        self.assertEqual(len({self.cluster(server) for server in servers}), 1)
        self.assertNotEqual(self.cluster(servers[0]), self.cluster(old))
        for server in servers:
            self.assertEqual(self.nodes(server), before)
        watch = harness.Watcher(servers[2], "/", out=self.folder / "events")
        self.addCleanup(watch.stop)
        made = json.loads(servers[0].pando("create", "/new", "x", "-o", "json").stdout)["stat"]
        revision = made["create_revision"]
        for server in servers:
            harness.wait_until(lambda s=server: "/new" in s.pando("ls", "-R", "/").stdout.split(),
                               20, "the write on every server")
        status = json.loads(servers[1].pando("status", "-o", "json").stdout)
        self.assertEqual(len(status["members"]), 3)
        # One that dies is not missed, and catches up.
        servers[1].kill()
        servers[0].pando("set", "/new", "y")
        newest = json.loads(servers[0].pando("stat", "/new", "-o", "json").stdout)["stat"]
        servers[1].start()
        harness.wait_until(lambda: servers[1].pando("get", "-o", "raw", "/new").stdout == "y", 20,
                           "it has caught up")
        self.assertGreater(newest["modify_revision"], revision)
        watch.wait_for(newest["modify_revision"], 20)
        # Without a majority there is no backup of the ensemble, and still one of a server.
        servers[1].kill()
        servers[2].kill()
        refused = servers[0].pando("snapshot", "save", self.folder / "none", "--timeout", "2s",
                                   check=False)
        self.assertEqual(refused.returncode, 69, refused.stderr)
        self.assertFalse((self.folder / "none").exists())
        servers[0].pando("snapshot", "save", "--local", self.folder / "alone")
        self.assertGreaterEqual(self.inspected(self.folder / "alone")["revision"],
                                newest["modify_revision"])

    def test_one_that_was_restored_from_elsewhere_keeps_them_from_forming(self):
        old = self.filled()
        path = self.saved(old)
        old.pando("create", "/later")
        servers = self.three(path, server_3=self.saved(old, "later"))
        self.assert_does_not_form(servers)
        # Mended by the right one.
        servers[2].close()
        shutil.rmtree(servers[2].data_dir)
        self.assertEqual(self.restore(path, servers[2].data_dir, "--id", 3).returncode, 0)
        servers[2].spawn()
        for server in servers:
            server.wait_ready()
        self.assertNotIn("/later", servers[0].pando("ls", "/").stdout.split())

    def test_one_that_was_not_restored_keeps_them_from_forming(self):
        self.assert_does_not_form(self.three(self.saved(self.filled()), server_3=None))

    def assert_does_not_form(self, servers):
        for server in servers:
            server.spawn()
        try:
            harness.wait_until(lambda: all("WRONG_CLUSTER" in server.log()
                                           for server in servers[:2]), 30, "refused by name")
        except AssertionError as error:
            logs = "\n\n".join(server.log() for server in servers)
            raise AssertionError(f"{error}\n{logs}") from None
        self.assertIn("restore the same one", servers[0].log())
        for server in servers:
            self.assertEqual(server.http("/readyz")[0], 503)

    def test_a_server_of_the_old_ensemble_is_refused(self):
        ports = {number: harness.free_ports(4) for number in (1, 2, 3)}
        flags = ["--initial-cluster=" + ",".join(
            f"{number}=127.0.0.1:{ports[number][1]}" for number in ports)]
        old = [self.server(*flags, server_id=number, ports=ports[number],
                           data_dir=self.folder / f"old-{number}") for number in ports]
        self.start(old)
        old[0].pando("create", "/config", "x")
        path = self.saved(old[0])
        old[0].stop()
        old[1].stop()
        # The third one was forgotten and runs on, at an address of the new ensemble.
        new = [self.restored(path, server_id=number, ports=ports[number], flags=flags)
               for number in (1, 2)]
        for server in new:
            server.spawn()
        harness.wait_until(lambda: all("WRONG_CLUSTER" in server.log() for server in new), 30,
                           "refused by name")
        for server in new:
            self.assertEqual(server.http("/readyz")[0], 503)
        old[2].stop()
        new.append(self.restored(path, server_id=3, ports=ports[3], flags=flags))
        new[2].spawn()
        for server in new:
            server.wait_ready()
            self.assertEqual(server.pando("get", "-o", "raw", "/config").stdout, "x")
        # And when all of them are one, too.
        new[2].stop()
        old[2].spawn()
        harness.wait_until(lambda: "is of cluster" in new[0].log() + new[1].log(), 30, "refused")
        new[0].pando("set", "/config", "y")


class Refusals(SnapshotTest):
    def assert_refused(self, path, says):
        """By both commands, in one sentence, and nothing is made."""
        data_dir = self.folder / "target"
        done = self.restore(path, data_dir)
        self.assertEqual(done.returncode, REFUSED, done.stdout)
        self.assertRegex(done.stderr, r"\Apandod: [^\n]+\n\Z")
        self.assertRegex(done.stderr, says)
        self.assertFalse(data_dir.exists())
        data_dir.mkdir()
        self.assertEqual(self.restore(path, data_dir).returncode, REFUSED)
        self.assertEqual(os.listdir(data_dir), [])
        data_dir.rmdir()
        done = run(harness.PANDO, "snapshot", "inspect", path)
        self.assertEqual(done.returncode, REFUSED, done.stdout)
        self.assertEqual(done.stdout, "")
        self.assertRegex(done.stderr, r"\Apando: [^\n]+\n\Z")
        self.assertIn(str(path), done.stderr)

    def test_a_damaged_backup_is_refused_wherever_it_is_damaged(self):
        server = self.filled()
        bulk = self.folder / "bulk"
        bulk.mkdir()
        for i in range(8):
            (bulk / str(i)).write_bytes(os.urandom(100_000))
        server.pando("import", bulk, "/bulk")
        good = self.saved(server).read_bytes()
        self.assertGreater(len(good), 800_000)
        bad = self.folder / "bad"
        flips = {"header": 20, "header's checksum": 50, "first block's header": 58,
                 "first records": 80, "middle": len(good) // 2, "last records": len(good) - 50,
                 "trailer": len(good) - 20, "last byte": len(good) - 1}
        for where, offset in flips.items():
            with self.subTest(where):
                bad.write_bytes(good[:offset] + bytes([good[offset] ^ 1]) + good[offset + 1:])
                self.assert_refused(bad, rf"{bad} is no whole backup: .* at \d+: ")
        for where, data in {"empty": b"", "one byte": good[:1], "half a header": good[:30],
                            "header only": good[:56], "half": good[:len(good) // 2],
                            "without its end": good[:-1], "longer": good + b"x",
                            "twice": good + good, "zeros": bytes(len(good)),
                            "text": b"not a backup\n" * 1000}.items():
            with self.subTest(where):
                bad.write_bytes(data)
                self.assert_refused(bad, rf"{bad} is no whole backup: ")

    def test_what_cannot_be_read_is_refused(self):
        (self.folder / "dir").mkdir()
        self.assert_refused(self.folder / "dir", "is a folder")
        self.assert_refused(self.folder / "nowhere", "nowhere")
        self.assert_refused(self.folder / "no" / "where", "no")
        secret = self.folder / "secret"
        secret.write_bytes(b"x")
        secret.chmod(0)
        if not os.access(secret, os.R_OK):  # root reads everything
            self.assert_refused(secret, "secret")

    def test_only_an_empty_folder_is_taken(self):
        server = self.filled()
        path = self.saved(server)
        used = self.folder / "used"
        used.mkdir()
        (used / "file").write_text("mine")
        self.assert_not_taken(path, used)
        self.assertEqual((used / "file").read_text(), "mine")
        self.assertEqual(os.listdir(used), ["file"])
        self.assert_not_taken(path, server.data_dir)
        self.assert_not_taken(path, path)
        server.pando("create", "/still-there")

    def assert_not_taken(self, path, data_dir):
        done = self.restore(path, data_dir)
        self.assertEqual(done.returncode, REFUSED)
        self.assertRegex(done.stderr, r"\Apandod: [^\n]+ is not an empty folder: [^\n]+\n\Z")

    def test_a_restored_server_does_not_join_and_is_not_taken_half_made(self):
        path = self.saved(self.filled())
        again = self.restored(path)
        status, text = again.run_to_end("--join=127.0.0.1:1")
        self.assertEqual(status, 1)
        self.assertRegex(text, "restored from a backup.*cannot --join")
        status, text = self.server(server_id=2, data_dir=again.data_dir).run_to_end()
        self.assertEqual(status, 1)
        self.assertIn("belongs to server 1, not 2", text)
        # As a kill in the middle leaves it: the identity comes last.
        (again.data_dir / "identity").unlink()
        status, text = again.run_to_end()
        self.assertEqual(status, 1)
        self.assertIn("no file identity", text)

    def test_usage(self):
        for words in (["save"], ["inspect"], ["restore", "x"], ["restore", "--data-dir", "x"], []):
            done = run(harness.PANDO, "snapshot", *words)
            self.assertEqual(done.returncode, 2, words)
            self.assertTrue(re.fullmatch(r"pando: [^\n]+\n", done.stderr), done.stderr)


if __name__ == "__main__":
    unittest.main()
