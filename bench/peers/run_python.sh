#!/usr/bin/env bash
# SPDX-FileCopyrightText: The hpcnn authors
# SPDX-License-Identifier: Apache-2.0

# Runs a Python bench with the interpreter that has the peers:
#   python3 -m venv ~/peers && ~/peers/bin/pip install -r bench/peers/requirements.txt
#   HPCNN_PEERS_PYTHON=~/peers/bin/python bazel run //bench/peers:train
exec "${HPCNN_PEERS_PYTHON:-python3}" "$@"
