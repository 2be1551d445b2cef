#!/usr/bin/env bash
# SPDX-FileCopyrightText: The hpcnn authors
# SPDX-License-Identifier: Apache-2.0

# Runs filter_scipy_test.py where there is a SciPy to compare with.

set -euo pipefail

if ! python3 -c 'import scipy' 2> /dev/null; then
  echo "SKIPPED: python3 has no scipy (Debian: python3-scipy)"
  exit 0
fi
exec python3 tests/tools/filter_scipy_test.py "$1" "$TEST_TMPDIR"
