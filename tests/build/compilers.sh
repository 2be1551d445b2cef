# shellcheck shell=bash
# SPDX-FileCopyrightText: The hpcnn authors
# SPDX-License-Identifier: Apache-2.0

# For tests that compile as a user would, without Bazel. A test starts where
# this repository's files are; the other repositories lie beside it.
# shellcheck disable=SC2034  # used by those who read this file

set -euo pipefail

highway="$PWD/../highway"
absl="$PWD/../com_google_absl"
zlib="$PWD/../zlib"

warnings=(-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)

compilers=()
for compiler in g++ clang++; do
  if command -v "$compiler" > /dev/null; then
    compilers+=("$compiler")
  else
    echo "not tested with $compiler: it is not installed"
  fi
done

failures=0
fail() {
  echo "FAIL: $*" >&2
  failures=$((failures + 1))
}

finish() { ((failures == 0)) || exit 1; }

skip() {
  echo "SKIPPED: $*"
  exit 0
}

# Whether the processor has all of the features, by their names in /proc.
cpu_has() {
  local feature
  for feature in "$@"; do
    grep -qw "$feature" /proc/cpuinfo || return 1
  done
}
