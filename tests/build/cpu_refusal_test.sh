#!/usr/bin/env bash
# SPDX-FileCopyrightText: The hpcnn authors
# SPDX-License-Identifier: Apache-2.0

# A program on a processor that lacks what it was compiled for says so in one
# line before anything else runs, instead of dying of an illegal instruction.

source tests/build/compilers.sh

[[ "$(uname -m)" == x86_64 ]] || skip "not an x86-64 machine"
command -v qemu-x86_64 > /dev/null ||
  skip "no qemu-x86_64 (package qemu-user) to stand in for a lesser processor"

cat > "$TEST_TMPDIR/main.cc" << 'EOF'
#include <cstdio>
#include <vector>

#include "hpcnn/hpcnn.h"

// Runs before main; the refusal must come before it.
const int early = std::puts("started");

int main() {
  std::vector<float> x(64, 1.0f);
  float sum = 0;
  for (const float& v : x) sum += v;
  return sum == 64 ? 0 : 1;
}
EOF

# run LEVEL CPU: the program for the one on the other; its exit code in $code.
run() {
  local program="$TEST_TMPDIR/$compiler-$1"
  [[ -x "$program" ]] || "$compiler" -std=c++20 -O3 -march="$1" -I. -isystem \
    "$highway" "$TEST_TMPDIR/main.cc" -o "$program" -pthread || return
  code=0
  qemu-x86_64 -cpu "$2" "$program" > "$TEST_TMPDIR/out" 2> "$TEST_TMPDIR/err" ||
    code=$?
}

for compiler in "${compilers[@]}"; do
  # A level and a processor below it.
  while read -r level cpu; do
    run "$level" "$cpu"
    # Qemu itself warns of features that it cannot imitate.
    said="$(grep -v '^qemu-x86_64: warning' "$TEST_TMPDIR/err" || true)"
    ((code == 2)) || fail "$compiler $level on $cpu: exit $code instead of 2"
    [[ "$said" == "hpcnn: "*" lacks; "* && "$said" != *$'\n'* ]] ||
      fail "$compiler $level on $cpu says: $said"
    [[ ! -s "$TEST_TMPDIR/out" ]] || fail "$compiler $level on $cpu began to run"
  done << 'EOF'
x86-64-v2 qemu64
x86-64-v3 Nehalem
x86-64-v4 Haswell
EOF
  # One that has what is needed is not refused.
  run x86-64-v3 max
  ((code == 0)) || fail "$compiler x86-64-v3 on max: exit $code: $(cat "$TEST_TMPDIR/err")"
done
finish
