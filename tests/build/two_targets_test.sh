#!/usr/bin/env bash
# SPDX-FileCopyrightText: The hpcnn authors
# SPDX-License-Identifier: Apache-2.0

# One program of two files that both include hpcnn.h, compiled for different
# processors: each must keep the code it was compiled to, and print what it prints
# in a program of its own. At -O0, since an inlined function cannot collide with
# its namesake, and once as it is used.

source tests/build/compilers.sh

if cpu_has avx512f avx512bw avx512cd avx512dq avx512vl; then
  levels=(x86-64-v3 x86-64-v4)
elif cpu_has avx2 bmi2 fma f16c movbe; then
  levels=(x86-64-v2 x86-64-v3)
else
  skip "this processor has only one level that can be told apart"
fi

# program PART...: what a program of these parts prints, linked in that order.
program() {
  local part calls="" declarations="" objects=()
  for part in "$@"; do
    declarations+="void Print$part();"
    calls+="Print$part();"
    objects+=("$TEST_TMPDIR/part$part.o")
  done
  "$compiler" -x c++ - -x none "${objects[@]}" -o "$TEST_TMPDIR/program" \
    -pthread <<< "$declarations int main() { $calls }" && "$TEST_TMPDIR/program"
}

for compiler in "${compilers[@]}"; do
  for optimise in -O0 -O3; do
    [[ "$compiler $optimise" != "clang++ -O3" ]] || continue
    for part in 0 1; do
      "$compiler" -std=c++20 "$optimise" -march="${levels[part]}" -DPART="$part" \
        -I. -isystem "$highway" -c tests/build/two_targets.cc \
        -o "$TEST_TMPDIR/part$part.o" || fail "$compiler $optimise ${levels[part]}"
    done
    zero="$(program 0)" one="$(program 1)"
    echo "$compiler $optimise"$'\n'"$zero"$'\n'"$one"
    [[ "${zero%%:*}" != "${one%%:*}" ]] || fail "one target for two sets of flags"
    [[ "${zero##*,}" == "${one##*,}" ]] || fail "the filters differ"
    # In both orders: the linker keeps the first of two namesakes.
    [[ "$(program 0 1)" == "$zero"$'\n'"$one" ]] || fail "linked in order 0 1"
    [[ "$(program 1 0)" == "$one"$'\n'"$zero" ]] || fail "linked in order 1 0"
  done
done
finish
