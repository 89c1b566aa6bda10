"""A watch from before the oldest change that is kept ends with COMPACTED, and says how far back
it could have gone."""

import json
import re
import subprocess
import unittest

import harness


class Compacted(harness.TestCase):
    # More than the newest changes that are kept in memory besides those on disk.
    WRITTEN_BYTES = 24 << 20
    VALUE_BYTES = 1 << 20

    def setUp(self):
        super().setUp()
        self.pandod = self.server("--changes-bytes=64KiB", "--store-interval=5ms").start()
        created = json.loads(self.pandod.pando("create", "/a", "-o", "json").stdout)
        self.first = created["stat"]["create_revision"]

    def write_until_trimmed(self):
        value = self.folder / "value"
        value.write_bytes(b"v" * self.VALUE_BYTES)
        for _ in range(self.WRITTEN_BYTES // self.VALUE_BYTES):
            self.pandod.pando("set", "/a", "--file", value)
        self.wait_for_stored()

    def wait_for_stored(self):
        """What is stored is what may be trimmed: from now on the oldest revision stays."""
        harness.wait_until(lambda: self.pandod.metrics()["pando_store_lag_revisions"] == 0, 20,
                           "stored")

    def watch(self, revision):
        """A watch that is expected to be refused."""
        done = subprocess.run(
            [harness.PANDO, "watch", "-r", "--from", str(revision), "/"], capture_output=True,
            text=True, timeout=20, stdin=subprocess.DEVNULL, env=self.pandod.environment())
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertRegex(done.stderr, r"\Apando: [^\n]*\(COMPACTED\)\n\Z")
        return int(re.search(r"revision (\d+)", done.stderr).group(1))

    def assert_watches_from(self, oldest):
        """From the oldest revision on there is every change."""
        shown = json.loads(self.pandod.pando("stat", "/a", "-o", "json").stdout)
        version = shown["stat"]["version"]
        watch = harness.Watcher(self.pandod, "/", "--from", oldest, out=self.folder / "events")
        self.addCleanup(watch.stop)
        newest = self.newest()
        watch.wait_for(newest, 20)
        watch.stop()
        events = list(watch.events())
        watch.out.unlink()
        self.assertGreaterEqual(events[0]["revision"], oldest)
        versions = [event["stat"]["version"] for event in events]
        self.assertEqual(versions, list(range(versions[0], version + 1)))

    def newest(self):
        shown = json.loads(self.pandod.pando("stat", "/a", "-o", "json").stdout)
        return shown["stat"]["modify_revision"]

    def test_the_error_names_the_oldest_revision(self):
        self.write_until_trimmed()
        oldest = self.watch(self.first)
        self.assertGreater(oldest, self.first)
        self.assertLessEqual(oldest, self.newest())
        self.assertEqual(self.watch(oldest - 1), oldest)
        self.assert_watches_from(oldest)

    def test_it_is_the_same_after_a_restart(self):
        self.write_until_trimmed()
        self.pandod.kill()
        self.pandod.start()
        for turn in range(3):
            self.pandod.pando("set", "/a", f"{turn}")
        self.wait_for_stored()
        oldest = self.watch(self.first)
        self.assertGreater(oldest, self.first)
        # The restart itself takes a revision, and the log may be trimmed up to that.
        self.pandod.pando("set", "/a", "after the restart")
        self.assert_watches_from(oldest)

    def test_a_watch_that_was_away_too_long_ends_with_it(self):
        watch = harness.Watcher(self.pandod, "/", "--from", self.first, out=self.folder / "away")
        self.addCleanup(watch.stop)
        self.pandod.pando("set", "/a", "seen")
        watch.wait_for(self.newest(), 20)
        watch.stop()
        seen = watch.last_revision()
        self.write_until_trimmed()
        self.assertGreater(self.watch(seen + 1), seen + 1)


if __name__ == "__main__":
    unittest.main()
