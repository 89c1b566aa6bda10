"""A large tree, in Pando and in ZooKeeper: what it takes, and what it costs to restart and to
snapshot. And the part of the page about it."""

import datetime
import statistics
import time

from . import ensembles, page, plan

harness = ensembles.harness

BEGIN = "<!-- scripts/bench-large-tree writes from here -->"
# Of the paced sets.
RATE = 1_000
SETTLE_S = 5
START_S = 120
FILL = ("--connections", 30, "--outstanding", 16, "--data-bytes", plan.DATA_BYTES, "--warmup", 0,
        "--duration", "1h", "--timeout", "60s")


class Pando(ensembles.Pando):
    """Snapshots come one after the other when it is told so."""

    def restart_all(self, *flags):
        for server in self.ensemble.servers.values():
            server.stop()
        for server in self.ensemble.servers.values():
            server.spawn(*flags)
        for server in self.ensemble.servers.values():
            server.wait_ready(START_S)

    def take_snapshots(self):
        self.restart_all("--snapshot-interval=1s")

    def snapshots(self):
        return sum(server.metrics()["pando_store_snapshots_total"]
                   for server in self.ensemble.servers.values())

    def stop_follower(self):
        """Returns what starts it again, and waits until it serves."""
        server = self.ensemble.followers()[0]
        server.stop()

        def start():
            server.spawn()
            server.wait_ready(START_S)

        return start


class ZooKeeper(ensembles.ZooKeeper):
    """It counts writes between snapshots: so many as come in two to four seconds."""

    def stop(self, address):
        process = self.processes.pop(address)
        process.terminate()
        process.wait()

    def take_snapshots(self):
        self.PROPERTIES = {**self.PROPERTIES, "zookeeper.snapCount": str(4 * RATE)}
        for address in self.addresses:
            self.stop(address)
        self.start()

    def snapshots(self):
        return sum(len(list(self.folder.glob(f"data-{i}/version-2/snapshot.*")))
                   for i in range(1, len(self.addresses) + 1))

    def stop_follower(self):
        self.stop(self.endpoints("zookeeper")[-1])
        return self.start


SYSTEMS = (Pando, ZooKeeper)


def paced_sets(system, nodes, duration):
    return harness.bench(",".join(system.endpoints("zookeeper")), "set", "--protocol", "zookeeper",
                         "--connections", 30, "--prepared", "--nodes", nodes, "--rate", RATE,
                         "--duration", duration)


def play(system, nodes, duration):
    """{what: value} of one system, whose servers are new."""
    pids = [word for pid in system.pids() for word in ("--server-pid", pid)]
    filled = harness.bench(",".join(system.endpoints("zookeeper")), "create", "--protocol",
                           "zookeeper", "--root", "/bench", "--nodes", nodes, *FILL, *pids)
    yield f"create all {nodes:,} nodes, /s", filled["operations_per_second"]
    time.sleep(SETTLE_S)
    servers = len(system.pids())
    resident = sum(harness.resident_bytes(pid) for pid in system.pids())
    yield "resident memory of a server, MiB", resident / servers / (1 << 20)
    yield "of that for a node, B", resident / servers / nodes
    start = system.stop_follower()
    began = time.monotonic()
    start()
    yield "restart of a follower until it serves, s", time.monotonic() - began
    quiet = paced_sets(system, nodes, duration)
    for share in ("p50", "p99", "p999"):
        yield f"{share} of {RATE:,} sets a second, ms", quiet[f"operation_{share}_ms"]
    system.take_snapshots()
    before = system.snapshots()
    busy = paced_sets(system, nodes, duration)
    for share in ("p50", "p99", "p999"):
        yield f"{share} while snapshots are taken, ms", busy[f"operation_{share}_ms"]
    yield "snapshots taken meanwhile, by all servers", system.snapshots() - before


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def table(results):
    """`results`: {system: {what: [value…]}}."""
    pando, zookeeper = results["Pando"], results["ZooKeeper"]
    rows = ["| what | Pando | ZooKeeper | Pando's share |", "|---|---|---|---|"]
    for what, own in pando.items():
        shown = [f"{number(statistics.median(values))} [{number(min(values))} to "
                 f"{number(max(values))}]" for values in (own, zookeeper[what])]
        base = statistics.median(zookeeper[what])
        share = f"{statistics.median(own) / base:.2f}" if base else ""
        rows.append(f"| {what} | {shown[0]} | {shown[1]} | {share} |")
    return "\n".join(rows)


def text(results, nodes, duration, command):
    versions = "; ".join(kind.version() for kind in SYSTEMS)
    return f"""<!-- not run: it measures for minutes -->
```sh
{command}
```

On {datetime.date.today()}: {versions}; three servers each, {nodes:,} nodes of {plan.DATA_BYTES}
bytes, made and set over ZooKeeper's protocol, on the machine of above. Medians, in brackets the
lowest and the highest. The sets come at their rate whatever the servers do, for {duration};
snapshots are made frequent by `--snapshot-interval=1s` and by `zookeeper.snapCount={4 * RATE}`.

{table(results)}
"""


def write(results, nodes, duration, command):
    page.replace(BEGIN, text(results, nodes, duration, command))
