#!/usr/bin/env python3
"""Counts what an operation of each workload costs, and compares that with budgets.json.

    check.py GUARD             what the test does; ends with 1 when something costs too much
    check.py GUARD --record    makes what it counts the new budgets

Instructions are callgrind's, in guard::Measure() alone; allocations are calls of operator new.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile
from typing import NamedTuple

BUDGETS = pathlib.Path(__file__).with_name("budgets.json")
TURNS = 100
SUMMARY = re.compile(r"^summary: (\d+)$", re.MULTILINE)


class Cost(NamedTuple):
    instructions: float  # of one operation
    allocations: float


def count(guard, workload):
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "callgrind.out"
        run = subprocess.run(
            ["valgrind", "--quiet", "--tool=callgrind", f"--callgrind-out-file={out}",
             "--toggle-collect=pando::guard::Measure*", guard, workload, str(TURNS)],
            check=True, stdout=subprocess.PIPE, text=True)
        instructions = int(SUMMARY.search(out.read_text()).group(1))
    told = json.loads(run.stdout)
    return Cost(instructions / told["operations"], told["allocations"] / told["operations"])


def verdict(cost, budget, tolerances):
    """What is to be said of it, and whether that is bad."""
    said, bad = [], False
    for field, number, allowed in zip(Cost._fields, cost, budget):
        change = (number - allowed) / allowed * 100 if allowed else float(number > 0) * 100
        if change > tolerances[field]:
            said.append(f"{field} {change:+.1f}%: TOO MUCH")
            bad = True
        elif change < -tolerances[field]:
            said.append(f"{field} {change:+.1f}%: record the new budget")
    return "; ".join(said) or "as recorded", bad


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("guard")
    parser.add_argument("--record", action="store_true")
    arguments = parser.parse_args()

    budgets = json.loads(BUDGETS.read_text())
    failed = False
    for workload, budget in budgets["workloads"].items():
        cost = count(arguments.guard, workload)
        said, bad = verdict(cost, Cost(**budget), budgets["tolerance_percent"])
        failed |= bad
        print(f"{workload:18} {cost.instructions:10.0f} instructions {cost.allocations:8.2f} "
              f"allocations   {said}", flush=True)
        budgets["workloads"][workload] = {"instructions": round(cost.instructions),
                                          "allocations": round(cost.allocations, 2)}
    if arguments.record:
        BUDGETS.write_text(json.dumps(budgets, indent=2) + "\n")
    elif failed:
        print(f"\nAn operation became dearer. If it is worth that, record the new budget with\n"
              f"  tests/guard/check.py {arguments.guard} --record\n"
              f"and say so in the commit. docs/performance.md: how to see where it goes.")
        sys.exit(1)


if __name__ == "__main__":
    main()
