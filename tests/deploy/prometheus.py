"""A real Prometheus with the configuration of deploy/prometheus, on the servers of a test."""

import json
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

import hasten
import names_test

sys.path.insert(0, str(names_test.ROOT / "tests/e2e"))

import harness  # noqa: E402

FOLDER = names_test.ROOT / "deploy/prometheus"
# What the example says, once each, and what is there instead: addresses, and how often it looks.
EXAMPLE_TARGETS = "[a.example:7402, b.example:7402, c.example:7402]"
EXAMPLE_INTERVAL = "_interval: 15s"
INTERVAL = "_interval: 1s"


def targets(servers):
    return "[" + ", ".join(f"127.0.0.1:{server.ports[2]}" for server in servers) + "]"


def configuration(servers, others, rules):
    """The example's, for `servers`, and for `others` as an ensemble of that name."""
    text = (FOLDER / "prometheus.yaml").read_text()
    for what in (EXAMPLE_TARGETS, EXAMPLE_INTERVAL, "[alerts.yaml]", "- alerts.yaml"):
        assert text.count(what) <= 2, what
    assert EXAMPLE_TARGETS in text and EXAMPLE_INTERVAL in text and "- alerts.yaml" in text
    text = text.replace(EXAMPLE_INTERVAL, INTERVAL).replace("- alerts.yaml", f"- {rules}")
    text = text.replace(EXAMPLE_TARGETS, targets(servers))
    return (text + f"      - targets: {targets(others)}\n"
            "        labels:\n          ensemble: others\n")


class Prometheus:
    """Its alerts are those of the project, hastened (hasten.py)."""

    def __init__(self, folder, servers, others):
        (port,) = harness.free_ports(1)
        self.url = f"http://127.0.0.1:{port}/api/v1/"
        rules = folder / "alerts.yaml"
        rules.write_text(hasten.hasten((FOLDER / "alerts.yaml").read_text()))
        config = folder / "prometheus.yaml"
        config.write_text(configuration(servers, others, rules))
        self.log = folder / "prometheus.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [names_test.ROOT / "build/tools/prometheus", f"--config.file={config}",
                 f"--storage.tsdb.path={folder / 'prometheus'}", "--log.level=warn",
                 f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)

    def close(self):
        self.process.kill()
        self.process.wait()

    def get(self, path):
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as response:
                return json.load(response)["data"]
        except urllib.error.HTTPError as error:
            if error.code == 503:  # it is just starting
                raise
            raise AssertionError(f"{path}: {error.read().decode()}") from None

    def query(self, expression):
        return self.get("query?" + urllib.parse.urlencode({"query": expression}))["result"]

    def firing(self, ensemble):
        """{(name, what tells it from others of that name)}: the labels that a test may ask for."""
        return {(alert["labels"]["alertname"],
                 alert["labels"].get("peer") or alert["labels"].get("reason"))
                for alert in self.get("alerts")["alerts"]
                if alert["labels"]["ensemble"] == ensemble and alert["state"] == "firing"}

    def scrapes(self, count):
        """Whether that many targets are there, and each answers."""
        try:
            found = self.get("targets")["activeTargets"]
        except OSError:
            assert self.process.poll() is None, self.log.read_text()
            return False
        return len(found) == count and all(target["health"] == "up" for target in found)
