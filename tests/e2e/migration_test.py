"""pando import and export zookeeper: from one server's ZooKeeper port into another, and back.

The source is Pando's own port, so nothing here needs Java; scripts/compat move has a ZooKeeper.
"""

import json
import pathlib
import signal
import subprocess
import time
import unittest

import harness
import zookeeper_client as zk

# From a write at the source until a command shows it; of that the copy takes milliseconds, which
# scripts/compat move measures.
LAG_S_MAX = 5
SUPER = "digest:root:secret"
SUPER_DIGEST = "root:J1scEM42CKaLPP5+ElgpgGsuONg="


class Migration(harness.TestCase):
    def setUp(self):
        super().setUp()
        folders = [self.folder / "source", self.folder / "target"]
        for folder in folders:
            folder.mkdir()
        self.source, self.target = (harness.Server(folder) for folder in folders)
        for server in (self.source, self.target):
            self.addCleanup(server.close)

    def start(self, *target_flags):
        self.source.start()
        self.target.start(*target_flags)
        self.zookeeper = f"127.0.0.1:{self.source.ports[3]}"

    def client(self):
        client = zk.Client(self.source)
        self.addCleanup(client.close)
        client.connect()
        return client

    def move(self, *words, path="/app", **run):
        return self.target.pando("import", "zookeeper", self.zookeeper, path, *words, **run)

    def follow(self, *words, path="/app"):
        """An import that follows; its stderr as lines."""
        process = subprocess.Popen(
            [harness.PANDO, "import", "zookeeper", self.zookeeper, path, "-o", "json", *words],
            env=self.target.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL, text=True)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        self.said = harness.Lines(process.stderr)
        self.wait_said("following")
        return process

    def wait_said(self, words):
        while words not in (line := self.said.next()):
            self.assertTrue(line, f"it ended without {words}")

    def stop(self, process):
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(harness.STOP_S), 0, self.said.next())
        return json.loads(process.stdout.read())

    def shown(self, path, *words):
        """What the target has at the path, in one line; None if there is no such node."""
        done = self.target.pando("get", path, "-o", "json", *words, check=False)
        return json.loads(done.stdout).get("data", "?") if done.returncode == 0 else None

    def wait_shown(self, path, data):
        harness.wait_until(lambda: self.shown(path) == data, harness.START_S, f"{path} is {data}")

    def test_a_tree_is_copied_whole(self):
        self.start()
        client = self.client()
        client.create("/app", b"top")
        client.create("/app/empty", b"")
        client.create("/app/bytes", bytes(range(256)))
        client.create("/app/a", b"1", flags=zk.CONTAINER, opcode=zk.CREATE_CONTAINER)
        client.create("/app/a/b", b"2")
        client.create("/app/mine", b"3", acl=[(31, "digest", SUPER_DIGEST), (1, "world", "anyone")])
        client.create("/app/gone", b"4", flags=zk.EPHEMERAL)
        client.create("/other", b"5")
        self.source.pando("create", "/app/null")
        for number in range(300):
            client.create(f"/app/a/n{number}", str(number))

        planned = self.move("--dry-run", "-o", "json", "--zookeeper-auth", SUPER)
        self.assertEqual(json.loads(planned.stdout)["created"], 307)
        self.assertEqual(self.target.pando("ls", "/", "-o", "raw").stdout, "")

        report = self.folder / "report"
        done = self.move("--once", "--verify", "-o", "json", "--report", report,
                         "--zookeeper-auth", SUPER, "--auth", SUPER)
        summary = json.loads(done.stdout)
        self.assertEqual((summary["nodes"], summary["created"], summary["ephemerals"]),
                         (307, 307, 1))
        self.assertIn("verified: 307 nodes on both sides", done.stderr)
        self.assertRegex(report.read_text(), r"^/app/gone\tephemeral")

        def tree(server):
            lines = server.pando("ls", "-R", "-o", "raw", "/app").stdout.split()
            return sorted(line for line in lines if line.startswith("/") and "gone" not in line)

        self.assertEqual(tree(self.target), tree(self.source))
        for path in ("/app", "/app/empty", "/app/bytes", "/app/null", "/app/a/b", "/app/a/n299"):
            both = [json.loads(server.pando("get", path, "-o", "json").stdout)
                    for server in (self.source, self.target)]
            for one in both:
                one.pop("stat", None)
            self.assertEqual(*both)
        acl = [server.pando("acl", "get", "/app/mine", "-o", "raw", "--auth", SUPER).stdout
               for server in (self.source, self.target)]
        self.assertIn(SUPER_DIGEST, acl[0])
        self.assertEqual(*acl)
        self.assertIsNone(self.shown("/other"))

    def test_changes_follow_until_it_is_stopped(self):
        self.start()
        client = self.client()
        client.create("/app", b"0")
        client.create("/app/a", b"1")
        process = self.follow("--verify")
        client.set("/app/a", b"2")
        began = time.monotonic()
        self.wait_shown("/app/a", "2")
        self.assertLess(time.monotonic() - began, LAG_S_MAX)
        client.create("/app/a/b", b"3")
        client.create("/app/a/b/c", b"4")
        self.wait_shown("/app/a/b/c", "4")
        client.delete("/app/a/b/c")
        client.delete("/app/a/b")
        harness.wait_until(lambda: self.shown("/app/a/b") is None, harness.START_S, "deleted")
        # Of a new ACL nobody is told: the last look finds it.
        self.source.pando("acl", "set", "/app/a", "world:anyone:r")
        summary = self.stop(process)
        self.assertEqual((summary["nodes"], summary["removed"]), (2, 2))
        self.wait_said("verified: 2 nodes")
        acl = self.target.pando("acl", "get", "/app/a", "-o", "raw").stdout
        self.assertIn("anyone", acl)
        self.assertNotIn("cdrwa", acl)

    def test_a_new_acl_follows_with_the_next_look(self):
        self.start()
        self.client().create("/app", b"0")
        process = self.follow("--recheck", "1s")
        self.source.pando("acl", "set", "/app", "world:anyone:ra")
        harness.wait_until(
            lambda: "cdrwa" not in self.target.pando("acl", "get", "/app", "-o", "raw").stdout,
            harness.START_S, "the new ACL")
        self.stop(process)

    def test_servers_that_die_lose_nothing(self):
        self.start()
        client = self.client()
        client.create("/app", b"0")
        for number in range(50):
            client.create(f"/app/n{number}", b"old")
        process = self.follow()
        self.source.kill()
        self.wait_said("lost the connection")
        # What happens before it is connected again is found.
        self.source.start()
        client = self.client()
        for number in range(25):
            client.set(f"/app/n{number}", b"new")
        client.delete("/app/n49")
        client.create("/app/more", b"new")
        self.wait_shown("/app/more", "new")
        self.target.kill()
        client.set("/app/more", b"newer")
        self.target.start()
        self.wait_shown("/app/more", "newer")
        self.assertEqual(self.stop(process)["nodes"], 51)
        self.assertIsNone(self.shown("/app/n49"))
        self.assertEqual([self.shown(f"/app/n{number}") for number in (0, 24, 25)],
                         ["new", "new", "old"])

    def test_what_the_target_has_already_is_kept_or_removed_as_told(self):
        self.start()
        client = self.client()
        client.create("/app", b"0")
        client.create("/app/both", b"source")
        for path, data in (("/app/both", "target"), ("/app/only", "here")):
            self.target.pando("create", "-p", path, data)
        refused = self.move("--once", check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("Pando has 2 nodes below /app already", refused.stderr)
        self.assertEqual(self.shown("/app/both"), "target")
        self.assertIn("verified: 2 nodes", self.move("--once", "--merge", "--verify").stderr)
        self.assertEqual((self.shown("/app/both"), self.shown("/app/only")), ("source", "here"))
        self.assertIn("1 removed", self.move("--once", "--delete", "--verify").stdout)
        self.assertEqual((self.shown("/app/both"), self.shown("/app/only")), ("source", None))

    def test_what_cannot_be_copied_is_named_and_the_rest_is_there(self):
        self.start("--max-value-bytes", "1000")
        client = self.client()
        client.create("/app", b"0")
        client.create("/app/big", b"x" * 2_000)
        client.create("/app/big/below", b"1")
        client.create("/app/hidden", b"2", acl=[(31, "digest", SUPER_DIGEST)])
        client.create("/app/masked", b"3", acl=[(1, "world", "anyone"),
                                                (31, "digest", SUPER_DIGEST)])
        client.create("/app/z", b"4")
        done = self.move("--once", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"skipped /app/big: .*\(TOO_LARGE\)")
        self.assertIn("skipped /app/hidden: its ACL does not let this client read it", done.stderr)
        self.assertIn("skipped /app/masked: its ACL was copied without hashes", done.stderr)
        self.assertIn("3 nodes could not be copied as they are", done.stderr)
        self.assertEqual((self.shown("/app/z"), self.shown("/app/masked")), ("4", "3"))
        self.assertEqual([self.shown(path) for path in ("/app/big", "/app/hidden")], [None, None])

    def test_the_way_back(self):
        self.start()
        for path, data in (("/deep/app", "0"), ("/deep/app/a", "1"), ("/deep/app/a/b", "2")):
            self.target.pando("create", "-p", path, data)
        self.target.pando("create", "/deep/app/null")
        self.target.pando("acl", "set", "/deep/app/a/b", "world:anyone:rwa")
        words = ("export", "zookeeper", self.zookeeper, "/deep/app")
        self.assertEqual(self.target.pando("export", "zookeeper", self.zookeeper, "/none", "--once",
                                           check=False).returncode, 1)
        process = subprocess.Popen(
            [harness.PANDO, *words, "-o", "json", "--verify"], env=self.target.environment(),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        self.said = harness.Lines(process.stderr)
        self.wait_said("following")
        client = self.client()
        self.assertEqual(client.get("/deep/app/a/b")[0], b"2")
        self.target.pando("set", "/deep/app/a", "new")
        harness.wait_until(lambda: client.get("/deep/app/a")[0] == b"new", harness.START_S, "new")
        # Either side may die.
        self.source.kill()
        self.wait_said("lost the connection")
        self.target.pando("create", "/deep/app/more", "3")
        self.source.start()
        client = self.client()
        harness.wait_until(lambda: "more" in client.children("/deep/app"), harness.START_S, "more")
        self.target.kill()
        self.target.start()
        self.target.pando("rm", "-r", "/deep/app/a")
        harness.wait_until(lambda: "a" not in client.children("/deep/app"), harness.START_S, "gone")
        self.assertEqual(self.stop(process)["nodes"], 3)
        self.wait_said("verified: 3 nodes")
        refused = self.target.pando(*words, "--once", check=False)
        self.assertIn("ZooKeeper has 2 nodes below /deep/app already", refused.stderr)
        again = self.target.pando(*words, "--once", "--delete", "-o", "json")
        self.assertEqual(json.loads(again.stdout)["updated"], 0)

    def test_wrong_servers_and_paths_are_told_apart(self):
        self.start()
        self.client().create("/app", b"0")
        absent = self.move("--once", path="/none", check=False)
        self.assertEqual((absent.returncode, self.shown("/none")), (1, None))
        self.assertIn("there is no node /none", absent.stderr)

        free = harness.free_ports(1)[0]
        silent = harness.SilentListener()
        self.addCleanup(silent.close)
        http = f"127.0.0.1:{self.source.ports[2]}"
        for server in (f"127.0.0.1:{free}", silent.endpoint, http, self.source.endpoint):
            away = self.target.pando("import", "zookeeper", server, "/app", "--timeout", "500ms",
                                     check=False)
            self.assertEqual(away.returncode, 69, away.stderr)
            self.assertIn("no ZooKeeper serves at " + server, away.stderr)
        # One of several is enough.
        self.zookeeper = f"127.0.0.1:{free},{self.zookeeper}"
        self.move("--once")

        for words in (["nowhere", "/app"], [self.zookeeper, "app"], [self.zookeeper],
                      [self.zookeeper, "/zookeeper"],
                      [self.zookeeper, "/app", "--zookeeper-auth", "x"],
                      [self.zookeeper, "/app", "--merge", "--delete"],
                      [self.zookeeper, "/app", "--outstanding", "0"]):
            wrong = self.target.pando("import", "zookeeper", *words, check=False)
            self.assertEqual(wrong.returncode, 2, f"{words}: {wrong.stderr}")
        self.assertEqual(self.target.pando("import", check=False).returncode, 2)


if __name__ == "__main__":
    unittest.main()
