"""Disks that rot, tear and fill up: what is damaged is named, what can be healed is healed, and
nothing is ever guessed."""

import os
import re
import shutil
import subprocess
import unittest

import harness

MIB = 1 << 20


class DamageTest(harness.TestCase):
    def offline(self, server, flag="--check"):
        """(exit status, all that it said) of a pandod that only looks at a data dir."""
        done = subprocess.run([harness.PANDOD, flag, str(server.data_dir)], capture_output=True,
                              text=True, timeout=60, env=harness.clean_environment())
        return done.returncode, done.stdout + done.stderr

    def filled(self, *flags):
        """A server with 400 KB in it."""
        server = self.server(*flags).start()
        source = self.folder / "source"
        source.mkdir()
        for i in range(200):
            (source / f"file{i:03}").write_bytes(os.urandom(2000))
        server.pando("import", source, "/files")
        return server

    def export(self, server, name):
        server.pando("export", "/", self.folder / name)
        return self.folder / name

    def assert_same(self, one, other):
        diff = subprocess.run(["diff", "-r", one, other], capture_output=True, text=True)
        self.assertEqual((diff.returncode, diff.stdout), (0, ""))

    def assert_whole(self, server):
        status, text = self.offline(server)
        self.assertEqual(status, 0, text)

    def assert_check_names(self, server, file, offset=True):
        status, text = self.offline(server)
        self.assertEqual(status, 1, text)
        lines = [line for line in text.splitlines() if file in line]
        self.assertTrue(lines, text)
        if offset:
            self.assertRegex(lines[0].split(file, 1)[1], r"\d", "an offset")
        return lines[0]

    def assert_start_refuses(self, server, file):
        status, text = server.run_to_end()
        self.assertIn(status, (1, 70), text)
        self.assertIn(file, text)
        return text

    def flip(self, path, offset):
        with open(path, "r+b") as file:
            file.seek(offset)
            byte = file.read(1)[0]
            file.seek(offset)
            file.write(bytes([byte ^ 1]))


class Check(DamageTest):
    def test_a_whole_dir_is_whole_after_a_stop_and_after_a_kill(self):
        server = self.filled()
        server.stop()
        self.assert_whole(server)
        server.start()
        server.pando("create", "/more", "x")
        server.kill()
        self.assert_whole(server)

    def test_it_changes_nothing(self):
        server = self.filled("--snapshot-interval=1s")
        server.kill()

        def contents():
            return {path: path.read_bytes() for path in sorted(server.data_dir.rglob("*"))
                    if path.is_file() and path.stat().st_size < 80 * MIB and path.name != "lock"}

        before = contents()
        self.assert_whole(server)
        self.assertEqual(contents(), before)

    def test_a_dir_in_use_is_refused(self):
        server = self.server().start()
        for flag in ("--check", "--recover"):
            status, text = self.offline(server, flag)
            self.assertEqual(status, 1, text)
            self.assertIn("in use", text)
        server.pando("create", "/a")

    def test_what_is_no_data_dir_is_refused_and_left_alone(self):
        for flag in ("--check", "--recover"):
            done = subprocess.run([harness.PANDOD, flag, str(self.folder)], capture_output=True,
                                  text=True, timeout=60, env=harness.clean_environment())
            self.assertEqual(done.returncode, 1)
            self.assertIn(str(self.folder), done.stdout + done.stderr)
            self.assertEqual(list(self.folder.iterdir()), [], "nothing was made there")


class Wal(DamageTest):
    BLOCK = 4096  # batches begin at its multiples
    MAGIC = b"PandoWAL"

    def segments(self, server):
        return sorted((server.data_dir / "wal").glob("*.wal"))

    def batches(self, segment):
        """Where each batch of this use of the file begins."""
        data = segment.read_bytes()
        series = data[8:16]
        return [at for at in range(0, len(data), self.BLOCK)
                if data[at:at + 16] == self.MAGIC + series]

    def test_a_flipped_byte_in_the_middle_is_named_by_file_and_offset(self):
        server = self.filled()
        server.pando("create", "/later")
        server.kill()
        segment = self.segments(server)[0]
        batch = self.batches(segment)[1]
        self.flip(segment, batch + 49)  # of its body, however short
        for text in (self.assert_check_names(server, segment.name),
                     self.assert_start_refuses(server, segment.name)):
            offset = [int(number) for number in re.findall(r"\b\d+\b",
                                                           text.split(segment.name, 1)[1])]
            self.assertTrue(any(batch <= number <= batch + 60 for number in offset), text)
        self.flip(segment, batch + 49)
        self.assert_whole(server)
        server.start()
        self.assertEqual(len(server.pando("ls", "/files").stdout.split()), 200)

    def test_a_missing_segment_is_named(self):
        server = self.filled("--wal-segment-bytes=64KiB", "--store-interval=1m")
        for i in range(8):
            server.pando("create", f"/large{i}", "x" * 60_000)
        server.kill()
        segments = self.segments(server)
        self.assertGreater(len(segments), 3)
        segments[len(segments) // 2].unlink()
        status, text = self.offline(server)
        self.assertEqual(status, 1, text)
        self.assertIn("wal", text)
        self.assert_start_refuses(server, "wal")

    def torn(self, tear):
        """Everything but the last write is there after the tail was torn."""
        server = self.filled()
        before = self.export(server, "before")
        for i in range(5):
            server.pando("create", f"/n{i}", "x" * 9000)
        server.kill()
        segment = self.segments(server)[-1]
        tear(segment, self.batches(segment))
        self.assert_whole(server)
        server.start()
        names = server.pando("ls", "/").stdout.split()
        self.assertIn(names, (["files", "n0", "n1", "n2", "n3"],
                              ["files", "n0", "n1", "n2", "n3", "n4"]))
        for name in names[1:]:
            self.assertEqual(server.pando("get", f"/{name}").stdout, "x" * 9000)
        # It goes on from there, and the next start finds nothing torn.
        server.pando("create", "/next")
        server.kill()
        self.assert_whole(server)
        server.start()
        self.assertEqual(server.pando("ls", "/").stdout.split(), names + ["next"])
        for name in names[1:] + ["next"]:
            server.pando("rm", f"/{name}")
        self.assert_same(before, self.export(server, "after"))
        return names

    def test_a_torn_tail_is_cut(self):
        def tear(segment, batches):
            with open(segment, "r+b") as file:
                file.seek(batches[-1] + 5000)
                file.write(bytes(20000))

        self.assertNotIn("n4", self.torn(tear))

    def test_a_file_that_ends_in_a_batch_is_cut(self):
        self.assertNotIn("n4", self.torn(
            lambda segment, batches: os.truncate(segment, batches[-1] + 5000)))

    def test_garbage_behind_the_last_batch_is_no_batch(self):
        def tear(segment, batches):
            # A batch that never was whole: the header of the last one, and nothing of its body.
            with open(segment, "r+b") as file:
                file.seek(batches[-1])
                header = bytearray(file.read(48))
                header[16] += 1
                file.seek(batches[-1] + 3 * self.BLOCK)
                file.write(bytes(header) + os.urandom(3000))

        self.assertIn("n4", self.torn(tear))


class Store(DamageTest):
    def with_tables(self):
        """A stopped server whose tree is in LevelDB's tables, with snapshots."""
        server = self.filled("--snapshot-interval=1s", "--store-interval=5ms")
        server.pando("create", "/late", "written after the import")
        harness.wait_until(lambda: server.metrics()["pando_store_snapshots_total"] > 0, 30,
                           "a snapshot")
        server.pando("create", "/later", "perhaps after the snapshot")
        server.stop()
        server.start()  # LevelDB makes a table of its log when it is opened
        server.before = self.export(server, "before")
        server.stop()
        return server

    def largest(self, server, pattern):
        return max(server.data_dir.glob(pattern), key=lambda path: path.stat().st_size)

    def assert_recovers(self, server):
        status, text = self.offline(server, "--recover")
        self.assertEqual(status, 0, text)
        self.assert_whole(server)
        server.start()
        self.assert_same(server.before, self.export(server, "after"))
        server.pando("create", "/and-on")
        server.stop()
        self.assert_whole(server)

    def test_a_flipped_byte_in_a_table_is_named_and_recovered_from(self):
        server = self.with_tables()
        table = self.largest(server, "state-*/tree/*.ldb")
        self.flip(table, table.stat().st_size // 2)
        self.assert_check_names(server, table.name, offset=False)
        self.assertIn("--recover", self.assert_start_refuses(server, table.name))
        self.assert_recovers(server)

    def test_a_lost_table_is_named_and_recovered_from(self):
        server = self.with_tables()
        table = self.largest(server, "state-*/tree/*.ldb")
        table.unlink()
        self.assert_check_names(server, table.name.split(".")[0], offset=False)
        self.assertIn("--recover", self.assert_start_refuses(server, table.name.split(".")[0]))
        self.assert_recovers(server)

    def test_a_lost_tree_is_recovered(self):
        server = self.with_tables()
        shutil.rmtree(next(server.data_dir.glob("state-*")) / "tree")
        status, text = server.run_to_end()
        self.assertIn(status, (1, 70), text)
        self.assert_recovers(server)

    def test_a_flipped_byte_in_a_snapshot_is_named_by_file_and_offset(self):
        server = self.with_tables()
        snapshots = sorted((server.data_dir / "snapshots").iterdir())
        self.flip(snapshots[-1], snapshots[-1].stat().st_size // 2)
        self.assert_check_names(server, snapshots[-1].name)
        # Nothing was lost: the server runs, and the next snapshot takes its place in time.
        server.start()
        self.assert_same(server.before, self.export(server, "after"))

    def test_an_older_snapshot_does_when_the_newest_is_damaged(self):
        server = self.with_tables()
        server.start()
        for i in range(2):
            # Asked first: the snapshot may be taken before the command has ended.
            taken = server.metrics()["pando_store_snapshots_total"]
            server.pando("create", f"/turn{i}")
            harness.wait_until(
                lambda: server.metrics()["pando_store_snapshots_total"] > taken, 30, "a snapshot")
        server.before = self.export(server, "before-again")
        server.stop()
        snapshots = sorted((server.data_dir / "snapshots").iterdir())
        self.assertEqual(len(snapshots), 2)
        self.flip(snapshots[-1], snapshots[-1].stat().st_size // 2)
        self.largest(server, "state-*/tree/*.ldb").unlink()
        status, text = self.offline(server, "--recover")
        self.assertEqual(status, 0, text)
        server.start()
        self.assert_same(server.before, self.export(server, "after"))

    def test_a_flipped_byte_in_the_change_log_is_named_and_costs_only_history(self):
        server = self.with_tables()
        segment = self.largest(server, "state-*/changes/*")
        self.flip(segment, segment.stat().st_size // 2)
        self.assert_check_names(server, segment.name)
        server.start()
        self.assert_same(server.before, self.export(server, "after"))
        done = subprocess.run([harness.PANDO, "watch", "-r", "--from", "2", "/"], timeout=20,
                              capture_output=True, text=True, env=server.environment())
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("COMPACTED", done.stderr)


class Identity(DamageTest):
    def test_a_damaged_identity_is_named(self):
        server = self.filled()
        server.stop()
        for name in ("identity", "CURRENT"):
            self.flip(server.data_dir / name, 10)
            self.assert_check_names(server, name, offset=False)
            self.assert_start_refuses(server, name)
            self.flip(server.data_dir / name, 10)
        self.assert_whole(server)
        server.start()

    def test_a_dir_that_lost_its_identity_is_not_taken_for_a_new_one(self):
        server = self.filled()
        server.stop()
        (server.data_dir / "identity").unlink()
        self.assert_start_refuses(server, "identity")
        self.assertTrue(list((server.data_dir / "wal").glob("*.wal")))


class Full(DamageTest):
    """A disk of its own for the data, small enough to be filled."""

    BYTES = 48 * MIB

    def setUp(self):
        super().setUp()
        self.disk = self.folder / "disk"
        self.disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={self.BYTES}", "tmpfs",
                                  str(self.disk)], capture_output=True, text=True)
        if mounted.returncode != 0:
            self.skipTest(f"needs a small disk, and may not mount one: {mounted.stderr.strip()}")
        self.addCleanup(subprocess.run, ["umount", "-l", str(self.disk)], check=True)

    def small(self, *flags):
        return self.server("--wal-segment-bytes=1MiB", "--changes-bytes=1MiB",
                           "--snapshot-wal-bytes=4MiB", *flags, data_dir=self.disk / "data")

    def fill(self, leave=0):
        """Takes all the room but for `leave` bytes."""
        free = os.statvfs(self.disk)
        size = free.f_bavail * free.f_frsize - leave
        with open(self.disk / "filler", "wb") as filler:
            try:
                while size > 0:
                    size -= filler.write(bytes(min(size, 1 << 16)))
                    filler.flush()
            except OSError:
                pass

    def make_room(self):
        (self.disk / "filler").unlink()

    def write(self, server, path, data="x", timeout="1s"):
        return server.pando("create", "--timeout", timeout, path, data, check=False)

    def assert_refused(self, server, path):
        done = self.write(server, path)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("NO_SPACE", done.stderr)

    def test_below_the_reserve_writes_are_refused_and_reads_served(self):
        server = self.small("--disk-reserve=16MiB").start()
        server.pando("create", "/before", "x")
        self.fill(leave=8 * MIB)
        harness.wait_until(lambda: server.metrics()["pando_disk_no_space"] == 1, 20, "noticed")
        self.assert_refused(server, "/refused")
        self.assertEqual(server.pando("get", "/before").stdout, "x")
        self.assertEqual(server.pando("ls", "/").stdout, "before\n")
        self.assertEqual(server.http("/healthz")[0], 200)
        # A write that waits is served as soon as there is room again.
        waiting = subprocess.Popen([harness.PANDO, "create", "--timeout", "30s", "/after"],
                                   stdout=subprocess.DEVNULL, env=server.environment())
        self.addCleanup(waiting.wait)
        self.addCleanup(waiting.kill)
        self.make_room()
        self.assertEqual(waiting.wait(30), 0, server.log())
        self.assertEqual(server.metrics()["pando_disk_no_space"], 0)
        server.kill()
        server.start()
        self.assertEqual(server.pando("ls", "/").stdout, "after\nbefore\n")

    def test_a_disk_without_any_room_loses_nothing_and_heals(self):
        server = self.small("--disk-reserve=0").start()
        server.pando("create", "/before", "x")
        self.fill()
        acknowledged = []
        value = self.folder / "value"
        value.write_bytes(os.urandom(300_000))
        for i in range(60):
            done = server.pando("create", "--timeout", "1s", f"/n{i:02}", "--file", value,
                                check=False)
            if done.returncode != 0:
                break
            acknowledged.append(f"n{i:02}")
        self.assertIn(done.returncode, (1, 75), done.stderr)
        self.assertEqual(server.pando("get", "/before").stdout, "x")
        self.assertEqual(server.http("/healthz")[0], 200)
        self.make_room()
        harness.wait_until(lambda: self.write(server, "/after").returncode == 0, 30, "healed")
        names = server.pando("ls", "/").stdout.split()
        self.assertLessEqual({"after", "before", *acknowledged}, set(names))
        server.kill()
        self.assert_whole(server)
        server.start()
        self.assertEqual(server.pando("ls", "/").stdout.split(), names)
        for name in acknowledged:
            self.assertEqual(server.pando("get", f"/{name}", text=False).stdout,
                             value.read_bytes())

    def test_a_server_that_is_killed_on_a_full_disk_comes_back_when_there_is_room(self):
        server = self.small("--disk-reserve=0").start()
        server.pando("create", "/before", "x")
        self.fill()
        while self.write(server, "/n-", "x" * 100_000).returncode == 0:
            server.pando("set", "/n-", "y" * 100_000, "--timeout", "1s", check=False)
            if server.pando("rm", "/n-", "--timeout", "1s", check=False).returncode != 0:
                break
        server.kill()
        server.spawn()
        self.make_room()
        try:
            server.wait_ready()
        except AssertionError:
            # It may have given up while there was no room; then its last words say why.
            self.assertIn("space", server.log())
            server.close()
            server.start()
        self.assertEqual(server.pando("get", "/before").stdout, "x")
        server.pando("create", "/after")


if __name__ == "__main__":
    unittest.main()
