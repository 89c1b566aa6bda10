#!/usr/bin/env bash
# replay_test.sh SIM_SEEDS: a seed does the same again, bit for bit, in another process.
set -euo pipefail
traces=$(mktemp -d)
trap 'rm -rf "$traces"' EXIT
for run in 1 2; do
  "$1" --trace 7 >"$traces/$run"
done
test "$(wc -l <"$traces/1")" -gt 100
cmp "$traces/1" "$traces/2"
