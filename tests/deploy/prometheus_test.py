"""A real Prometheus with deploy/prometheus scrapes real servers: every rule is evaluated, and what
the alerts and the dashboards ask for is there.

Run by `make deploy-test`, which first puts Prometheus into build/tools.
"""

import re
import unittest

import names_test
import prometheus
from prometheus import harness
from certs import Certs  # it lies beside the harness

# What Grafana puts into a query.
VARIABLES = {"$ensemble": "pando", "$namespace": ".*", "$instance": ".*", "$__rate_interval": "30s"}


class Scraped(harness.TestCase):
    def setUp(self):
        super().setUp()
        # Certificates have numbers of their own.
        peer_flags = Certs(self.folder / "certs").peer_flags()
        self.ensemble = harness.Ensemble(self.folder, *peer_flags)
        self.addCleanup(self.ensemble.close)
        self.ensemble.start()
        self.prometheus = prometheus.Prometheus(self.folder, self.ensemble.servers.values(), [])
        self.addCleanup(self.prometheus.close)
        harness.wait_until(lambda: self.prometheus.scrapes(3), 30, "scraped")

    def test_every_rule_is_evaluated(self):
        def rules():
            (group,) = self.prometheus.get("rules")["groups"]
            return {rule["name"]: rule["health"] for rule in group["rules"]}

        alerts = re.findall(r"- alert: (\w+)", names_test.ALERTS.read_text())
        harness.wait_until(lambda: rules() == dict.fromkeys(alerts, "ok"), 15,
                           f"each is evaluated: {rules()}")

    def test_all_that_is_asked_for_is_there(self):
        self.ensemble.pando("create", "/a", "1")
        self.ensemble.pando("get", "/not-there", check=False)
        for name in set(names_test.METRIC.findall(names_test.expressions_of_alerts())):
            with self.subTest(name):
                self.assertTrue(self.prometheus.query(f'{name}{{ensemble="pando"}}'))
        for dashboard in names_test.DASHBOARDS:
            for expression in names_test.expressions_of(dashboard):
                for variable, value in VARIABLES.items():
                    expression = expression.replace(variable, value)
                with self.subTest(expression):
                    harness.wait_until(lambda asked=expression: self.prometheus.query(asked), 15,
                                       "a result")


if __name__ == "__main__":
    unittest.main()
