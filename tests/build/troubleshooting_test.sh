#!/usr/bin/env bash
# SPDX-FileCopyrightText: The hpcnn authors
# SPDX-License-Identifier: Apache-2.0

# TROUBLESHOOTING.md has every sentence that a static_assert of the headers may
# say.

source tests/build/compilers.sh

# Adjacent literals are one; of texts that are put together at run time or by the
# preprocessor only part is here.
sentences() {
  find -L hpcnn -name '*.h' -exec perl -0777 -ne '
    while (/"hpcnn: ((?:[^"\\]|\\.)*)"((?:\s*"(?:[^"\\]|\\.)*")*)/g) {
      my ($text, $rest) = ($1, $2);
      $text .= $1 while $rest =~ /"((?:[^"\\]|\\.)*)"/g;
      print "$text\n" if $text ne "" && $text !~ /%/;
    }' {} + | sort -u
}

page="$(tr -s '[:space:]' ' ' < TROUBLESHOOTING.md)"
count=0
while read -r sentence; do
  count=$((count + 1))
  [[ "$page" == *"$sentence"* ]] || fail "TROUBLESHOOTING.md lacks: $sentence"
done < <(sentences)
((count > 40)) || fail "only $count sentences found"
finish
