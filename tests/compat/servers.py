"""The servers that compatibility is tested with: real ZooKeepers, and ensembles of Pando.

Both kinds have `addresses` for ZooKeeper clients, `http_ports` of these, start() and kill(address),
and end with close().
"""

import pathlib
import shutil
import socket
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

import harness  # noqa: E402  (it lies there)

ROOT = harness.ROOT
BUILD = ROOT / "build" / "compat"
START_S = 60

# Password "test" for user "super", as kazoo's tests have it.
SUPER_DIGEST = "super:D/InIHSb7yEEbrWz8b9l71RjZJU="


def need(program, package):
    if not shutil.which(program):
        sys.exit(f"{program} is missing: apt-get install {package}")


def zookeeper_jars():
    """The folder with ZooKeeper's jars; from Maven Central the first time."""
    pom = HERE / "zookeeper" / "pom.xml"
    folder = BUILD / "zookeeper"
    copy = folder / "pom.xml"  # written last: it says that all are there, and of which versions
    if copy.exists() and copy.read_text() == pom.read_text():
        return folder
    need("java", "default-jre-headless")
    need("mvn", "maven")
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run(["mvn", "-q", "-B", "-f", str(pom), "dependency:copy-dependencies",
                    f"-DoutputDirectory={folder}"], check=True)
    shutil.copy(pom, copy)
    return folder


def four_letters(address, word):
    """What the server says to a four-letter word; "" when nothing answers."""
    host, port = address.rsplit(":", 1)
    try:
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            connection.sendall(word.encode())
            return b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    except OSError:
        return ""


class ZooKeeper:
    """`count` real ZooKeepers; one stands alone. With `admin` each has its AdminServer. The last of
    them do not vote, if there are `observers`."""

    CONFIG = """\
tickTime=2000
initLimit=10
syncLimit=5
dataDir={data}
clientPort={port}
maxClientCnxns=0
admin.enableServer={admin}
admin.serverAddress=127.0.0.1
admin.serverPort={http}
4lw.commands.whitelist=*
reconfigEnabled=true
minSessionTimeout={minimum}
maxSessionTimeout={maximum}
"""
    PROPERTIES = {
        "zookeeper.extendedTypesEnabled": "true",
        "zookeeper.DigestAuthenticationProvider.superDigest": SUPER_DIGEST,
        # Nothing here survives the test, and a test waits for no disk.
        "zookeeper.forceSync": "no",
        # When a container goes is not for a comparison to wait for.
        "znode.container.checkIntervalMs": "100000000",
        "org.slf4j.simpleLogger.defaultLogLevel": "warn",
    }

    def __init__(self, folder, count=1, timeouts_ms=(4_000, 40_000), admin=False, observers=0):
        self.folder = pathlib.Path(folder)
        ports = harness.free_ports(4 * count)
        self.addresses = [f"127.0.0.1:{port}" for port in ports[:count]]
        self.http_ports = dict(zip(self.addresses, ports[3 * count:]))
        self.processes = {}
        votes = count - observers
        members = [f"server.{i}=127.0.0.1:{ports[count + i - 1]}:{ports[2 * count + i - 1]}" +
                   ("" if i <= votes else ":observer") for i in range(1, count + 1)]
        for i, address in enumerate(self.addresses, 1):
            data = self.folder / f"data-{i}"
            data.mkdir(parents=True)
            (data / "myid").write_text(str(i))
            config = self.CONFIG.format(data=data, port=address.rsplit(":", 1)[1],
                                        admin=str(admin).lower(), http=self.http_ports[address],
                                        minimum=timeouts_ms[0], maximum=timeouts_ms[1])
            if count > 1:
                config += "\n".join(members) + "\n"
            if i > votes:
                config += "peerType=observer\n"
            (self.folder / f"zoo-{i}.cfg").write_text(config)

    def start(self):
        """Starts whatever does not run, and waits until all serve."""
        jars = zookeeper_jars()
        options = [f"-D{name}={value}" for name, value in self.PROPERTIES.items()]
        for i, address in enumerate(self.addresses, 1):
            if address in self.processes:
                continue
            with open(self.folder / f"zookeeper-{i}.log", "ab") as log:
                self.processes[address] = subprocess.Popen(
                    ["java", "-Xmx1g", *options, "-cp", f"{jars}/*",
                     "org.apache.zookeeper.server.quorum.QuorumPeerMain",
                     str(self.folder / f"zoo-{i}.cfg")], stdout=log, stderr=log)
        for address in self.addresses:
            harness.wait_until(lambda: "Mode:" in four_letters(address, "srvr"), START_S, address)
        return self

    def kill(self, address):
        process = self.processes.pop(address)
        process.kill()
        process.wait()

    def close(self):
        for address in list(self.processes):
            self.kill(address)


class Pando:
    """An ensemble of Pando, as its ZooKeeper clients see it; the last of its servers are learners,
    if there are `observers`."""

    def __init__(self, folder, *flags, count=3, observers=0):
        pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
        self.ensemble = harness.Ensemble(folder, *flags, count=count - observers)
        peers = ",".join(f"127.0.0.1:{one.ports[1]}" for one in self.ensemble.servers.values())
        for i in range(count - observers + 1, count + 1):
            self.ensemble.servers[i] = self.ensemble.make(i, f"--join={peers}")
        self.servers = {f"127.0.0.1:{server.ports[3]}": server
                        for server in self.ensemble.servers.values()}
        self.addresses = list(self.servers)
        self.http_ports = {address: server.ports[2] for address, server in self.servers.items()}

    def start(self):
        """Starts whatever does not run, and waits until all serve."""
        for server in self.servers.values():
            if server.process is None:
                server.spawn()
        for address, server in self.servers.items():
            server.wait_ready()
            harness.wait_until(lambda: "Mode:" in four_letters(address, "srvr"), START_S, address)
        return self

    def kill(self, address):
        self.servers[address].kill()

    def close(self):
        self.ensemble.close()
