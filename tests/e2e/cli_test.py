"""Every command of the CLI against a real server: what it prints, and what it ends with."""

import base64
import json
import os
import re
import signal
import socket
import subprocess
import unittest

import harness

OK, REFUSED, USAGE, UNREACHABLE = 0, 1, 2, 69

STAT = ["create_revision", "modify_revision", "children_revision", "ctime_ms", "mtime_ms",
        "version", "children_version", "acl_version", "ephemeral_owner", "data_length",
        "children_count"]

NOT_TEXT = b"\x00\x01\xff"


class CliTest(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.pandod = self.server().start()

    def run_cli(self, *words, **run):
        return self.pandod.pando(*words, check=False, **run)

    def out(self, *words, **run):
        """What a command that succeeds prints; it complains of nothing."""
        done = self.pandod.pando(*words, **run)
        self.assertFalse(done.stderr, done.stderr)
        return done.stdout

    def json(self, *words):
        """One line of JSON."""
        text = self.out(*words, "-o", "json")
        self.assertEqual(text.count("\n"), 1, text)
        self.assertTrue(text.endswith("\n"))
        return json.loads(text)

    def assert_ends(self, status, words, says, **run):
        """Nothing on stdout, one line on stderr."""
        done = self.run_cli(*words, **run)
        self.assertEqual(done.returncode, status, f"{words}: {done.stdout}{done.stderr}")
        self.assertEqual(done.stdout, "", words)
        self.assertRegex(done.stderr, r"\Apando: [^\n]+\n\Z", words)
        self.assertRegex(done.stderr, says, words)

    def popen(self, *words, **popen):
        process = subprocess.Popen([harness.PANDO, *map(str, words)], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   env=popen.pop("env", self.pandod.environment()), **popen)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process, harness.Lines(process.stdout)


class Nodes(CliTest):
    def test_create_prints_the_path_that_it_made(self):
        self.assertEqual(self.out("create", "/a"), "/a\n")
        self.assertEqual(self.out("create", "-p", "/b/c/d", "data"), "/b/c/d\n")
        first, second = self.out("create", "-s", "/b/n-"), self.out("create", "-s", "/b/n-")
        self.assertRegex(first, r"\A/b/n-\d{10}\n\Z")
        self.assertLess(first, second)
        made = self.json("create", "/json", "x")
        self.assertEqual(list(made), ["path", "stat"])
        self.assertEqual(list(made["stat"]), STAT)
        self.assertEqual(made["stat"]["version"], 0)
        self.assertEqual(made["stat"]["data_length"], 1)

    def test_create_refuses_what_does_not_fit(self):
        self.out("create", "/a")
        self.assert_ends(REFUSED, ["create", "/a"], r"/a .*\(NODE_EXISTS\)")
        self.assert_ends(REFUSED, ["create", "/x/y"], r"/x/y .*-p.*\(NO_PARENT\)")
        self.assert_ends(REFUSED, ["create", "no-slash"], r"\(INVALID_PATH\)")
        big = self.folder / "big"
        big.write_bytes(b"x" * ((1 << 20) + 1))
        self.assert_ends(REFUSED, ["create", "/big", "--file", big], r"\(TOO_LARGE\)")
        self.assert_ends(USAGE, ["create"], "PATH")
        self.assert_ends(USAGE, ["create", "/c", "-e", "--ttl", "1s"], "exclude")

    def test_a_container_and_a_ttl_node_can_be_made(self):
        self.out("create", "-c", "/container")
        self.out("create", "--ttl", "1h", "/ttl", "x")
        self.assertEqual(self.out("get", "/ttl"), "x")

    def test_get_prints_the_bytes_and_nothing_else(self):
        for data in (b"", b"text", b"line\n", NOT_TEXT, bytes(range(256)) * 100):
            self.run_cli("create", "/bytes")
            self.pandod.pando("set", "/bytes", "-", input=data, text=False)
            self.assertEqual(self.pandod.pando("get", "/bytes", text=False).stdout, data)
        self.out("set", "/bytes", "--null")
        self.assertEqual(self.out("get", "/bytes"), "")
        self.assert_ends(REFUSED, ["get", "/missing"], r"/missing.*\(NO_NODE\)")

    def test_json_has_text_as_text_and_all_else_as_base64(self):
        for data in ("", "text", "tab\tline\n\r", "äöü €", '"\\'):
            self.run_cli("create", "/a")
            self.pandod.pando("set", "/a", "-", input=data.encode(), text=False)
            shown = self.json("get", "/a")
            self.assertEqual(list(shown), ["path", "data", "stat"])
            self.assertEqual(shown["data"], data)
        for data in (NOT_TEXT, b"\x1b[2J", b"\x7f", b"\xc2\x80", b"\xff", b"\xed\xa0\x80",
                     b"a\x00"):
            self.pandod.pando("set", "/a", "-", input=data, text=False)
            shown = self.json("get", "/a")
            self.assertEqual(list(shown), ["path", "data_base64", "stat"])
            self.assertEqual(base64.b64decode(shown["data_base64"], validate=True), data)
            self.assertIn("base64:", self.out("get", "/a", "-o", "table"))
        self.out("set", "/a", "--null")
        shown = self.json("get", "/a")
        self.assertIsNone(shown["data"])
        self.assertEqual(list(shown["stat"]), STAT)

    def test_set_replaces_data(self):
        self.out("create", "/a", "1")
        self.assertEqual(self.out("set", "/a", "2"), "")
        self.assertEqual(self.out("get", "/a"), "2")
        (self.folder / "file").write_bytes(NOT_TEXT)
        self.assertEqual(self.out("set", "/a", "--file", self.folder / "file"), "")
        self.assertEqual(self.pandod.pando("get", "/a", text=False).stdout, NOT_TEXT)
        done = self.json("set", "/a", "3", "--if-version", "2")
        self.assertEqual(list(done), ["path", "stat"])
        self.assertEqual(done["stat"]["version"], 3)
        self.assert_ends(REFUSED, ["set", "/a", "4", "--if-version", "2"],
                         r"version 3, not 2.*\(BAD_VERSION\)")
        self.assertEqual(self.out("get", "/a"), "3")
        self.assert_ends(REFUSED, ["set", "/missing", "x"], r"\(NO_NODE\)")
        self.assert_ends(USAGE, ["set", "/a"], "DATA")
        self.assert_ends(USAGE, ["set", "/a", "x", "--null"], "one")
        self.assert_ends(REFUSED, ["set", "/a", "--file", self.folder / "missing"], "missing")

    def test_stat_shows_all_but_the_data(self):
        self.out("create", "/a", "12345")
        self.out("create", "/a/b")
        shown = self.json("stat", "/a")
        self.assertEqual(list(shown), ["path", "stat"])
        self.assertEqual(list(shown["stat"]), STAT)
        self.assertEqual((shown["stat"]["data_length"], shown["stat"]["children_count"]), (5, 1))
        table = self.out("stat", "/a")
        for field in STAT:
            self.assertIn(field, table)
        raw = dict(line.split("\t") for line in self.out("stat", "/a", "-o", "raw").splitlines())
        self.assertEqual(raw["path"], "/a")
        self.assertEqual(raw["data_length"], "5")
        self.assert_ends(REFUSED, ["stat", "/missing"], r"\(NO_NODE\)")

    def test_rm_removes_one_node_or_all_below(self):
        self.out("create", "-p", "/a/b/c")
        self.assert_ends(REFUSED, ["rm", "/a"], r"rm -r.*\(NOT_EMPTY\)")
        self.assertEqual(self.out("rm", "/a/b/c"), "")
        self.assertEqual(self.out("rm", "-r", "/a"), "removed 2 nodes\n")
        self.assert_ends(REFUSED, ["rm", "/a"], r"\(NO_NODE\)")
        self.out("create", "/a")
        self.assert_ends(REFUSED, ["rm", "/a", "--if-version", "7"], r"\(BAD_VERSION\)")
        self.assertEqual(self.json("rm", "/a", "--if-version", "0"),
                         {"path": "/a", "removed_count": 1})
        self.out("create", "/a")
        self.assertEqual(self.out("rm", "/a", "-o", "raw"), "1\n")
        self.assert_ends(REFUSED, ["rm", "-r", "/"], r"\(\w+\)")


class Trees(CliTest):
    def setUp(self):
        super().setUp()
        for path in ("/b", "/a", "/a/z", "/a-b", "/a/with blank"):
            self.out("create", path, "x")

    def test_ls_lists_children_in_the_order_of_names(self):
        self.assertEqual(self.out("ls"), "a\na-b\nb\n")
        self.assertEqual(self.out("ls", "/a"), "with blank\nz\n")
        self.assertEqual(self.out("ls", "/b"), "")
        self.assertEqual(self.out("ls", "-R", "/"), "/a\n/a/with blank\n/a/z\n/a-b\n/b\n")
        shown = json.loads(self.out("ls", "-o", "json", "/a"))
        self.assertEqual([node["name"] for node in shown], ["with blank", "z"])
        self.assertEqual(list(shown[0]), ["name", "path", "stat"])
        self.assertEqual(list(shown[0]["stat"]), STAT)
        self.assertEqual(json.loads(self.out("ls", "-o", "json", "/b")), [])
        table = self.out("ls", "-l", "/")
        self.assertRegex(table, r"\A *VERSION +CHILDREN +BYTES +MODIFIED +OWNER +NAME\n")
        self.assertEqual([line.split()[-1] for line in table.splitlines()[1:]], ["a", "a-b", "b"])
        self.assert_ends(REFUSED, ["ls", "/missing"], r"\(NO_NODE\)")
        self.assert_ends(REFUSED, ["ls", "-R", "/missing"], r"\(NO_NODE\)")

    def test_ls_lists_more_than_one_page(self):
        lines = "".join(f"create /many/n{i:04}\n" for i in range(2500))
        self.out("create", "/many")
        self.pandod.pando("txn", "-", input=lines)
        self.assertEqual(self.out("ls", "/many").split(), [f"n{i:04}" for i in range(2500)])

    def test_tree_draws_it(self):
        self.assertEqual(self.out("tree", "/"),
                         "/\n├── a\n│   ├── with blank\n│   └── z\n├── a-b\n└── b\n\n6 nodes\n")
        self.assertEqual(self.out("tree", "--depth", "1", "/"),
                         "/\n├── a\n├── a-b\n└── b\n\n4 nodes\n")
        self.assertEqual(self.out("tree", "-o", "raw", "/a"), "/a\n/a/with blank\n/a/z\n")
        self.assertEqual(self.json("tree", "/a"), {
            "name": "a", "path": "/a", "children": [
                {"name": "with blank", "path": "/a/with blank", "children": []},
                {"name": "z", "path": "/a/z", "children": []}]})
        self.assert_ends(REFUSED, ["tree", "/missing"], r"\(NO_NODE\)")
        self.assert_ends(USAGE, ["tree", "--depth", "0", "/"], "depth")


class Transactions(CliTest):
    def txn(self, text, *words):
        return self.run_cli("txn", *words, "-", input=text)

    def test_one_branch_is_run_as_a_whole(self):
        text = 'compare exists /a = false\nthen create /a "x y"\nget /a\nelse rm /a\n'
        done = self.txn(text, "-o", "json")
        self.assertEqual(done.returncode, OK, done.stderr)
        shown = json.loads(done.stdout)
        self.assertEqual(list(shown), ["compared_true", "revision", "results"])
        self.assertTrue(shown["compared_true"])
        create, get = shown["results"]
        self.assertEqual(list(create), ["operation", "path", "stat"])
        self.assertEqual((create["operation"], create["path"]), ("create", "/a"))
        self.assertEqual(list(get), ["operation", "path", "data", "stat"])
        self.assertEqual(get["data"], "x y")
        self.assertEqual(create["stat"]["create_revision"], shown["revision"])
        shown = json.loads(self.txn(text, "-o", "json").stdout)
        self.assertFalse(shown["compared_true"])
        self.assertEqual(shown["results"], [{"operation": "rm", "path": "/a", "removed_count": 1}])
        self.assertTrue(self.txn(text).stdout.startswith("ran then\n"))

    def test_one_failure_undoes_all_of_it(self):
        done = self.txn("create /a\nset /missing x\n")
        self.assertEqual(done.returncode, REFUSED)
        self.assertRegex(done.stderr, r'operation 1 .*/missing.*\(NO_NODE\)')
        self.assertEqual(self.out("ls", "/"), "")

    def test_a_mistake_is_named_by_file_and_line(self):
        file = self.folder / "file"
        file.write_text("create /a\n\nbogus /b\n")
        self.assert_ends(USAGE, ["txn", file], f"{file}: line 3: 'bogus'")
        self.assert_ends(REFUSED, ["txn", self.folder / "missing"], "missing")


class Watches(CliTest):
    def events_of(self, *words, count):
        process, lines = self.popen("watch", *words)
        harness.wait_until(lambda: self.pandod.metrics()["pando_watch_streams"] == 1, 10,
                           "watching")
        return process, lambda: [lines.next() for _ in range(count)]

    def test_a_line_an_event_in_json(self):
        process, read = self.events_of("-r", "-o", "json", "/", count=4)
        self.out("create", "/a", "text")
        self.pandod.pando("set", "/a", "-", input=NOT_TEXT, text=False)
        self.out("set", "/a", "--null")
        self.out("rm", "/a")
        events = [json.loads(line) for line in read()]
        self.assertEqual([event["kind"] for event in events],
                         ["CREATED", "DATA_CHANGED", "DATA_CHANGED", "DELETED"])
        self.assertEqual([list(event) for event in events],
                         [["revision", "kind", "path", "data", "stat"],
                          ["revision", "kind", "path", "data_base64", "stat"],
                          ["revision", "kind", "path", "data", "stat"],
                          ["revision", "kind", "path", "stat"]])
        self.assertEqual(events[0]["data"], "text")
        self.assertEqual(base64.b64decode(events[1]["data_base64"]), NOT_TEXT)
        self.assertIsNone(events[2]["data"])
        revisions = [event["revision"] for event in events]
        self.assertEqual(revisions, sorted(set(revisions)))
        process.send_signal(signal.SIGINT)
        process.wait(harness.STOP_S)

    def test_from_gives_what_was_before(self):
        first = self.json("create", "/a", "1")["stat"]["create_revision"]
        second = self.json("set", "/a", "2")["stat"]["modify_revision"]
        for start, kinds in ((first, ["CREATED", "DATA_CHANGED"]), (first + 1, ["DATA_CHANGED"])):
            process, out = self.popen("watch", "-r", "-o", "raw", "--from", start, "/")
            lines = [out.next().split("\t") for _ in kinds]
            self.assertEqual([line[1] for line in lines], kinds)
            self.assertEqual(lines[-1], [str(second), "DATA_CHANGED", "/a\n"])
            process.terminate()
            process.wait(harness.STOP_S)

    def test_without_r_only_the_node_and_its_children_are_told(self):
        self.out("create", "/a")
        self.out("create", "/a/b")
        process, read = self.events_of("-o", "raw", "/a", count=3)
        self.out("create", "/a/b/deep")
        self.out("create", "/beside")
        self.out("set", "/a", "x")
        self.out("create", "/a/c")
        self.out("rm", "/a/c")
        lines = [line.split("\t")[1:] for line in read()]
        self.assertEqual(lines, [["DATA_CHANGED", "/a\n"], ["CREATED", "/a/c\n"],
                                 ["DELETED", "/a/c\n"]])

    def test_exec_runs_a_command_for_each_change(self):
        log = self.folder / "log"
        command = (f'{{ echo "$PANDO_EVENT_KIND $PANDO_EVENT_PATH $PANDO_EVENT_REVISION"; cat; '
                   f'echo; }} >> {log}')
        self.events_of("-r", "--exec", command, "/", count=0)
        created = self.json("create", "/a", "data of a")
        self.out("rm", "/a")
        harness.wait_until(lambda: log.exists() and log.read_text().count("\n") == 4, 10,
                           "both ran")
        revision = created["stat"]["create_revision"]
        self.assertRegex(log.read_text(),
                         rf"\ACREATED /a {revision}\ndata of a\nDELETED /a \d+\n\n\Z")

    def test_it_goes_on_after_a_restart(self):
        _, read = self.events_of("-r", "-o", "raw", "/", count=2)
        self.out("create", "/before")
        self.pandod.kill()
        self.pandod.start()
        self.out("create", "/after")
        paths = [line.split("\t")[2] for line in read()]
        self.assertEqual(paths, ["/before\n", "/after\n"])


class Transfers(CliTest):
    def setUp(self):
        super().setUp()
        self.source = self.folder / "source"
        (self.source / "folder" / "empty").mkdir(parents=True)
        (self.source / "file").write_bytes(NOT_TEXT)
        (self.source / "nothing").write_bytes(b"")
        (self.source / "folder" / "with blank").write_text("text\n")

    def diff(self, other):
        return subprocess.run(["diff", "-r", "--no-dereference", self.source, other],
                              capture_output=True, text=True, errors="replace").stdout

    def test_out_comes_what_went_in(self):
        done = self.json("import", self.source, "/new/top")
        self.assertEqual(list(done), ["folders", "files", "bytes", "skipped", "seconds"])
        self.assertEqual((done["folders"], done["files"], done["bytes"], done["skipped"]),
                         (3, 3, 8, 0))
        done = self.json("export", "/new/top", self.folder / "out")
        self.assertEqual((done["folders"], done["files"], done["bytes"], done["skipped"]),
                         (3, 3, 8, 0))
        self.assertEqual(self.diff(self.folder / "out"), "")
        self.assertIsNone(self.json("get", "/new/top/folder")["data"])
        self.assertEqual(self.json("get", "/new/top/nothing")["data"], "")

    def test_again_overwrites_what_is_there_and_leaves_the_rest(self):
        self.out("import", self.source, "/top")
        self.out("create", "/top/mine")
        self.out("set", "/top/folder", "not null")
        (self.source / "file").write_text("changed")
        self.out("import", self.source, "/top")
        self.assertEqual(self.out("get", "/top/file"), "changed")
        self.assertIsNone(self.json("get", "/top/folder")["data"])
        self.assertIn("mine\n", self.out("ls", "/top"))

    def test_what_is_left_out_is_reported_with_the_reason(self):
        (self.source / "large").write_bytes(b"x" * ((1 << 20) + 1))
        (self.source / "larger").write_bytes(b"x" * ((2 << 20) + 1))
        (self.source / "link").symlink_to("file")
        (self.source / "folder" / "links").symlink_to("/etc")
        os.mkfifo(self.source / "fifo")
        with socket.socket(socket.AF_UNIX) as listener:
            here = os.getcwd()
            os.chdir(self.source)
            listener.bind("socket")
            os.chdir(here)
        open(os.fsencode(self.source) + b"/not-utf8\xff", "w").close()
        open(os.fsencode(self.source) + b"/control\x01\n", "w").close()
        report = self.folder / "report"
        done = json.loads(self.out("import", "-o", "json", "--report", report, self.source, "/top"))
        lines = dict(line.split(b"\t") for line in report.read_bytes().splitlines())
        reasons = {b"large": "max-value-bytes", b"larger": "2.0 MiB", b"link": "symlink",
                   b"folder/links": "symlink", b"fifo": "special", b"socket": "special",
                   b"not-utf8\\xff": "UTF-8", b"control\\x01\\x0a": "character"}
        self.assertEqual(set(lines), set(reasons))
        for path, reason in reasons.items():
            self.assertIn(reason, lines[path].decode())
        self.assertEqual(done["skipped"], len(reasons))
        self.out("export", "/top", self.folder / "out")
        only = re.findall(r"^(Only in|File|Symbolic)", self.diff(self.folder / "out"), re.MULTILINE)
        self.assertEqual(only, ["Only in"] * len(reasons))

    def test_without_report_the_first_of_them_are_told(self):
        for i in range(12):
            (self.source / f"link{i:02}").symlink_to("file")
        done = self.pandod.pando("import", self.source, "/top")
        self.assertEqual(done.stderr.count("\npando: skipped link") + 1, 10)
        self.assertIn("2 more", done.stderr)
        self.assertIn("skipped 12", done.stdout)

    def test_a_folder_with_data_says_that_it_cannot_have_it(self):
        self.out("create", "/a", "data")
        self.out("create", "/a/b", "x")
        done = self.pandod.pando("export", "/", self.folder / "out")
        self.assertRegex(done.stderr, r"skipped a: its data")
        self.assertEqual((self.folder / "out" / "a" / "b").read_text(), "x")

    def test_wrong_places_are_refused(self):
        self.assert_ends(USAGE, ["import", self.folder / "missing", "/a"], "missing")
        self.assert_ends(USAGE, ["import", self.source, "no-path"], "must start with")
        self.assert_ends(REFUSED, ["export", "/missing", self.folder / "out"], r"\(NO_NODE\)")
        self.assert_ends(REFUSED, ["export", "/", self.source / "file"], str(self.source / "file"))


class Sessions(CliTest):
    def hold(self, *words):
        process, lines = self.popen("create", "-e", *words)
        return process, lines.next().rstrip("\n")

    def test_an_ephemeral_node_lives_as_long_as_its_command(self):
        for sig in (signal.SIGINT, signal.SIGTERM):
            process, path = self.hold("-s", "/me-", "data")
            self.assertRegex(path, r"\A/me-\d{10}\Z")
            sessions = json.loads(self.out("session", "ls", "-o", "json"))
            self.assertEqual(len(sessions), 1)
            self.assertEqual(list(sessions[0]), ["session_id", "timeout_ms", "ephemerals_count",
                                                 "kept_replies_count", "attach_revision"])
            self.assertEqual(sessions[0]["ephemerals_count"], 1)
            owner = self.json("stat", path)["stat"]["ephemeral_owner"]
            self.assertEqual(owner, sessions[0]["session_id"])
            self.assertIn(str(owner), self.out("session", "ls"))
            self.assertIn(str(owner), self.out("ls", "-l", "/"))
            process.send_signal(sig)
            self.assertEqual(process.wait(harness.STOP_S), OK)
            self.assert_ends(REFUSED, ["get", path], r"\(NO_NODE\)")
            self.assertEqual(json.loads(self.out("session", "ls", "-o", "json")), [])

    def test_it_outlives_a_restart_of_the_server(self):
        process, path = self.hold("/me")
        self.pandod.kill()
        self.pandod.start()
        self.assertEqual(self.out("get", path), "")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(harness.STOP_S), OK)
        self.assertEqual(self.out("ls", "/"), "")

    def test_a_session_whose_holder_was_killed_expires(self):
        process, path = self.hold("--timeout", "1s", "/me")
        process.kill()
        process.wait()
        self.assertEqual(self.out("get", path), "")
        harness.wait_until(lambda: self.out("ls", "/") == "", 20, "expired")
        self.assertEqual(json.loads(self.out("session", "ls", "-o", "json")), [])

    def test_an_ephemeral_node_has_no_children(self):
        _, path = self.hold("/me")
        self.assert_ends(REFUSED, ["create", f"{path}/child"],
                         r"\(NO_CHILDREN_FOR_EPHEMERALS\)")

    def test_what_is_refused_leaves_no_session(self):
        self.out("create", "/a")
        self.assert_ends(REFUSED, ["create", "-e", "/a"], r"\(NODE_EXISTS\)")
        self.assertEqual(json.loads(self.out("session", "ls", "-o", "json")), [])


class Clusters(CliTest):
    def test_status_in_json_has_these_fields(self):
        revision = self.json("create", "/a")["stat"]["create_revision"]
        status = self.json("status")
        self.assertEqual(list(status), ["cluster_id", "leader_id", "members"])
        self.assertRegex(status["cluster_id"], r"\A[0-9a-f]{16}\Z")
        self.assertEqual(len(status["members"]), 1)
        member = status["members"][0]
        self.assertEqual(list(member), ["id", "role", "term", "applied", "lag", "disk_bytes",
                                        "version", "reachable", "answers", "client"])
        self.assertEqual((member["id"], member["role"], member["lag"], member["reachable"],
                          member["answers"]), (1, "LEADER", 0, True, True))
        self.assertEqual(member["client"], self.pandod.endpoint)
        self.assertEqual(status["leader_id"], 1)
        self.assertGreaterEqual(member["applied"], revision)
        self.assertGreaterEqual(member["term"], 1)
        self.assertGreater(member["disk_bytes"], 0)
        version = subprocess.run([harness.PANDOD, "--version"], capture_output=True, text=True)
        self.assertEqual(f"pandod {member['version']}\n", version.stdout)

    def test_status_for_people(self):
        status = self.json("status")
        shown = self.out("status")
        self.assertTrue(shown.startswith(f"cluster {status['cluster_id']}, server 1 leads\n"),
                        shown)
        self.assertIn("LEADER", shown)
        self.assertIn(self.pandod.endpoint, shown)
        self.assertEqual(len(self.out("status", "-o", "raw").split("\t")), 10)

    def test_member_ls(self):
        members = self.json("member", "ls")
        self.assertEqual([list(member) for member in members],
                         [["id", "role", "storage_id", "client", "peer", "http", "zookeeper",
                           "machine_version_min", "machine_version_max"]])
        self.assertEqual((members[0]["id"], members[0]["role"], members[0]["client"]),
                         (1, "VOTER", self.pandod.endpoint))
        self.assertRegex(members[0]["storage_id"], r"\A[0-9a-f]{16}\Z")
        raw = self.out("member", "ls", "-o", "raw").rstrip("\n").split("\t")
        self.assertEqual(raw[:2] + raw[3:4], ["1", "VOTER", self.pandod.endpoint])

    def test_the_only_server_stays_the_leader(self):
        self.assertEqual(self.out("leader", "transfer", 1), "server 1 leads\n")
        self.assertEqual(self.json("leader", "transfer", 1), {"leader_id": 1})
        self.assert_ends(REFUSED, ["leader", "transfer"], r"\(INVALID_ARGUMENT\)")
        self.assert_ends(REFUSED, ["member", "rm", 1], r"\(INVALID_ARGUMENT\)")
        self.assert_ends(REFUSED, ["member", "promote", 2], r"no member 2 \(NO_NODE\)")

    def test_health(self):
        self.assertEqual(self.out("health"), "SERVING\n")
        self.assertEqual(self.json("health"), {"status": "SERVING"})
        self.pandod.stop()
        self.assert_ends(UNREACHABLE, ["health", "--timeout", "200ms"], self.pandod.endpoint)


class Everywhere(CliTest):
    def test_no_server_is_exit_status_69(self):
        nowhere = f"127.0.0.1:{harness.free_ports(1)[0]}"
        file = self.folder / "txn"
        file.write_text("create /a\n")
        commands = (["ls"], ["tree"], ["get", "/a"], ["stat", "/a"], ["set", "/a", "x"],
                    ["create", "/a"], ["create", "-e", "/a"], ["rm", "/a"], ["watch", "/"],
                    ["txn", file], ["import", self.folder, "/a"],
                    ["export", "/", self.folder / "out"], ["session", "ls"], ["status"],
                    ["health"], ["member", "ls"], ["member", "add", "2", "127.0.0.1:1"],
                    ["member", "promote", "2"], ["member", "rm", "2"], ["leader", "transfer"])
        for words in commands:
            self.assert_ends(UNREACHABLE, ["--endpoints", nowhere, "--timeout", "100ms", *words],
                             rf"{nowhere}.*100 ms")

    def test_endpoints_come_from_the_variable_and_the_flag_wins(self):
        nowhere = f"127.0.0.1:{harness.free_ports(1)[0]}"
        variables = {**harness.clean_environment(), "PANDO_ENDPOINTS": nowhere,
                     "PANDO_TIMEOUT": "100ms"}
        self.assert_ends(UNREACHABLE, ["health"], nowhere, env=variables)
        self.assertEqual(self.out("--endpoints", self.pandod.endpoint, "health", env=variables),
                         "SERVING\n")
        variables["PANDO_ENDPOINTS"] = f"{nowhere},{self.pandod.endpoint}"
        variables["PANDO_TIMEOUT"] = "5s"
        self.assertEqual(self.out("health", env=variables), "SERVING\n")
        variables["PANDO_ENDPOINTS"] = "nonsense"
        self.assert_ends(USAGE, ["health"], "nonsense", env=variables)

    def test_usage_errors_are_one_line_and_exit_status_2(self):
        for words, says in (([], "command"), (["bogus"], "bogus"), (["get"], "PATH"),
                            (["get", "/a", "--bogus"], "bogus"), (["-o", "xml", "ls"], "xml"),
                            (["--timeout", "soon", "ls"], "soon"),
                            (["--endpoints", "nowhere", "ls"], "nowhere"),
                            (["session"], "required"), (["snapshot"], "required"),
                            (["dev", "--servers", "0"], "servers"),
                            (["dev", "--servers", "10"], "1 to 9"),
                            (["--cluster", "mine", "ls"], "mine"),
                            (["member", "add", "2", "nowhere"], "nowhere"),
                            (["dev", "--base-port", "99999"], "base-port"),
                            (["completion", "tcsh"], "tcsh")):
            self.assert_ends(USAGE, words, says)

    def test_help_is_there_for_every_command(self):
        usage = self.out("--help")
        self.assertIn("Exit status: 0 done; 1", usage)
        for status in ("69", "75"):
            self.assertIn(status, usage)
        commands = set(re.findall(r"^  (\w+) +\S", usage[usage.index("Subcommands:"):],
                                  re.MULTILINE))
        self.assertEqual(commands, {"ls", "tree", "get", "stat", "set", "create", "rm", "watch",
                                    "txn", "acl", "whoami", "lock", "elect", "import", "export",
                                    "session", "member", "leader", "snapshot", "status", "health",
                                    "dev", "bench", "completion", "certs"})
        for command in commands:
            self.assertIn(command, self.out(command, "--help"))
        self.assertRegex(self.out("--version"), r"\Apando \d+\.\d+\.\d+\n\Z")

    def test_completion_is_a_script_that_knows_commands_and_nodes(self):
        self.out("create", "/apples")
        script = self.folder / "completion"
        script.write_text(self.out("completion", "bash"))

        def complete(*words):
            line = " ".join(f"'{word}'" for word in words)
            ask = (f"source {script}; COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _pando; "
                   'printf "%s\\n" "${COMPREPLY[@]}"')
            environment = self.pandod.environment()
            environment["PATH"] = f"{harness.BIN}:{environment['PATH']}"
            done = subprocess.run(["bash", "-uc", ask], env=environment, capture_output=True,
                                  text=True, timeout=20)
            self.assertEqual(done.returncode, 0, done.stderr)
            return done.stdout.split()

        self.assertEqual(complete("pando", "sta"), ["stat", "status"])
        self.assertEqual(complete("pando", "session", ""), ["ls"])
        self.assertEqual(complete("pando", "import", "zookee"), ["zookeeper"])
        self.assertIn(str(self.folder), complete("pando", "import", str(self.folder)[:-1]))
        self.assertIn("--merge", complete("pando", "import", "zookeeper", "--"))
        self.assertEqual(complete("pando", "import", str(self.folder), "/a"), ["/apples"])
        self.assertEqual(complete("pando", "member", "r"), ["rm"])
        self.assertEqual(complete("pando", "member", "rm", ""), ["1"])
        self.assertEqual(complete("pando", "leader", "transfer", ""), ["1"])
        self.assertEqual(complete("pando", "snapshot", "s"), ["save"])
        self.assertIn("--data-dir", complete("pando", "snapshot", "restore", "--"))
        self.assertEqual(complete("pando", "snapshot", "inspect", str(script)[:-1]), [str(script)])
        self.assertEqual(complete("pando", "get", "/a"), ["/apples"])
        self.assertIn("--recursive", complete("pando", "rm", "--"))

    def test_a_full_disk_is_told(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([harness.PANDO, "ls", "-R", "/"], stdout=full,
                                  stderr=subprocess.PIPE, text=True, timeout=20,
                                  env=self.pandod.environment())
        self.assertEqual(done.returncode, OK if not done.stderr else REFUSED)
        self.out("create", "/a")
        with open("/dev/full", "w") as full:
            done = subprocess.run([harness.PANDO, "ls", "/"], stdout=full, stderr=subprocess.PIPE,
                                  text=True, timeout=20, env=self.pandod.environment())
        self.assertEqual(done.returncode, REFUSED)
        self.assertRegex(done.stderr, r"\Apando: [^\n]+\n\Z")


if __name__ == "__main__":
    unittest.main()
