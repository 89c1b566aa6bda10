#!/usr/bin/env bash
# ship_test MUTANTS DIR: of all binaries in DIR only MUTANTS has the mark of services/model/mutant.h.
set -euo pipefail
mark='this binary has a bug in it on purpose'

grep -q "$mark" "$1" || { echo "$1 has no mark: this test would find nothing"; exit 1; }
checked=0
for binary in "$2"/*; do
  [[ -f $binary && $binary != "$1" ]] || continue
  if grep -q "$mark" "$binary"; then
    echo "$binary has mutants in it"
    exit 1
  fi
  checked=$((checked + 1))
done
((checked > 0))
echo "no mutants in $checked binaries"
