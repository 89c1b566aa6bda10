"""A real Prometheus with the project's alerts scrapes three real servers: what the alerts and the
dashboards ask for is there, and conditions that are caused for real raise the alerts.

Run by `make deploy-test`, which first puts Prometheus into build/tools.
"""

import json
import pathlib
import subprocess
import sys
import unittest
import urllib.error
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/e2e"))

import harness  # noqa: E402
import names_test  # noqa: E402

# As the example in deploy/prometheus, but for the addresses and for how often it looks.
CONFIG = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [{alerts}]
scrape_configs:
  - job_name: pando
    static_configs:
      - {{targets: [{targets}], labels: {{ensemble: e}}}}
      - {{targets: [{full}], labels: {{ensemble: full}}}}
"""
# What Grafana puts into a query.
VARIABLES = {"$ensemble": "e", "$namespace": ".*", "$instance": ".*", "$__rate_interval": "30s"}


class Prometheus:
    def __init__(self, folder, servers, full):
        (port,) = harness.free_ports(1)
        self.url = f"http://127.0.0.1:{port}/api/v1/"
        config = folder / "prometheus.yml"
        config.write_text(CONFIG.format(
            alerts=names_test.ALERTS, full=f"127.0.0.1:{full.ports[2]}",
            targets=", ".join(f"127.0.0.1:{server.ports[2]}" for server in servers)))
        self.log = folder / "prometheus.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [ROOT / "build/tools/prometheus", f"--config.file={config}",
                 f"--storage.tsdb.path={folder / 'prometheus'}", "--log.level=warn",
                 f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)

    def close(self):
        self.process.kill()
        self.process.wait()

    def _get(self, path):
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as response:
                return json.load(response)["data"]
        except urllib.error.HTTPError as error:
            if error.code == 503:  # it is just starting
                raise
            raise AssertionError(f"{path}: {error.read().decode()}") from None

    def query(self, expression):
        return self._get("query?" + urllib.parse.urlencode({"query": expression}))["result"]

    def alerts(self, ensemble):
        """{name: pending or firing}."""
        return {alert["labels"]["alertname"]: alert["state"]
                for alert in self._get("alerts")["alerts"]
                if alert["labels"]["ensemble"] == ensemble}

    def scrapes(self, count):
        try:
            return len(self.query("up == 1")) == count
        except OSError:
            assert self.process.poll() is None, self.log.read_text()
            return False


class Scraped(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.ensemble = harness.Ensemble(self.folder)
        self.addCleanup(self.ensemble.close)
        self.ensemble.start()
        # One for which every disk is too small.
        self.full = self.server("--disk-reserve", "1TiB", server_id=9).spawn()
        self.prometheus = Prometheus(self.folder, self.ensemble.servers.values(), self.full)
        self.addCleanup(self.prometheus.close)
        harness.wait_until(lambda: self.prometheus.scrapes(4), 30, "scraped")

    def test_all_that_is_asked_for_is_there(self):
        self.ensemble.pando("create", "/a", "1")
        self.ensemble.pando("get", "/not-there", check=False)
        for name in set(names_test.METRIC.findall(names_test.expressions_of_alerts())):
            with self.subTest(name):
                self.assertTrue(self.prometheus.query(f'{name}{{ensemble="e"}}'))
        for dashboard in names_test.DASHBOARDS:
            for expression in names_test.expressions_of(dashboard):
                for variable, value in VARIABLES.items():
                    expression = expression.replace(variable, value)
                with self.subTest(expression):
                    harness.wait_until(lambda asked=expression: self.prometheus.query(asked), 15,
                                       "a result")

    def wait_for(self, **wanted):
        """The alerts of the ensemble that are wanted, in that state or a later one."""
        def there():
            alerts = self.prometheus.alerts("e")
            return all(alerts.get(name) in (state, "firing") for name, state in wanted.items())

        harness.wait_until(there, 60, f"{wanted}; now {self.prometheus.alerts('e')}")

    def test_what_happens_is_told(self):
        self.assertEqual(self.prometheus.alerts("e"), {})
        harness.wait_until(lambda: self.prometheus.alerts("full").get("PandoNoSpace") == "firing",
                           60, "no space")
        one, two = self.ensemble.followers()
        one.kill()
        self.wait_for(PandoServerDown="pending")
        two.kill()
        self.wait_for(PandoNoLeader="firing", PandoNoMajority="firing")
        one.start()
        two.start()
        harness.wait_until(lambda: not self.prometheus.alerts("e"), 60, "all is well")


if __name__ == "__main__":
    unittest.main()
