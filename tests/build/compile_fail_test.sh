#!/usr/bin/env bash
# SPDX-FileCopyrightText: The hpcnn authors
# SPDX-License-Identifier: Apache-2.0

# compile_fail_test.sh FILE: compiles; does not with HPCNN_FAIL defined, and then
# the compiler says each text that stands after "// EXPECT: " in the file, in one
# error, unless "// MORE ERRORS" says why not.

source tests/build/compilers.sh

file="$1"
mapfile -t expected < <(sed -n 's|^// EXPECT: ||p' "$file")
((${#expected[@]} > 0)) || fail "$file has no // EXPECT: line"

for compiler in "${compilers[@]}"; do
  command=("$compiler" -std=c++20 -march=native -fsyntax-only -I. -isystem
    "$highway" "$file")
  "${command[@]}" || fail "$compiler refuses $file without HPCNN_FAIL"
  if said="$("${command[@]}" -DHPCNN_FAIL 2>&1)"; then
    fail "$compiler takes $file with HPCNN_FAIL"
    continue
  fi
  errors="$(grep -c 'error:' <<< "$said")"
  ((errors == 1)) || grep -q '^// MORE ERRORS' "$file" ||
    fail "$compiler has $errors errors instead of one: $said"
  for text in "${expected[@]}"; do
    [[ "$said" == *"$text"* ]] || fail "$compiler does not say: $text
it says: $said"
  done
done
finish
