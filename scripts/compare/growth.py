"""What is measured as things grow, one after the other; and the part of the page about it."""

import datetime
from typing import Callable, NamedTuple

from . import ensembles, page, plan, plot

BEGIN = "<!-- scripts/bench-growth writes from here -->"
PROTOCOLS = {"pipeline": "Pipeline", "zookeeper": "ZooKeeper port"}
OUTSTANDING = ("--connections", 30, "--outstanding", 16)
# To tell so many of one set takes longer than a quick run.
SLOW_WATCHES = 100_000
# A gRPC connection takes tens of KiB of each of the two that it joins.
CONNECTIONS_MAX = {"pipeline": 1_000, "zookeeper": 10_000}


class Point(NamedTuple):
    size: int
    workload: str
    flags: tuple
    nodes: int = plan.NODES
    servers: int = plan.SERVERS
    slow: bool = False  # not for a quick run


class Sweep(NamedTuple):
    name: str  # of the plot's file
    grows: str
    point: Callable[[int, str, str], Point | None]  # of a size, a workload, a protocol
    sizes: tuple
    workloads: tuple = ("get", "set")
    field: str = "operations_per_second"
    unit: str = "operations a second"

    def points(self, protocol, largest, quick=False):
        """Those of `protocol`, the smallest first."""
        points = [self.point(size, workload, protocol)
                  for size in self.sizes for workload in self.workloads]
        return [point for point in points
                if point and point.nodes <= largest and not (quick and point.slow)]


def with_connections(size, workload, protocol):
    if size > CONNECTIONS_MAX[protocol]:
        return None
    return Point(size, workload, ("--connections", size, "--outstanding", 1))


def with_watches(size, workload, protocol):
    connections = min(size, CONNECTIONS_MAX[protocol])
    # A connection of ZooKeeper watches a node once.
    if protocol == "zookeeper" and size > connections:
        return None
    return Point(size, workload, ("--connections", connections, "--watches", size),
                 slow=size >= SLOW_WATCHES)


SWEEPS = (
    Sweep("nodes", "nodes",
          lambda size, workload, _: Point(size, workload, OUTSTANDING, nodes=size),
          (10_000, 100_000, 1_000_000, 10_000_000)),
    Sweep("servers", "servers",
          lambda size, workload, _: Point(size, workload, OUTSTANDING, servers=size),
          (1, 3, 5)),
    Sweep("connections", "connections, with one operation under way on each", with_connections,
          (10, 100, 1_000, 10_000)),
    Sweep("watches", "watches of one node", with_watches,
          (1, 10, 100, 1_000, 10_000, 100_000), ("watch",), "events_per_second",
          "events a second"),
)


def table(results):
    rows = ["| what grows | to | who | load | operations/s | p50, ms | p99, ms | events/s | "
            "event p99, ms | CPU of the servers, us | memory, MiB |", "|---" * 11 + "|"]
    for result in results:
        report = result["report"]
        cells = [page.cell([report[column.field] / column.scale] if column.field in report else [],
                           column.digits)
                 for column in page.COLUMNS
                 if column.field not in ("event_p50_ms", "client_cpu_us_per_operation")]
        rows.append(f"| {result['sweep']} | {result['size']:,} | "
                    f"{PROTOCOLS[result['protocol']]} | {result['workload']} | "
                    + " | ".join(cells) + " |")
    return "\n".join(rows)


def plots(results):
    """{name: SVG}."""
    made = {}
    for sweep in SWEEPS:
        lines = {}
        for result in results:
            if result["sweep"] == sweep.name and result["report"].get(sweep.field):
                name = f"{result['workload']}, {PROTOCOLS[result['protocol']]}"
                lines.setdefault(name, []).append((result["size"], result["report"][sweep.field]))
        if lines:
            made[sweep.name] = plot.line_plot(f"{sweep.unit}, by {sweep.grows}", sweep.grows,
                                              sweep.unit, lines)
    return made


def text(results, times, command):
    images = "\n\n".join(f"![by the number of {name}](plots/growth-{name}.svg)"
                         for name in plots(results))
    return f"""<!-- not run: it measures for minutes -->
```sh
{command}
```

On {datetime.date.today()}: {ensembles.Pando.version()}, on the machine of above, which servers
and load share. {plan.SERVERS} servers, {plan.NODES:,} nodes of {plan.DATA_BYTES} bytes,
30 connections with 16 operations under way on each, but for what grows. Every point is one run of
{times.duration} after {times.warmup} on new servers: a neighbour's noise shows as a dent. Memory is
that of all servers together.

{images}

{table(results)}
"""


def write(results, times, command):
    page.write_plots({f"growth-{name}": svg for name, svg in plots(results).items()})
    page.replace(BEGIN, text(results, times, command))
