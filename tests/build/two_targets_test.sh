#!/usr/bin/env bash
# SPDX-FileCopyrightText: The hpcnn authors
# SPDX-License-Identifier: Apache-2.0

# One program of two files that both include hpcnn.h, compiled for different
# processors: each must keep the code it was compiled to. At -O0, since an inlined
# function cannot collide with its namesake, and once as it is used.

source tests/build/compilers.sh

if cpu_has avx512f avx512bw avx512cd avx512dq avx512vl; then
  levels=(x86-64-v3 x86-64-v4)
elif cpu_has avx2 bmi2 fma f16c movbe; then
  levels=(x86-64-v2 x86-64-v3)
else
  skip "this processor has only one level that can be told apart"
fi

for compiler in "${compilers[@]}"; do
  for optimise in -O0 -O3; do
    [[ "$compiler $optimise" != "clang++ -O3" ]] || continue
    for part in 0 1; do
      "$compiler" -std=c++20 "$optimise" -march="${levels[part]}" -DPART="$part" \
        -I. -isystem "$highway" -c tests/build/two_targets.cc \
        -o "$TEST_TMPDIR/part$part.o" || fail "$compiler $optimise ${levels[part]}"
    done
    # In both orders: the linker keeps the first of two namesakes.
    for order in "0 1" "1 0"; do
      read -r first second <<< "$order"
      "$compiler" "$TEST_TMPDIR/part$first.o" "$TEST_TMPDIR/part$second.o" \
        -o "$TEST_TMPDIR/program" -pthread && "$TEST_TMPDIR/program" ||
        fail "$compiler $optimise, linked in order $order"
    done
  done
done
finish
