"""Names that one file uses and another defines: metrics, alerts, flags.

docs/metrics.md and docs/configuration.md are held equal to what pandod exports and takes by tests
beside its code; so what is found there, exists.
"""

import json
import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CHART = ROOT / "helm/pando"
ALERTS = CHART / "files/alerts.yaml"
DASHBOARDS = sorted((CHART / "files/dashboards").glob("*.json"))
# What is read when something is wrong.
RUNBOOKS = [ROOT / "SECURITY.md", *(ROOT / f"docs/{name}.md" for name in
            ("operations", "kubernetes", "security", "disaster-recovery", "backups", "acls",
             "debian"))]

METRIC = re.compile(r"\b(?:pando|process)_[a-z0-9_]+\b")
HISTOGRAM_SERIES = re.compile(r"_(bucket|sum|count)$")


def documented_metrics():
    """{name: kind}."""
    text = (ROOT / "docs/metrics.md").read_text()
    return dict(re.findall(r"^\| `(\w+)` \| (\w+) \|", text, re.MULTILINE))


def documented_flags(heading):
    """The flags of one section of docs/configuration.md."""
    text = (ROOT / "docs/configuration.md").read_text()
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return set(re.findall(r"^\| `--([\w-]+)` \| `PANDO_", section, re.MULTILINE))


def expressions_of_alerts():
    """The lines that are PromQL; what people read may say anything."""
    lines, inside = [], False
    for line in ALERTS.read_text().splitlines():
        key = re.match(r"\s*(?:- )?(\w+):", line)
        inside = key.group(1) == "expr" if key else inside
        if inside:
            lines.append(line)
    return "\n".join(lines)


def expressions_of(dashboard):
    panels = json.loads(dashboard.read_text())["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", [])]


class Metrics(unittest.TestCase):
    def unknown(self, text):
        """Names in PromQL that nothing exports under that name and kind."""
        known = documented_metrics()
        wrong = []
        for name in METRIC.findall(text):
            base = HISTOGRAM_SERIES.sub("", name)
            is_histogram = known.get(base) == "histogram"
            if not (is_histogram and base != name or name in known and not is_histogram):
                wrong.append(name)
        return wrong

    def test_alerts_ask_for_what_is_exported(self):
        text = expressions_of_alerts()
        self.assertGreater(len(METRIC.findall(text)), 5)
        self.assertEqual(self.unknown(text), [])

    def test_dashboards_ask_for_what_is_exported(self):
        self.assertTrue(DASHBOARDS)
        for dashboard in DASHBOARDS:
            expressions = expressions_of(dashboard)
            self.assertGreater(len(expressions), 20)
            for expression in expressions:
                self.assertEqual(self.unknown(expression), [], f"{dashboard.name}: {expression}")

    def test_what_does_not_exist_is_found(self):
        self.assertEqual(self.unknown("pando_raft_term + pando_no_such_thing"),
                         ["pando_no_such_thing"])
        # A histogram has no series of its own name, and a gauge has no buckets.
        self.assertEqual(self.unknown("pando_wal_sync_seconds"), ["pando_wal_sync_seconds"])
        self.assertEqual(self.unknown("pando_raft_term_bucket"), ["pando_raft_term_bucket"])


class Runbook(unittest.TestCase):
    def test_each_alert_has_its_section_and_each_section_its_alert(self):
        alerts = re.findall(r"- alert: (\w+)", ALERTS.read_text())
        runbook = (ROOT / "docs/operations.md").read_text()
        self.assertGreater(len(alerts), 5)
        self.assertEqual(sorted(alerts), sorted(re.findall(r"^### (Pando\w+)$", runbook, re.M)))

    def test_each_alert_has_its_unit_test(self):
        alerts = re.findall(r"- alert: (\w+)", ALERTS.read_text())
        tests = (ROOT / "deploy/prometheus/alerts_test.yaml").read_text()
        self.assertEqual(sorted(alerts), sorted(re.findall(r"- name: (\w+)", tests)))


class Runbooks(unittest.TestCase):
    """Nobody is sent to look for what is not there."""

    def used(self, pattern):
        """[(page, what the pattern finds in its inline code)]."""
        return [(page.name, name) for page in RUNBOOKS
                for code in re.findall(r"`([^`\n]+)`", page.read_text())
                for name in re.findall(pattern, code)]

    def assert_known(self, used, known):
        self.assertGreater(len(used), 5)
        self.assertEqual([(page, name) for page, name in used if name not in known], [])

    def sources(self):
        for folder in ("clients/cli", "services/server"):
            for file in (ROOT / folder).rglob("*.cc"):
                if not file.name.endswith("_test.cc"):
                    yield file.read_text()

    def test_metrics_exist(self):
        self.assert_known(self.used(METRIC), documented_metrics())

    def test_flags_exist(self):
        page = (ROOT / "docs/configuration.md").read_text()
        known = {flag for text in (page, *self.sources())
                 for flag in re.findall(r"--[a-z][a-z-]+", text)}
        known.add("--no-hooks")  # helm's
        self.assert_known(self.used(r"^(?:pandod? .*)?(--[a-z][a-z-]+)"), known)

    def test_commands_exist(self):
        known = {name for text in self.sources()
                 for name in re.findall(r'(?:add_subcommand|AddCommand)\([^"]*"([a-z]+)"', text)}
        self.assert_known(self.used(r"^pando ([a-z]+)"), known)

    def test_values_of_the_chart_exist(self):
        def resolves(path):
            schema = json.loads((CHART / "values.schema.json").read_text())
            for key in path.split("."):
                schema = schema.get("properties", {}).get(key)
                if schema is None:
                    return False
            return True

        values = json.loads((CHART / "values.schema.json").read_text())["properties"]
        used = [(page, path) for page, path in self.used(r"^([A-Za-z]+\.[A-Za-z.]+)(?:=\w+)?$")
                if page == "kubernetes.md" and path.split(".")[0] in values]
        self.assert_known(used, {path for _, path in used if resolves(path)} |
                          {"tls.crt", "tls.key"})  # of a Secret


class Flags(unittest.TestCase):
    def test_the_chart_takes_each_flag_that_is_not_its_own_affair(self):
        schema = json.loads((CHART / "values.schema.json").read_text())
        self.assertEqual(set(schema["properties"]["config"]["properties"]),
                         documented_flags("Limits") | documented_flags("Logs"))

    def test_variables_exist(self):
        known = {"PANDO_" + flag.upper().replace("-", "_")
                 for heading in ("Who and where", "TLS", "Limits", "Who may do what", "Logs")
                 for flag in documented_flags(heading)}
        for file in ("helm/pando/templates/statefulset.yaml", "deploy/docker-compose.yaml",
                     "Dockerfile"):
            text = (ROOT / file).read_text()
            used = set(re.findall(r"\bPANDO_[A-Z_]+[A-Z]\b", text)) - {"PANDO_IMAGE"}
            self.assertGreater(len(used), 3)
            self.assertEqual(used - known, set(), file)

    def test_flags_of_the_configuration_file_exist(self):
        known = set().union(*map(documented_flags,
                                 ("Who and where", "TLS", "Limits", "Who may do what",
                                  "Logs")))
        text = (ROOT / "deploy/systemd/pandod.conf").read_text()
        used = set(re.findall(r"^(?:# )?([a-z-]+) = ", text, re.M))  # what is proposed, too
        self.assertGreater(len(used), 10)
        self.assertEqual(used - known, set())


if __name__ == "__main__":
    unittest.main()
