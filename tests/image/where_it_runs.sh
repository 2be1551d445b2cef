#!/usr/bin/env bash
# SPDX-FileCopyrightText: The hpcnn authors
# SPDX-License-Identifier: Apache-2.0

# Runs a program of tests, unless the processor lacks what it was compiled for,
# of which hpcnn itself then says so.

set -euo pipefail

if output="$("$1" 2>&1)"; then
  echo "$output"
elif [[ "$output" == "hpcnn: this program was compiled for"* ]]; then
  echo "SKIPPED: $output"
else
  echo "$output"
  exit 1
fi
