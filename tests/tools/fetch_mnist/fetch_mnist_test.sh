#!/usr/bin/env bash
# SPDX-FileCopyrightText: The hpcnn authors
# SPDX-License-Identifier: Apache-2.0

# fetch_mnist without a network: a stand-in for curl copies from file:// and
# fails for everything else.

set -euo pipefail

fetch="$PWD/$1"
temp="$(mktemp -d "${TEST_TMPDIR:-/tmp}/fetch.XXXXXX")"
trap 'rm -rf "$temp"' EXIT
mkdir "$temp/bin" "$temp/mirror"
cat >"$temp/bin/curl" <<'END'
#!/usr/bin/env bash
while (($# > 2)); do shift; done # what is left: FILE URL
[[ "$2" == file://* ]] && cp "${2#file://}" "$1"
END
chmod +x "$temp/bin/curl"
export PATH="$temp/bin:$PATH"
unset BUILD_WORKING_DIRECTORY

# expect STATUS PATTERN ARGUMENT...: exit status, and what stderr must contain.
expect() {
  local status=0
  bash "$fetch" "${@:3}" >"$temp/out" 2>"$temp/err" || status=$?
  if [[ $status != "$1" ]] || ! grep -q -- "$2" "$temp/err"; then
    echo "FAILED: ${*:3}: exit $status, expected $1 and '$2' in:" >&2
    cat "$temp/err" >&2
    exit 1
  fi
}

expect 2 "unknown argument 'bogus'" bogus
[[ "$(bash "$fetch" --help)" == "usage: fetch_mnist "* ]]
expect 1 "no mirror has train-images-idx3-ubyte.gz" --dir="$temp/none"

# A file of the right name with other content is refused, and nothing is left.
echo other | gzip >"$temp/mirror/train-images-idx3-ubyte.gz"
expect 1 "wrong check sum" --dir="$temp/bad" --mirror="file://$temp/mirror"
[[ -z "$(ls -A "$temp/bad")" ]]

labels="${HPCNN_DATA:-}/t10k-labels-idx1-ubyte.gz"
if [[ ! -f "$labels" ]]; then
  echo "not tested: a whole download; HPCNN_DATA names no folder with MNIST"
  exit 0
fi
# Fashion-MNIST, say, has the same form.
if ! gzip -dc "$labels" | sha256sum | grep -q ^ff7bcfd416de; then
  echo "not tested: a whole download; HPCNN_DATA holds another data set"
  exit 0
fi
expect 0 "fetched from" --dir="$temp/mnist" --mirror="file://$HPCNN_DATA"
[[ "$(find "$temp/mnist" -type f | wc -l)" == 4 ]]
[[ "$(cat "$temp/out")" == "$temp/mnist" ]]

# What is there and right is kept; what is damaged is fetched again.
expect 0 "already there" --dir="$temp/mnist"
truncate -s -1 "$temp/mnist/t10k-labels-idx1-ubyte.gz"
expect 0 "t10k-labels-idx1-ubyte.gz: fetched" --dir="$temp/mnist" \
  --mirror="file://$HPCNN_DATA"

# Without --dir, where programs look for it.
XDG_CACHE_HOME="$temp/cache" expect 0 "fetched" --mirror="file://$HPCNN_DATA"
[[ -f "$temp/cache/hpcnn/mnist/train-images-idx3-ubyte.gz" ]]
