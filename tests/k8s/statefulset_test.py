"""The chart's life, with the real pandod and pando, the rendered objects and their own scripts and
probes, on a stand-in for Kubernetes: install, scale 3 to 5 to 3, roll, kill, another address, a
lost volume, all under load. No acknowledged write is lost. Then the same, shorter, with TLS and
administrators.
"""

import base64
import hashlib
import os
import pathlib
import subprocess
import sys
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TOOLS = ROOT / "build/tools"
BIN = pathlib.Path(os.environ.get("PANDO_BIN", ROOT / "build" / "release" / "bin"))
sys.path.insert(0, str(TOOLS / "python"))

import yaml  # noqa: E402  (it lies among the tools)

from cluster import Cluster, wait_until  # noqa: E402
from sandbox import Sandbox  # noqa: E402

WRITERS = 2
# Makes one node after the other until told to stop, and writes down which were acknowledged.
WRITER = """
i=0
while [ ! -e /var/lib/pando/stop ]; do
  i=$((i + 1))
  if pando --timeout 20s create "/load/$WRITER-$i" "$i" >/dev/null 2>>/var/lib/pando/errors; then
    echo "$WRITER-$i" >> /var/lib/pando/acknowledged
  fi
done
"""


def render(values):
    words = [TOOLS / "helm", "template", "pando", ROOT / "helm/pando", "--namespace", "pando"]
    for name, value in values.items():
        words += ["--set", f"{name}={value}"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return [document for document in yaml.safe_load_all(done.stdout) if document]


class Load:
    """Clients that write all the time, each from a host of its own, through the client Service."""

    def __init__(self, sandbox, environment, files):
        self.volumes, self.processes = [], []
        for writer in range(WRITERS):
            namespace, _ = sandbox.add_host()
            volume = sandbox.volume(f"writer-{writer}")
            self.volumes.append(volume)
            self.processes.append(sandbox.start(
                namespace, volume, ["sh", "-uc", WRITER], {"WRITER": f"w{writer}", **environment},
                files))

    def acknowledged(self):
        files = [volume / "acknowledged" for volume in self.volumes]
        return [line for file in files if file.exists() for line in file.read_text().split()]

    def wait_for_more(self, count=5):
        """Writes still get through."""
        had = len(self.acknowledged())
        wait_until(lambda: len(self.acknowledged()) >= had + count, 60, "acknowledged writes")

    def stop(self):
        for volume in self.volumes:
            (volume / "stop").touch()
        for process in self.processes:
            process.wait(60)
        return self.acknowledged()

    def close(self):
        for process in self.processes:
            process.kill()
            process.wait()


class LifeOfAChart(unittest.TestCase):
    VALUES = {}
    STEPS = ("scale_up", "kill", "move", "roll", "keep_the_majority", "scale_down", "lose_a_volume")
    # Of the clients.
    ENVIRONMENT = {"PANDO_ENDPOINTS": "pando.pando.svc.cluster.local:7400"}

    def setUp(self):
        if os.geteuid() != 0:
            self.fail("network namespaces need root")
        self.sandbox = Sandbox(BIN)
        self.addCleanup(self.sandbox.close)
        self.cluster = Cluster(self.sandbox, render)
        self.addCleanup(self.cluster.close)

    def say(self, what):
        print(f"{type(self).__name__} {time.monotonic() - self.started:6.1f} s  {what}",
              file=sys.stderr, flush=True)

    def pando(self, *words, pod="pando-1"):
        status, output, errors = self.cluster.pods[pod].execute("pando", *words)
        self.assertEqual(status, 0, errors)
        return output

    def members(self):
        """{id: role}, as the ensemble has it."""
        rows = self.pando("-o", "raw", "member", "ls").splitlines()
        return {int(row.split("\t")[0]): row.split("\t")[1] for row in rows}

    def leader(self):
        """The pod of the leader."""
        rows = [row.split("\t") for row in self.pando("-o", "raw", "status").splitlines()]
        return f"pando-{next(row[0] for row in rows if row[1] == 'LEADER')}"

    def upgrade(self, **values):
        status, output = self.try_upgrade(**values)
        self.assertEqual(status, 0, output)

    def try_upgrade(self, **values):
        return self.cluster.upgrade({**self.VALUES, **values})

    def client_files(self):
        """What clients find below /etc."""
        return {}

    def restarts(self):
        return {name: pod.restarts for name, pod in self.cluster.pods.items()}

    def voters(self, count):
        return dict.fromkeys(range(1, count + 1), "VOTER")

    def test_nothing_that_was_acknowledged_is_lost(self):
        self.started = time.monotonic()
        self.install()
        load = Load(self.sandbox, self.ENVIRONMENT, self.client_files())
        self.addCleanup(load.close)
        for step in self.STEPS:
            load.wait_for_more()
            getattr(self, step)()
            self.say(step.replace("_", " "))
        load.wait_for_more()
        acknowledged = load.stop()
        there = set(self.pando("-o", "raw", "ls", "/load").split())
        self.say(f"{len(acknowledged)} writes were acknowledged")
        self.assertGreater(len(acknowledged), 100)
        self.assertEqual([name for name in acknowledged if name not in there], [])

    def install(self):
        status, output = self.cluster.install(self.VALUES)
        self.assertEqual(status, 0, output)
        self.cluster.wait_ready()
        self.assertEqual(self.members(), self.voters(3))
        self.assertEqual(set(self.restarts().values()), {0})
        status, output = self.cluster.run_hooks("test")
        self.assertEqual(status, 0, output)
        self.pando("--timeout", "60s", "create", "/load")
        self.say("install")

    def scale_up(self):
        before = self.restarts()
        self.upgrade(replicas=5)
        self.assertEqual(self.members(), self.voters(5))
        self.assertEqual({name: self.restarts()[name] for name in before}, before)

    def kill(self):
        name = self.leader()
        pod = self.cluster.pods[name]
        pod.process.kill()
        wait_until(lambda: pod.restarts == 1, 30, "a restart")
        self.cluster.wait_ready(name)
        self.assertEqual(self.members(), self.voters(5))

    def move(self):
        """A pod comes back with another address, and is found by its name."""
        name = next(n for n in sorted(self.cluster.pods) if n not in ("pando-1", self.leader()))
        old, new = self.cluster.replace_pod(name)
        self.assertEqual(old.exit_status, 0, old.log())
        self.assertNotEqual(old.address, new.address)
        self.cluster.wait_ready(name)
        self.assertEqual(self.members(), self.voters(5))

    def roll(self):
        """A leader hands over before it stops: no pod is ever stopped as leader."""
        leader = self.leader()
        for old in self.cluster.roll():
            self.assertEqual(old.exit_status, 0, old.log())
            status, output, errors = old.pre_stop
            self.assertEqual(status, 0, errors)
            if old.name == leader:
                self.assertRegex(output, "server [0-9]+ leads")
        self.assertEqual(self.members(), self.voters(5))

    def keep_the_majority(self):
        """Two of the three that would stay are away: the five go on, and the three would not."""
        away = [self.cluster.pods[name] for name in ("pando-2", "pando-3")]
        for pod in away:
            pod.hold_back()
        wait_until(lambda: not any(pod.ready for pod in away), 30, "their end")
        wait_until(lambda: self.cluster.pods["pando-1"].execute("pando", "status")[0] == 0, 30,
                   "a leader")
        status, output = self.try_upgrade(replicas=3)
        self.assertEqual(status, 1, output)
        self.assertIn("only 1 vote and answer, and a majority is 2", output)
        for pod in away:
            pod.let_run()
        self.cluster.wait_ready()
        self.assertEqual(self.members(), self.voters(5))

    def scale_down(self):
        before = self.restarts()
        self.upgrade(replicas=3)
        self.assertEqual(self.members(), self.voters(3))
        self.assertEqual(self.restarts(), {name: before[name] for name in self.restarts()})
        self.assertEqual(len(self.cluster.pods), 3)
        self.assertEqual(len(self.cluster.volumes), 3)

    def lose_a_volume(self):
        """The server that had the id has to be removed; then its pod joins by itself."""
        pod = self.cluster.lose_volume("pando-3")
        wait_until(lambda: "WRONG_STORAGE" in pod.log(10**6), 60, "a refusal")
        self.assertFalse(pod.ready)
        self.assertEqual(self.members(), self.voters(3))
        self.pando("member", "rm", "3")
        self.upgrade(replicas=3)
        self.cluster.wait_ready()
        self.assertEqual(self.members(), self.voters(3))


class LifeBehindTls(LifeOfAChart):
    """With the certificates that the chart makes, and administrators: the chart's jobs, probes and
    preStop get in and may do what they have to, and others may not."""

    VALUES = {"tls.enabled": "true", "admin.existingSecret": "operators",
              "auditLog.enabled": "true"}
    STEPS = ("keep_others_out", "scale_up", "move", "roll", "scale_down")
    ENVIRONMENT = {**LifeOfAChart.ENVIRONMENT, "PANDO_TLS_CA": "/etc/client/ca.crt",
                   "PANDO_TLS_CERT": "/etc/client/tls.crt", "PANDO_TLS_KEY": "/etc/client/tls.key"}

    def setUp(self):
        super().setUp()
        digest = base64.b64encode(hashlib.sha1(b"root:password").digest())
        self.cluster.secrets["operators"] = {"super-digest": b"root:" + digest,
                                             "credentials": b"digest:root:password\n"}

    def client_files(self):
        return {f"/etc/client/{name}": content
                for name, content in self.cluster.secrets["pando-tls-client"].items()}

    def keep_others_out(self):
        def asks(environment, *words):
            namespace, _ = self.sandbox.add_host()
            process = self.sandbox.start(
                namespace, self.sandbox.volume(namespace), ["pando", *words], environment,
                self.client_files(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            output, _ = process.communicate(timeout=60)
            return process.returncode, output

        self.assertEqual(asks(self.ENVIRONMENT, "ls", "/")[0], 0)
        status, output = asks(self.ENVIRONMENT, "member", "rm", "3")
        self.assertNotEqual(status, 0)
        self.assertIn("this is for administrators", output)
        logs = "".join(pod.log(10**6) for pod in self.cluster.pods.values())
        self.assertIn('"event":"denied","method":"ClusterService/RemoveMember"', logs)
        self.assertIn('"event":"administration"', logs)
        for missing in ("PANDO_TLS_CA", "PANDO_TLS_CERT"):
            poorer = {name: value for name, value in self.ENVIRONMENT.items()
                      if name != missing and (missing, name) != ("PANDO_TLS_CERT", "PANDO_TLS_KEY")}
            status, output = asks({**poorer, "PANDO_TIMEOUT": "5s"}, "ls", "/")
            self.assertNotEqual(status, 0, f"without {missing}: {output}")


if __name__ == "__main__":
    unittest.main()
