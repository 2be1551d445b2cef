#!/usr/bin/env bash
# SPDX-FileCopyrightText: The hpcnn authors
# SPDX-License-Identifier: Apache-2.0

# Downloads MNIST or Fashion-MNIST to where hpcnn's programs look for it. What
# is verified is the content: mirrors pack the same files differently. A file
# appears under its name only when it is whole and right.

set -euo pipefail

readonly USAGE="usage: fetch_mnist [mnist|fashion_mnist] [--dir=DIR] [--mirror=URL]...
  --dir=DIR     where to; default \${XDG_CACHE_HOME:-~/.cache}/hpcnn/mnist
                (or .../fashion_mnist), where --data=auto finds MNIST
  --mirror=URL  a folder that holds the .gz files, tried before the others
example: bazel run //tools/fetch_mnist -- fashion_mnist --dir=data"

# Prints the name and the SHA-256 of the unpacked content of each file.
files_of() {
  case "$1" in
    mnist) cat <<'END' ;;
train-images-idx3-ubyte.gz ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db
train-labels-idx1-ubyte.gz 65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5
t10k-images-idx3-ubyte.gz 0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7
t10k-labels-idx1-ubyte.gz ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2
END
    fashion_mnist) cat <<'END' ;;
train-images-idx3-ubyte.gz c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888
train-labels-idx1-ubyte.gz bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9
t10k-images-idx3-ubyte.gz 5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b
t10k-labels-idx1-ubyte.gz 0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34
END
  esac
}

mirrors_of() {
  case "$1" in
    mnist) cat <<'END' ;;
https://ossci-datasets.s3.amazonaws.com/mnist
https://storage.googleapis.com/cvdf-datasets/mnist
END
    fashion_mnist) cat <<'END' ;;
http://fashion-mnist.s3-website.eu-central-1.amazonaws.com
https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion
END
  esac
}

# download URL FILE
download() {
  if command -v curl >/dev/null; then
    curl --fail --silent --location --retry 2 --connect-timeout 20 \
      --max-filesize 100000000 --output "$2" "$1"
  elif command -v wget >/dev/null; then
    wget --quiet --tries=3 --timeout=20 --output-document="$2" "$1"
  else
    echo "fetch_mnist: neither curl nor wget is installed; install one" >&2
    exit 1
  fi
}

# is_right FILE SHA256: the largest file is 47 MB unpacked, a bomb is cut off.
is_right() {
  local sum
  sum="$(gzip -dc "$1" 2>/dev/null | head -c 100000000 | sha256sum)" &&
    [[ "${sum%% *}" == "$2" ]]
}

main() {
  local set=mnist dir="" mirrors=() argument
  for argument in "$@"; do
    case "$argument" in
      mnist | fashion_mnist) set="$argument" ;;
      --dir=?*) dir="${argument#*=}" ;;
      --mirror=?*) mirrors+=("${argument#*=}") ;;
      --help) echo "$USAGE" && exit 0 ;;
      *)
        echo "fetch_mnist: unknown argument '$argument'; see --help" >&2
        exit 2
        ;;
    esac
  done
  # `bazel run` changes the working directory.
  cd "${BUILD_WORKING_DIRECTORY:-.}"
  dir="${dir:-${XDG_CACHE_HOME:-$HOME/.cache}/hpcnn/$set}"
  mkdir -p "$dir"
  mapfile -t -O "${#mirrors[@]}" mirrors < <(mirrors_of "$set")

  part="$(mktemp "$dir/.fetch_mnist.XXXXXX")" # global: the trap outlives main
  trap 'rm -f "$part"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  local file sum mirror
  while read -r file sum; do
    if [[ -f "$dir/$file" ]] && is_right "$dir/$file" "$sum"; then
      echo "$dir/$file: already there" >&2
      continue
    fi
    for mirror in "${mirrors[@]}"; do
      if ! download "$mirror/$file" "$part"; then
        echo "$mirror/$file: not reachable, trying the next mirror" >&2
      elif ! is_right "$part" "$sum"; then
        echo "$mirror/$file: wrong check sum, trying the next mirror" >&2
      else
        chmod 644 "$part"
        mv -f "$part" "$dir/$file"
        echo "$dir/$file: fetched from $mirror" >&2
        continue 2
      fi
    done
    echo "fetch_mnist: no mirror has $file; name one with --mirror=URL" >&2
    exit 1
  done < <(files_of "$set")
  echo "$dir"
}

main "$@"
