"""pandod as an operator meets it: flags, refusals, signals, crashes, logs, health and metrics."""

import json
import pathlib
import re
import shutil
import signal
import subprocess
import unittest

import harness


class Flags(harness.TestCase):
    def test_documentation_has_every_flag_and_its_default(self):
        usage = subprocess.run([harness.PANDOD, "--help"], capture_output=True, text=True,
                               check=True).stdout
        flags = set(re.findall(r"^\s+(?:-\w,)?--([a-z-]+)", usage, re.MULTILINE))
        flags -= {"help", "version", "config"}
        page = (harness.ROOT / "docs" / "configuration.md").read_text()
        rows = dict(re.findall(r"^\| `--([a-z-]+)` \|(.*)$", page, re.MULTILINE))
        self.assertEqual(flags, set(rows))
        for flag, row in rows.items():
            variable = re.search(r"`(PANDO_\w+)`", row)
            if variable:
                self.assertEqual(variable.group(1), "PANDO_" + flag.upper().replace("-", "_"))
        for flag, default in re.findall(r"^\| `--([a-z-]+)` \| `\w+` \| `([^`]+)`", page,
                                        re.MULTILINE):
            self.assertRegex(usage, rf"--{flag} [A-Z:,…=]+={re.escape(default)}\s")

    def test_version(self):
        done = subprocess.run([harness.PANDOD, "--version"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"^pandod \d+\.\d+\.\d+\n$")

    def test_usage_errors_are_one_line_and_exit_status_2(self):
        for words in (["--id", "0", "--data-dir", "x"], ["--data-dir", "x"], ["--nonsense"]):
            done = subprocess.run([harness.PANDOD, *words], capture_output=True, text=True,
                                  env=harness.clean_environment())
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertEqual(done.stdout, "")
            self.assertRegex(done.stderr, r"\Apandod: [^\n]+\n\Z")

    def test_variables_and_a_file_do_what_flags_do(self):
        server = self.server()
        ports = dict(zip(("CLIENT", "PEER", "HTTP", "ZOOKEEPER"), server.ports))
        environment = harness.clean_environment()
        for name, port in ports.items():
            environment[f"PANDO_LISTEN_{name}"] = f"127.0.0.1:{port}"
        config = self.folder / "pando.toml"
        config.write_text(f'id = 1\ndata-dir = "{server.data_dir}"\nmax-value-bytes = "1KiB"\n')
        server.command = lambda *more: [harness.PANDOD, "--config", str(config), *more]
        server.start(env=environment)
        server.pando("create", "/a", "x" * 1024)
        refused = server.pando("create", "/b", "x" * 1025, check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("TOO_LARGE", refused.stderr)


class Refusals(harness.TestCase):
    def test_a_data_dir_of_another_server_is_refused_with_both_named(self):
        server = self.server().start()
        server.stop()
        other = self.server(server_id=2, data_dir=server.data_dir)
        status, text = other.run_to_end()
        self.assertEqual(status, 1, text)
        self.assertRegex(text, r"server 1\b.*\b2\b|id.*1.*2")
        self.assertIn(str(server.data_dir), text)
        server.start()

    def test_a_locked_data_dir_is_refused(self):
        server = self.server().start()
        other = self.server(data_dir=server.data_dir)
        status, text = other.run_to_end()
        self.assertEqual(status, 1, text)
        self.assertIn("lock", text)
        self.assertIn(str(server.data_dir), text)
        server.pando("create", "/still-served")

    def test_an_address_that_is_taken_is_refused_by_name(self):
        server = self.server().start()
        for taken in (0, 1, 2):
            ports = harness.free_ports(4)
            ports[taken] = server.ports[taken]
            other = self.server(server_id=2, data_dir=self.folder / "other", ports=ports)
            status, text = other.run_to_end()
            self.assertEqual(status, 1, text)
            self.assertIn(f"127.0.0.1:{server.ports[taken]}", text)

    def test_another_cluster_id_is_refused_with_wrong_cluster(self):
        """The client names a cluster; the data of this one says another."""
        server = self.server().start()
        cluster = json.loads(server.pando("status", "-o", "json").stdout)["cluster_id"]
        server.stop()
        server.start()
        again = json.loads(server.pando("status", "-o", "json").stdout)["cluster_id"]
        self.assertEqual(cluster, again)
        other = self.server(server_id=1, data_dir=self.folder / "other").start()
        self.assertNotEqual(
            cluster, json.loads(other.pando("status", "-o", "json").stdout)["cluster_id"])

    def test_a_data_dir_that_cannot_be_made_is_refused_by_name(self):
        (self.folder / "file").write_text("")
        server = self.server(data_dir=self.folder / "file" / "data")
        status, text = server.run_to_end()
        self.assertEqual(status, 1, text)
        self.assertIn(str(self.folder / "file"), text)


class Signals(harness.TestCase):
    def test_term_and_int_stop_it_cleanly(self):
        server = self.server()
        for sig in (signal.SIGTERM, signal.SIGINT):
            server.start()
            server.pando("create", f"/{sig.name}")
            self.assertEqual(server.stop(sig), 0, server.log())
        server.start()
        self.assertEqual(server.pando("ls", "/").stdout.split(), ["SIGINT", "SIGTERM"])

    def test_they_stop_it_also_where_they_were_inherited_ignored(self):
        server = self.server()

        def ignore():
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)

        for sig in (signal.SIGTERM, signal.SIGINT):
            server.start(preexec_fn=ignore)
            self.assertEqual(server.stop(sig), 0, server.log())

    def test_a_clean_stop_ends_a_watch_and_keeps_what_it_acknowledged(self):
        server = self.server().start()
        watch = harness.Watcher(server, "/", out=self.folder / "events")
        harness.wait_until(lambda: server.metrics().get("pando_watch_streams") == 1, 10, "watching")
        server.pando("create", "/a")
        harness.wait_until(lambda: list(watch.events()), 10, "the event")
        self.assertEqual(server.stop(), 0, server.log())
        watch.stop()
        server.start()
        self.assertEqual(server.pando("ls", "/").stdout.split(), ["a"])


class Crashes(harness.TestCase):
    def test_kill_9_loses_nothing_acknowledged(self):
        server = self.server().start()
        for turn in range(3):
            for i in range(20):
                server.pando("create", f"/n{turn}-{i}", f"{turn} {i}")
            server.kill()
            server.start()
            names = server.pando("ls", "/").stdout.split()
            self.assertEqual(len(names), 20 * (turn + 1))
        self.assertEqual(server.pando("get", "/n2-19").stdout, "2 19")

    def test_kill_9_at_the_very_first_start_is_no_trouble(self):
        server = self.server()
        for _ in range(5):
            server.spawn()
            harness.wait_until(lambda: server.data_dir.exists(), 10, "the data dir")
            server.kill()
        server.start()
        server.pando("create", "/a")


class Observability(harness.TestCase):
    def test_every_metric_is_documented_and_every_documented_metric_is_there(self):
        server = self.server().start()
        server.pando("create", "/a")
        status, body = server.http("/metrics")
        self.assertEqual(status, 200)
        kinds = dict(re.findall(r"^# TYPE (\w+) (\w+)$", body, re.MULTILINE))
        page = (harness.ROOT / "docs" / "metrics.md").read_text()
        rows = dict(re.findall(r"^\| `(\w+)` \| (\w+) \|", page, re.MULTILINE))
        self.assertEqual(kinds, rows)

    def test_metrics_are_named_as_prometheus_asks(self):
        body = self.server().start().http("/metrics")[1]
        kinds = dict(re.findall(r"^# TYPE (\w+) (\w+)$", body, re.MULTILINE))
        helped = set(re.findall(r"^# HELP (\w+) \S", body, re.MULTILINE))
        self.assertEqual(helped, set(kinds))
        for name, kind in kinds.items():
            self.assertRegex(name, r"^(pando|process)(_[a-z]+)+$")
            self.assertEqual(name.endswith("_total"), kind == "counter", name)
            if kind == "histogram":
                self.assertRegex(name, "_seconds$")
            self.assertNotRegex(name, r"_(ms|us|ns|kib|mib|kb|mb|count|sum|bucket)(_|$)")
        for label in re.findall(r'[{,](\w+)="', body):
            self.assertRegex(label, r"^[a-z]+$")
        promtool = shutil.which("promtool") or harness.ROOT / "build" / "tools" / "promtool"
        if pathlib.Path(promtool).exists():
            done = subprocess.run([promtool, "check", "metrics"], input=body, text=True,
                                  capture_output=True, check=False)
            self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def test_metrics_follow_what_happens(self):
        server = self.server().start()
        before = server.metrics()
        server.pando("create", "/a", "12345")
        server.pando("get", "/a")
        server.pando("get", "/missing", check=False)
        after = server.metrics()
        self.assertEqual(after['pando_raft_role{role="leader"}'], 1)
        self.assertEqual(after["pando_raft_leader_id"], 1)
        self.assertEqual(after["pando_tree_nodes"], before["pando_tree_nodes"] + 1)
        self.assertEqual(after["pando_tree_data_bytes"], before["pando_tree_data_bytes"] + 5)
        for name in ("pando_raft_applied_revision", "pando_wal_sync_seconds_count",
                     "pando_raft_commit_seconds_count", "pando_machine_apply_seconds_count",
                     "pando_wal_written_bytes_total"):
            self.assertGreater(after[name], before[name], name)
        self.assertEqual(
            after['pando_api_requests_total{method="TreeService/Get",reason="NO_NODE"}'], 1)
        self.assertEqual(after['pando_api_request_seconds_count{method="TreeService/Create"}'], 1)
        self.assertGreater(after["process_resident_memory_bytes"], 1 << 20)
        harness.wait_until(lambda: server.metrics()["pando_store_lag_revisions"] == 0, 10, "stored")

    def test_health_says_what_it_checked(self):
        server = self.server().start()
        self.assertEqual(server.http("/healthz")[0], 200)
        self.assertEqual(server.http("/readyz"), (200, "ok\n"))
        self.assertIn("leader: server 1", server.http("/readyz?verbose")[1])

    def test_logs_are_one_line_an_event(self):
        server = self.server().start()
        server.stop()
        for line in server.log().splitlines():
            self.assertRegex(line, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (INFO|WARN) +\S")
        self.assertIn("zookeeper=", server.log())
        self.assertIn(str(server.ports[0]), server.log())

    def test_logs_in_json_parse(self):
        server = self.server("--log-format=json").start()
        server.stop()
        lines = [json.loads(line) for line in server.log().splitlines()]
        self.assertTrue(lines)
        for line in lines:
            self.assertLessEqual({"time", "severity", "event"}, set(line))


if __name__ == "__main__":
    unittest.main()
