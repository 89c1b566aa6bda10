"""What is measured: who is compared, under which loads, for how long."""

from typing import NamedTuple

SERVERS = 3
NODES = 10_000
DATA_BYTES = 100


class Contender(NamedTuple):
    name: str
    system: str    # whose servers
    protocol: str  # of `pando bench`


CONTENDERS = (
    Contender("Pando, Pipeline", "Pando", "pipeline"),
    Contender("Pando, unary", "Pando", "unary"),
    Contender("Pando, ZooKeeper port", "Pando", "zookeeper"),
    Contender("ZooKeeper", "ZooKeeper", "zookeeper"),
    Contender("etcd", "etcd", "etcd"),
)
# What ratios are to.
BASELINE = "ZooKeeper"
ALL = ("pipeline", "unary", "zookeeper", "etcd")
GRPC = ("pipeline", "unary", "etcd")


class Times(NamedTuple):
    warmup: str
    duration: str


QUICK = Times("300ms", "600ms")
FULL = Times("1s", "4s")
GROWTH = Times("1s", "3s")
# Sets before anything is measured: the JVM compiles what it runs often.
START = "10s"


class Measurement(NamedTuple):
    name: str
    workload: str
    connections: int
    outstanding: int
    flags: tuple = ()
    protocols: tuple = ALL
    skip: int = 0  # so many of the endpoints, of which the first is the leader's
    plot: str = ""  # the plot on which it is a point
    servers: int = SERVERS

    def flags_for(self, contender, times):
        return ("--protocol", contender.protocol, *self.load_flags(), "--warmup", times.warmup,
                "--duration", times.duration)

    def load_flags(self):
        """What they say of the load; the same for all."""
        return ("--connections", self.connections, "--outstanding", self.outstanding,
                *(() if self.workload in ("create", "session", "lock", "watch")
                  else ("--nodes", NODES, "--prepared")), *self.flags)


def prepare_flags(contender):
    """Of a set that makes all nodes first."""
    return ("--protocol", contender.protocol, "--nodes", NODES, "--data-bytes", DATA_BYTES,
            "--connections", 30, "--warmup", 0, "--duration", START)


def sweep(workload):
    """The points of a plot, from a load that is idle to one that is all it takes."""
    return tuple(Measurement(f"{workload}, 30 x {outstanding}", workload, 30, outstanding,
                             plot=workload)
                 for outstanding in (1, 4, 16, 64))


MEASUREMENTS = (
    *sweep("set"),
    Measurement("set, 4 x 128", "set", 4, 128),
    *sweep("get"),
    Measurement("get, linearizable, 30 x 16", "get", 30, 16, ("--linearizable",), protocols=GRPC),
    Measurement("mixed, 30 x 16", "mixed", 30, 16),
    Measurement("create, 30 x 16", "create", 30, 16),
    Measurement("list of 100 names, 30 x 4", "list", 30, 4),
    Measurement("multi of 10 sets, 30 x 4", "multi", 30, 4),
    Measurement("session with an ephemeral node, 30 x 1", "session", 30, 1),
    Measurement("lock, 10 contenders", "lock", 10, 1),
    Measurement("watch, 1,000 connections", "watch", 1_000, 1),
    Measurement("watch, 1,000 connections, 50 sets/s", "watch", 1_000, 1, ("--rate", 50)),
    Measurement("watch, 1 connection, 50 sets/s", "watch", 1, 1, ("--rate", 50)),
    Measurement("watch, 1,000 watches on 20 connections", "watch", 20, 1, ("--watches", 1_000),
                protocols=GRPC),
    Measurement("set, one client at the leader", "set", 1, 1),
    Measurement("set, one client at a follower", "set", 1, 1, skip=1),
    Measurement("get, one client", "get", 1, 1),
    Measurement("one server alone: set, 30 x 16", "set", 30, 16, servers=1),
    Measurement("one server alone: set, one client", "set", 1, 1, servers=1),
)
