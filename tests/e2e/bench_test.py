"""`pando bench` against real servers: every workload, in Pando's own protocol and the others."""

import base64
import contextlib
import json
import sys
import tempfile
import unittest
import urllib.request

import harness

sys.path.insert(0, str(harness.ROOT / "scripts"))
from compare import ensembles  # noqa: E402

WORKLOADS = ("create", "set", "get", "mixed", "list", "multi", "session", "lock", "watch")
# Enough to see each workload work, and not to measure anything.
SHORT = ("--nodes", 200, "--connections", 4, "--warmup", 0, "--duration", "100ms")


class Reports(unittest.TestCase):
    def assert_good(self, workload, report):
        self.assertGreater(report["operations"], 0)
        self.assertEqual(report["failed"], 0)
        self.assertLessEqual(report["operation_p50_ms"], report["operation_p99_ms"])
        self.assertLessEqual(report["operation_p99_ms"], report["operation_max_ms"])
        self.assertGreater(report["operation_p50_ms"], 0)
        self.assertGreater(report["servers_resident_bytes_max"], 1 << 20)
        if workload == "watch":
            self.assertEqual(report["events"], 4 * report["operations"])


class BenchTest(Reports):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="pando-e2e-")
        cls.addClassCleanup(folder.cleanup)
        cls.one = harness.Server(folder.name)
        cls.addClassCleanup(cls.one.close)
        cls.one.start()
        cls.zookeeper = f"127.0.0.1:{cls.one.ports[3]}"

    def endpoint(self, protocol):
        return self.zookeeper if protocol == "zookeeper" else self.one.endpoint

    def refused(self, *words, endpoint=None):
        """(exit status, standard error) of a `pando bench` that must fail."""
        done = self.one.pando("bench", *words, check=False,
                              env={**self.one.environment(),
                                   "PANDO_ENDPOINTS": endpoint or self.one.endpoint})
        self.assertNotEqual(done.returncode, 0, done.stdout)
        return done.returncode, done.stderr

    def test_every_workload_in_every_protocol(self):
        for protocol in ("pipeline", "unary", "zookeeper"):
            for workload in WORKLOADS:
                with self.subTest(protocol=protocol, workload=workload):
                    report = harness.bench(self.endpoint(protocol), workload, *SHORT, "--protocol",
                                           protocol, "--server-pid", self.one.process.pid)
                    self.assert_good(workload, report)
        # Nothing of it lives on: no session, so no ephemeral node and no place in a lock's queue.
        self.assertEqual(self.one.pando("session", "ls", "-o", "raw").stdout, "")
        self.assertEqual(self.one.pando("ls", "/bench/lock").stdout, "")
        self.assertNotIn("session", self.one.pando("ls", "/bench").stdout)

    def test_watches_on_every_server_of_an_ensemble_see_all_writes(self):
        # The servers end before their folder does.
        with tempfile.TemporaryDirectory(prefix="pando-e2e-") as folder, \
                contextlib.closing(harness.Ensemble(folder)) as ensemble:
            ensemble.start()
            for protocol, port in (("pipeline", 0), ("zookeeper", 3)):
                endpoints = ",".join(f"127.0.0.1:{server.ports[port]}"
                                     for server in ensemble.servers.values())
                report = harness.bench(endpoints, "watch", "--protocol", protocol, "--connections",
                                       6, "--warmup", 0, "--duration", "200ms")
                self.assertEqual(report["events"], 6 * report["operations"])

    def test_operations_end_it_and_are_what_the_server_did(self):
        harness.bench(self.one.endpoint, "create", "--root", "/made", "--nodes", 250,
                      "--warmup", 0)
        self.assertEqual(len(self.one.pando("ls", "/made").stdout.split()), 3)
        self.assertEqual(len(self.one.pando("ls", "/made/000002").stdout.split()), 50)
        report = harness.bench(self.one.endpoint, "set", "--root", "/made", "--nodes", 250,
                               "--prepared", "--operations", 1000, "--data-bytes", 7, "--warmup", 0)
        self.assertEqual(report["operations"], 1000)
        stats = [json.loads(self.one.pando("stat", f"/made/000000/{i:02}", "-o", "json").stdout)
                 for i in range(20)]
        self.assertIn(7, [stat["stat"]["data_length"] for stat in stats])

    def test_an_open_loop_keeps_its_rate(self):
        for protocol in ("pipeline", "zookeeper"):
            report = harness.bench(self.endpoint(protocol), "get", "--protocol", protocol, "--rate",
                                   500, *SHORT[:-1], "600ms")
            self.assertAlmostEqual(report["operations_per_second"], 500, delta=30)
            self.assertEqual(report["unsent"], 0)

    def test_a_rate_that_is_too_high_shows_in_the_latencies(self):
        report = harness.bench(self.one.endpoint, "set", "--rate", 10_000_000, *SHORT)
        self.assertGreater(report["unsent"], 0)
        self.assertGreater(report["operation_p99_ms"], 50)

    def test_a_table_for_people(self):
        done = self.one.pando("bench", "get", *SHORT)
        self.assertRegex(done.stdout, r"operation_p99_ms +\d+\.\d{3}\n")

    def test_what_it_cannot_do_is_refused(self):
        for words in (("frobnicate",), (), ("get", "--rate", "0"), ("get", "--rate", "-1"),
                      ("get", "--connections", "0"), ("get", "--outstanding", "0"),
                      ("get", "--duration", "0"), ("multi", "--nodes", "5"), ("get", "--root", "/"),
                      ("get", "--root", "x"), ("get", "--operations", "0"),
                      ("get", "--protocol", "memcached"), ("get", "--server-pid", "x"),
                      ("get", "--tls"), ("get", "--auth", "digest:a:b"),
                      ("lock", "--connections", "1"), ("lock", "--rate", "5"),
                      ("watch", "--watches", "1"),
                      ("watch", "--protocol", "unary", "--outstanding", "2"),
                      ("watch", "--protocol", "zookeeper", "--watches", "100"),
                      ("session", "--protocol", "zookeeper", "--outstanding", "2"),
                      ("get", "--protocol", "zookeeper", "--linearizable"),
                      ("create", "--nodes", "10", "--warmup", "1s")):
            with self.subTest(words=words):
                status, _ = self.refused(*words)
                self.assertEqual(status, 2)

    def test_a_server_that_is_not_there_is_named(self):
        port = harness.free_ports(1)[0]
        for protocol in ("pipeline", "zookeeper", "etcd"):
            status, why = self.refused("get", "--protocol", protocol, endpoint=f"127.0.0.1:{port}")
            self.assertEqual(status, 69)
            self.assertIn(f"127.0.0.1:{port}", why)

    def test_a_server_that_says_nothing_is_not_waited_for(self):
        silent = harness.SilentListener()
        self.addCleanup(silent.close)
        for protocol in ("pipeline", "zookeeper"):
            status, why = self.refused("get", "--protocol", protocol, "--timeout", "300ms",
                                       endpoint=silent.endpoint)
            self.assertEqual(status, 69, why)

    def test_a_server_of_another_protocol_is_refused(self):
        for protocol, endpoint in (("zookeeper", self.one.endpoint), ("pipeline", self.zookeeper)):
            status, _ = self.refused("get", "--protocol", protocol, "--timeout", "2s",
                                     endpoint=endpoint)
            self.assertEqual(status, 69)

    def test_nodes_that_are_not_there_fail_and_say_so(self):
        for protocol in ("pipeline", "unary", "zookeeper"):
            status, why = self.refused("get", "--protocol", protocol, "--root", "/nothing",
                                       "--prepared", *SHORT, endpoint=self.endpoint(protocol))
            self.assertEqual(status, 1)
            self.assertIn("operations failed", why)

    def test_a_process_that_is_not_there_is_named(self):
        status, why = self.refused("get", "--server-pid", str(1 << 30))
        self.assertEqual(status, 1)
        self.assertIn(str(1 << 30), why)


class EtcdTest(Reports):
    """The messages that stand in for etcd's own (clients/bench/etcd.proto), with a real etcd."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="pando-e2e-")
        cls.addClassCleanup(folder.cleanup)
        cls.etcd = ensembles.Etcd(folder.name, count=1)
        cls.addClassCleanup(cls.etcd.close)

    def bench(self, workload, *flags):
        return harness.bench(self.etcd.addresses[0], workload, "--protocol", "etcd", "--server-pid",
                             self.etcd.pids()[0], *flags)

    def ask(self, call, **request):
        """What etcd says of itself, over its gateway of JSON."""
        asked = urllib.request.Request(f"http://{self.etcd.addresses[0]}/v3/{call}",
                                       data=json.dumps(request).encode())
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return json.load(answer)

    def values(self, prefix):
        key, end = (base64.b64encode(text.encode()).decode()
                    for text in (prefix + "/", prefix + "0"))
        found = self.ask("kv/range", key=key, range_end=end).get("kvs", [])
        return [base64.b64decode(one.get("value", "")) for one in found]

    def test_every_workload(self):
        for workload in WORKLOADS:
            with self.subTest(workload=workload):
                self.assert_good(workload, self.bench(workload, *SHORT))
        self.assert_good("get", self.bench("get", "--linearizable", *SHORT))
        # Nothing of it lives on: no lease, so no place in a lock's queue.
        self.assertEqual(self.ask("lease/leases").get("leases", []), [])
        self.assertEqual(self.values("/bench/lock"), [])

    def test_what_it_counts_is_what_etcd_did(self):
        self.bench("create", "--root", "/made", "--nodes", 250, "--warmup", 0)
        # And the three directories that they are in.
        self.assertEqual([len(value) for value in self.values("/made")], [100] * 253)
        self.bench("set", "--root", "/made", "--nodes", 250, "--prepared", "--operations", 1000,
                   "--data-bytes", 7, "--warmup", 0)
        self.assertIn(7, [len(value) for value in self.values("/made")])

    def test_keys_that_are_not_there_fail_and_say_so(self):
        with self.assertRaisesRegex(AssertionError, "operations failed.*no such key"):
            self.bench("get", "--root", "/nothing", "--prepared", *SHORT)


if __name__ == "__main__":
    unittest.main()
