"""Mover: `pando import zookeeper` or `pando export zookeeper` as a process that follows."""

import json
import signal
import subprocess
import time

from servers import harness

PASSWORD = "digest:super:test"  # of servers.SUPER_DIGEST
TOP = "/app"


class Mover:
    """`verb` between ZooKeepers at the addresses and a server of Pando, of all below TOP."""

    def __init__(self, verb, addresses, pando, *words):
        self.verb = verb
        self.process = subprocess.Popen(
            [harness.PANDO, verb, "zookeeper", ",".join(addresses), TOP, "-o", "json",
             "--zookeeper-auth", PASSWORD, *words],
            env=pando.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        self.said = harness.Lines(self.process.stderr)

    def wait_said(self, words):
        while words not in (line := self.said.next(120)):
            if not line:
                raise AssertionError(f"the {self.verb} ended without {words}")
            print(line, end="")
        print(line, end="")

    def stop(self):
        """Its summary, once both sides are the same."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        summary = json.loads(self.process.stdout.read())
        self.wait_said("verified")
        assert self.process.wait(60) == 0
        print(f"stopped and verified in {time.monotonic() - began:.1f} s: {summary}")
        return summary

    def close(self):
        self.process.kill()
        self.process.wait()
