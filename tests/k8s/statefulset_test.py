"""The chart's life, with the real pandod and pando, the rendered objects and their own scripts and
probes, on a stand-in for Kubernetes: install, scale 3 to 5 to 3, roll, kill, another address, a
lost volume, all under load. No acknowledged write is lost.
"""

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

    def __init__(self, sandbox, endpoint):
        self.volumes, self.processes = [], []
        for writer in range(WRITERS):
            namespace, _ = sandbox.add_host()
            volume = sandbox.volume(f"writer-{writer}")
            self.volumes.append(volume)
            self.processes.append(sandbox.start(
                namespace, volume, ["sh", "-uc", WRITER],
                {"WRITER": f"w{writer}", "PANDO_ENDPOINTS": endpoint}))

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
    def setUp(self):
        if os.geteuid() != 0:
            self.fail("network namespaces need root")
        self.sandbox = Sandbox(BIN)
        self.addCleanup(self.sandbox.close)
        self.cluster = Cluster(self.sandbox, render)
        self.addCleanup(self.cluster.close)

    def say(self, what):
        print(f"{time.monotonic() - self.started:6.1f} s  {what}", file=sys.stderr, flush=True)

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
        status, output = self.cluster.upgrade(values)
        self.assertEqual(status, 0, output)

    def restarts(self):
        return {name: pod.restarts for name, pod in self.cluster.pods.items()}

    def voters(self, count):
        return dict.fromkeys(range(1, count + 1), "VOTER")

    def test_nothing_that_was_acknowledged_is_lost(self):
        self.started = time.monotonic()
        self.install()
        load = Load(self.sandbox, "pando.pando.svc.cluster.local:7400")
        self.addCleanup(load.close)
        for step in (self.scale_up, self.kill, self.move, self.roll, self.keep_the_majority,
                     self.scale_down, self.lose_a_volume):
            load.wait_for_more()
            step()
            self.say(step.__name__.replace("_", " "))
        load.wait_for_more()
        acknowledged = load.stop()
        there = set(self.pando("-o", "raw", "ls", "/load").split())
        self.say(f"{len(acknowledged)} writes were acknowledged")
        self.assertGreater(len(acknowledged), 100)
        self.assertEqual([name for name in acknowledged if name not in there], [])

    def install(self):
        status, output = self.cluster.install({})
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
        status, output = self.cluster.upgrade({"replicas": 3})
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


if __name__ == "__main__":
    unittest.main()
