"""The three systems that are compared: servers on loopback, with their fsync on.

Each has pids(), endpoints(protocol) with the leader's first, and ends with close().
"""

import json
import pathlib
import shutil
import subprocess
import sys
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests" / "compat"), str(ROOT / "tests" / "e2e")]
import harness  # noqa: E402
import servers  # noqa: E402

from . import plan  # noqa: E402

START_S = 60


class Pando:
    name = "Pando"

    def __init__(self, folder, count=plan.SERVERS):
        self.ensemble = harness.Ensemble(folder, count=count).start()

    def pids(self):
        return [server.process.pid for server in self.ensemble.servers.values()]

    def endpoints(self, protocol):
        leader = self.ensemble.leader()
        ordered = sorted(self.ensemble.servers.values(), key=lambda server: server is not leader)
        port = 3 if protocol == "zookeeper" else 0
        return [f"127.0.0.1:{server.ports[port]}" for server in ordered]

    def close(self):
        self.ensemble.close()

    @staticmethod
    def version():
        commit = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"],
                                capture_output=True, text=True, check=True).stdout.strip()
        return f"Pando at {commit}"


class ZooKeeper(servers.ZooKeeper):
    name = "ZooKeeper"
    PROPERTIES = {**servers.ZooKeeper.PROPERTIES, "zookeeper.forceSync": "yes"}

    def __init__(self, folder, count=plan.SERVERS):
        super().__init__(folder, count=count)
        self.start()

    def endpoints(self, _):
        def follows(address):
            return "Mode: follower" in servers.four_letters(address, "srvr")

        return sorted(self.addresses, key=follows)

    def pids(self):
        return [process.pid for process in self.processes.values()]

    @staticmethod
    def version():
        jar = next(servers.zookeeper_jars().glob("zookeeper-[0-9]*.jar"))
        java = subprocess.run(["java", "-version"], capture_output=True, text=True, check=True)
        return f"ZooKeeper {jar.stem.split('-')[1]} on {java.stderr.splitlines()[0]}, -Xmx1g"


class Etcd:
    name = "etcd"
    PROGRAM = shutil.which("etcd") or str(ROOT / "build" / "tools" / "etcd")

    def __init__(self, folder, count=plan.SERVERS):
        servers.need(self.PROGRAM, "etcd-server")
        folder = pathlib.Path(folder)
        ports = harness.free_ports(2 * count)
        self.addresses = [f"127.0.0.1:{port}" for port in ports[:count]]
        peers = [f"http://127.0.0.1:{port}" for port in ports[count:]]
        cluster = ",".join(f"e{i}={peer}" for i, peer in enumerate(peers))
        self.processes = []
        for i, (address, peer) in enumerate(zip(self.addresses, peers)):
            with open(folder / f"etcd-{i}.log", "ab") as log:
                self.processes.append(subprocess.Popen(
                    [self.PROGRAM, "--name", f"e{i}", "--data-dir", str(folder / f"etcd-{i}"),
                     "--listen-client-urls", f"http://{address}", "--advertise-client-urls",
                     f"http://{address}", "--listen-peer-urls", peer,
                     "--initial-advertise-peer-urls", peer, "--initial-cluster", cluster,
                     "--quota-backend-bytes", str(8 << 30), "--log-level", "error"],
                    stdout=log, stderr=log))
        for address in self.addresses:
            harness.wait_until(lambda: self.leads(address) is not None, START_S, address)

    @staticmethod
    def leads(address):
        """Whether the server there is the leader; None: it does not serve yet."""
        request = urllib.request.Request(f"http://{address}/v3/maintenance/status", data=b"{}")
        try:
            with urllib.request.urlopen(request, timeout=5) as response:
                status = json.load(response)
        except OSError:
            return None
        if not status.get("leader"):
            return None
        return status["leader"] == status["header"]["member_id"]

    def endpoints(self, _):
        return sorted(self.addresses, key=lambda address: not self.leads(address))

    def pids(self):
        return [process.pid for process in self.processes]

    def close(self):
        for process in self.processes:
            process.kill()
            process.wait()

    @staticmethod
    def version():
        done = subprocess.run([Etcd.PROGRAM, "--version"], capture_output=True, text=True,
                              check=True)
        return "etcd " + done.stdout.split("Version: ")[1].splitlines()[0]
