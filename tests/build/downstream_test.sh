#!/usr/bin/env bash
# SPDX-FileCopyrightText: The hpcnn authors
# SPDX-License-Identifier: Apache-2.0

# README's program, built by README's command, runs and learns; also without exceptions and
# RTTI.

source tests/build/compilers.sh

readme="$PWD/README.md"
mkdir "$TEST_TMPDIR/user"
ln -s "$PWD" "$TEST_TMPDIR/user/hpcnn"
ln -s "$highway" "$TEST_TMPDIR/user/highway"
cd "$TEST_TMPDIR/user"

sed -n '/^```cpp$/,/^```$/p; /^```$/q' "$readme" | sed '/^```/d' > main.cc
[[ -s main.cc ]] || fail "README has no program"
command="$(sed -n 's/^    \(g++ .*main\.cc .*\) && .*/\1/p' "$readme")"
[[ -n "$command" ]] || fail "README has no g++ command"

for compiler in "${compilers[@]}"; do
  for more in "" " -fno-exceptions -fno-rtti"; do
    line="${command/#g++/$compiler}$more"
    echo "$line"
    said="$(eval "$line" && ./a.out)" || fail "$line"
    # It learns: more than 90 % of digits that it has not seen.
    [[ "$said" =~ ^accuracy:\ 9[0-9]\.[0-9]\ %$'\n'a\ [0-9]\ looks\ like\ a\ [0-9]$ ]] ||
      fail "$line says: $said"
  done
done
finish
