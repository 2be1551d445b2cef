#!/usr/bin/env bash
# SPDX-FileCopyrightText: The hpcnn authors
# SPDX-License-Identifier: Apache-2.0

# Each header compiles alone, twice in one file, with all warnings, and needs no
# more than it may: Highway, and where files are read, Abseil and zlib. But for
# *-inl.h, which nobody includes but the header that they are part of.

source tests/build/compilers.sh

# Tell Bazel that the test divides its work.
[[ -z "${TEST_SHARD_STATUS_FILE:-}" ]] || touch "$TEST_SHARD_STATUS_FILE"

mapfile -t headers < <(find -L hpcnn -name '*.h' ! -name '*-inl.h' | sort)
((${#headers[@]} > 0)) || fail "no headers found"

for ((i = ${TEST_SHARD_INDEX:-0}; i < ${#headers[@]}; i += ${TEST_TOTAL_SHARDS:-1})); do
  header="${headers[i]}"
  includes=(-I. -isystem "$highway")
  case "$header" in
    hpcnn/io/* | hpcnn/io.h | hpcnn/data/mnist.h)
      includes+=(-isystem "$absl" -isystem "$zlib")
      ;;
  esac
  for compiler in "${compilers[@]}"; do
    printf '#include "%s"\n#include "%s"\n' "$header" "$header" |
      "$compiler" -std=c++20 -O1 -march=native -fsyntax-only "${warnings[@]}" \
        "${includes[@]}" -x c++ - || fail "$compiler $header"
  done
done
finish
