"""A whole machine's configuration and documentation goes in, and comes out the same.

Meanwhile a watch streams every change, snapshots are taken, log segments deleted and the change log
trimmed, and the server is killed twice. What is on this machine decides what is in it, so nothing
here knows names or numbers.
"""

import collections
import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import unittest

import harness

ROOTS = ("/etc", "/usr/share/doc")
VALUE_BYTES_MAX = 256 << 10

# Small enough that everything that normally happens once an hour happens all the time.
LIMITS = (f"--max-value-bytes={VALUE_BYTES_MAX}B", "--wal-segment-bytes=256KiB",
          "--changes-bytes=32MiB", "--snapshot-interval=1s", "--snapshot-wal-bytes=1MiB",
          "--store-interval=20ms")
HAPPENS_AT_LEAST = 20
COUNTED = ("pando_store_snapshots_total", "pando_wal_deleted_segments_total",
           "pando_changes_deleted_segments_total")

STEP_S = 60


def unescape(path):
    """The path that a line of a report begins with, as bytes."""
    return re.sub(rb"\\(\\|x[0-9a-f]{2})",
                  lambda m: b"\\" if m[1] == b"\\" else bytes([int(m[1][1:], 16)]), path)


def reported(report):
    """{path below the root that was imported: reason}"""
    lines = report.read_bytes().splitlines()
    return {unescape(path): reason.decode()
            for path, reason in (line.split(b"\t", 1) for line in lines)}


class RealInput(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.counted = collections.Counter()
        self.pandod = self.server(*LIMITS).start()

    def count(self):
        """What happened since the start of this process, for the sum over all of them."""
        metrics = self.pandod.metrics()
        return collections.Counter({name: int(metrics[name]) for name in COUNTED})

    def kill(self):
        self.counted += self.count()
        self.pandod.kill()

    def importing(self, root):
        """The import of a root, as a process; it goes on when the server comes back."""
        report = self.folder / f"skipped{root.replace('/', '-')}"
        return subprocess.Popen(
            [harness.PANDO, "import", "-o", "json", "--timeout", f"{STEP_S}s", "--report",
             str(report), root, root], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, env=self.pandod.environment()), report

    def end_of(self, process):
        """What the import said when it was through."""
        self.addCleanup(process.kill)
        out, err = process.communicate(timeout=STEP_S)
        self.assertEqual(process.returncode, 0, f"{err}\n{self.pandod.log()}")
        return json.loads(out)

    def nodes(self):
        """{path: stat} of all but the root."""
        listed = self.pandod.pando("ls", "-R", "-o", "json", "/", "--timeout", f"{STEP_S}s")
        return {node["path"]: node["stat"] for node in json.loads(listed.stdout)}

    def expected(self, skipped_of):
        """A copy of the input without what was reported."""
        copy = self.folder / "expected"
        for root, skipped in skipped_of.items():
            top = os.fsencode(root)
            for folder, names, files in os.walk(top):
                relative = os.path.relpath(folder, top)
                here = b"" if relative == b"." else relative + b"/"
                to = os.path.join(os.fsencode(copy), folder.lstrip(b"/"))
                os.makedirs(to)
                names[:] = [name for name in names if here + name not in skipped]
                links = [name for name in names if os.path.islink(os.path.join(folder, name))]
                for name in links + files:
                    if here + name not in skipped:
                        shutil.copyfile(os.path.join(folder, name), os.path.join(to, name),
                                        follow_symlinks=False)
        return copy

    def assert_rightly_skipped(self, root, skipped):
        for relative, reason in skipped.items():
            path = os.path.join(os.fsencode(root), relative)
            status = os.lstat(path)
            if stat.S_ISREG(status.st_mode) and os.access(path, os.R_OK):
                self.assertTrue("max-value-bytes" in reason or "can hold" in reason, reason)
                self.assertGreater(status.st_size, VALUE_BYTES_MAX, path)
            else:
                self.assertFalse(stat.S_ISDIR(status.st_mode) and os.access(path, os.R_OK), path)

    def assert_seen_once(self, events, nodes):
        """The events are the history of exactly these nodes."""
        history = collections.defaultdict(list)
        last = 0
        for event in events:
            self.assertGreaterEqual(event["revision"], last)
            last = event["revision"]
            text = event.get("data")
            self.assertIn("data" if "data" in event else "data_base64", event)
            if text is not None:
                self.assertEqual(len(text.encode()), event["stat"]["data_length"])
            history[event["path"]].append((event["revision"], event["kind"], event["stat"]))
        self.assertEqual(set(history), set(nodes))
        for path, happened in history.items():
            revisions = [revision for revision, _, _ in happened]
            self.assertEqual(revisions, sorted(set(revisions)), path)
            kinds = [kind for _, kind, _ in happened]
            # A version counts the changes of data, so none is missing and none is there twice.
            self.assertEqual(kinds, ["CREATED"] + ["DATA_CHANGED"] * nodes[path]["version"], path)
            self.assertEqual(revisions[0], nodes[path]["create_revision"], path)
            self.assertEqual(revisions[-1], nodes[path]["modify_revision"], path)
            self.assertEqual([entry["version"] for _, _, entry in happened],
                             list(range(len(happened))), path)

    def test_goes_in_and_out_while_the_server_is_killed(self):
        watch = harness.Watcher(self.pandod, "/", "--timeout", f"{STEP_S}s",
                                out=self.folder / "events")
        self.addCleanup(lambda: watch.stop())
        harness.wait_until(lambda: self.pandod.metrics().get("pando_watch_streams") == 1, 10,
                           "watching")

        # In the middle of an import the server is killed; import and watch go on by themselves.
        reports, said = {}, {}
        for root in ROOTS:
            total = sum(1 + len(files) for _, _, files in os.walk(root))
            before = self.pandod.metrics()["pando_tree_nodes"]
            process, reports[root] = self.importing(root)
            if root == ROOTS[-1]:
                harness.wait_until(
                    lambda: self.pandod.metrics()["pando_tree_nodes"] > before + total / 3, STEP_S,
                    "a third of the import")
                self.kill()
                self.assertIsNone(process.poll(), "killed after the end of the import")
                self.pandod.start()
            said[root] = self.end_of(process)
        skipped = {root: reported(report) for root, report in reports.items()}
        for root in ROOTS:
            self.assertEqual(said[root]["skipped"], len(skipped[root]))
            self.assert_rightly_skipped(root, skipped[root])

        # The smaller root again and again, until everything has happened often enough.
        def often_enough():
            counted = self.counted + self.count()
            if all(counted[name] >= HAPPENS_AT_LEAST for name in COUNTED):
                return True
            self.end_of(self.importing(ROOTS[0])[0])
            return False

        harness.wait_until(often_enough, 120, f"{HAPPENS_AT_LEAST} of each of {COUNTED}")
        nodes = self.nodes()
        above = {str(folder) for root in ROOTS for folder in pathlib.Path(root).parents} - {"/"}
        self.assertEqual(sum(done["files"] + done["folders"] for done in said.values()) +
                         len(above - set(ROOTS)), len(nodes))
        watch.wait_for(max(stat["modify_revision"] for stat in nodes.values()), STEP_S)

        # Killed again; this watch is a new one, from where the last one ended.
        self.kill()
        watch.stop()
        self.pandod.start()
        watch = harness.Watcher(self.pandod, "/", "--from", watch.last_revision() + 1,
                                out=watch.out)
        exported = self.folder / "exported"
        self.pandod.pando("export", "/", exported, timeout_s=STEP_S)
        self.pandod.pando("create", "/last")
        nodes = self.nodes()
        watch.wait_for(nodes["/last"]["create_revision"], STEP_S)
        watch.stop()

        diff = subprocess.run(["diff", "-r", "--no-dereference", self.expected(skipped), exported],
                              capture_output=True, text=True, errors="replace")
        self.assertEqual((diff.returncode, diff.stdout[:4000]), (0, ""))
        self.assert_seen_once(watch.events(), nodes)
        status, _ = self.pandod.http("/readyz")
        self.assertEqual(status, 200)
        self.pandod.stop()
        check = subprocess.run([harness.PANDOD, "--check", self.pandod.data_dir],
                               capture_output=True, text=True, timeout=STEP_S)
        self.assertEqual(check.returncode, 0, check.stdout + check.stderr)
        print({name: self.counted[name] for name in COUNTED}, len(nodes), "nodes")


if __name__ == "__main__":
    unittest.main()
