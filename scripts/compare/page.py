"""The page of the comparison: its part of docs/benchmarks.md, and the plots beside it."""

import datetime
import os
import pathlib
import platform
import statistics
from typing import NamedTuple

from . import ensembles, plan, plot

DOCS = ensembles.ROOT / "docs"
PAGE = DOCS / "benchmarks.md"
BEGIN = "<!-- scripts/bench-compare writes from here -->"
END = "<!-- to here -->"


class Column(NamedTuple):
    heading: str
    field: str  # of the report
    digits: int
    scale: int = 1  # what the report counts in


COLUMNS = (
    Column("operations/s", "operations_per_second", 0),
    Column("p50, ms", "operation_p50_ms", 2),
    Column("p99, ms", "operation_p99_ms", 2),
    Column("events/s", "events_per_second", 0),
    Column("event p50, ms", "event_p50_ms", 2),
    Column("event p99, ms", "event_p99_ms", 2),
    Column("CPU of the servers, us", "servers_cpu_us_per_operation", 1),
    Column("of the load, us", "client_cpu_us_per_operation", 1),
    Column("memory, MiB", "servers_resident_bytes", 0, 1 << 20),
)


def values(results, measurement, contender, field):
    return [result["report"][field] for result in results
            if result["measurement"] == measurement and result["contender"] == contender
            and field in result["report"]]


def median(results, measurement, contender, field):
    found = values(results, measurement, contender, field)
    return statistics.median(found) if found else None


def cell(found, digits):
    if not found:
        return ""
    middle = f"{statistics.median(found):,.{digits}f}"
    if len(found) == 1:
        return middle
    return f"{middle} [{min(found):,.{digits}f} to {max(found):,.{digits}f}]"


def ratio(results, measurement, contender):
    base = median(results, measurement, plan.BASELINE, "operations_per_second")
    own = median(results, measurement, contender, "operations_per_second")
    return f"{own / base:.2f}" if base and own else ""


def table(results):
    """A row for each contender in each measurement."""
    played = {(result["measurement"], result["contender"]) for result in results}
    columns = [column for column in COLUMNS
               if any(column.field in result["report"] for result in results)]
    rows = ["| what | who | " + " | ".join(column.heading for column in columns) +
            f" | operations/s against {plan.BASELINE} |", "|---" * (len(columns) + 3) + "|"]
    for measurement in plan.MEASUREMENTS:
        what = measurement.name
        for contender in plan.CONTENDERS:
            if (what, contender.name) not in played:
                continue
            cells = [cell([value / column.scale for value in
                           values(results, what, contender.name, column.field)], column.digits)
                     for column in columns]
            rows.append(f"| {what} | {contender.name} | " + " | ".join(cells) +
                        f" | {ratio(results, what, contender.name)} |")
    return "\n".join(rows)


def plots(results):
    """{name: SVG}, one for each sweep."""
    made = {}
    for name in dict.fromkeys(m.plot for m in plan.MEASUREMENTS if m.plot):
        lines = {}
        for contender in plan.CONTENDERS:
            points = [(median(results, m.name, contender.name, "operations_per_second"),
                       median(results, m.name, contender.name, "operation_p99_ms"))
                      for m in plan.MEASUREMENTS if m.plot == name]
            points = [point for point in points if all(point)]
            if points:
                lines[contender.name] = points
        if lines:
            made[name] = plot.line_plot(f"{name}, 30 connections x 1, 4, 16, 64 outstanding",
                                        "operations a second", "p99, ms", lines)
    return made


def machine():
    info = pathlib.Path("/proc/cpuinfo").read_text()
    model = next((line.split(":", 1)[1].strip() for line in info.splitlines()
                  if line.startswith("model name")), platform.machine())
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return (f"{os.cpu_count()} processors ({model}), {pages * size / 2**30:.0f} GiB of memory, "
            f"Linux {platform.release()}")


def commands():
    """Each measurement's, without what differs from contender to contender."""
    rows = ["| what | `pando bench` |", "|---|---|"]
    for measurement in plan.MEASUREMENTS:
        words = " ".join(map(str, (measurement.workload, *measurement.load_flags())))
        rows.append(f"| {measurement.name} | `{words}` |")
    return "\n".join(rows)


def text(results, times, repeats, quick):
    versions = "; ".join(kind.version() for kind in
                         (ensembles.Pando, ensembles.ZooKeeper, ensembles.Etcd))
    images = "\n\n".join(f"![{name}: throughput against latency](plots/compare-{name}.svg)"
                         for name in plots(results))
    return f"""<!-- not run: it measures for minutes -->
```sh
scripts/bench-compare{' --quick' if quick else ''}
```

On {datetime.date.today()}: {versions}. The machine:
{machine()}; the servers, three but where one alone is named, and the load share it. Each
figure is the median of {repeats} rounds, in brackets the lowest and the highest; a round plays
every one of them on new servers, which have had sets for {plan.START}. A run warms up for
{times.warmup} and measures for {times.duration}. Differences below 15 % are noise. CPU is that
of all servers, and of the load, for one operation (of a watch for one set); memory what the
servers have at the end of it, together. The latency of a lock is that of a hand-over; events
count from when the write was sent.

{table(results)}

{images}

The commands, each with `--protocol pipeline`, `unary`, `zookeeper` or `etcd`, `--endpoints` with
all servers, the leader first (at a follower: without the leader), `--server-pid` of each,
`--warmup {times.warmup} --duration {times.duration}`, after a
`set --nodes {plan.NODES} --warmup 0 --duration {plan.START}` that makes the nodes:

{commands()}
"""


def write_plots(made):
    """{name: SVG}, into the folder of plots."""
    (DOCS / "plots").mkdir(exist_ok=True)
    for name, svg in made.items():
        (DOCS / "plots" / f"{name}.svg").write_text(svg)


def replace(begin, part):
    """What is on the page between `begin` and the next END."""
    before, rest = PAGE.read_text().split(begin)
    _, after = rest.split(END, 1)
    PAGE.write_text(f"{before}{begin}\n{part}{END}{after}")


def write(results, times, repeats):
    write_plots({f"compare-{name}": svg for name, svg in plots(results).items()})
    replace(BEGIN, text(results, times, repeats, times == plan.QUICK))
