# SPDX-FileCopyrightText: The hpcnn authors
# SPDX-License-Identifier: Apache-2.0

"""Fuzz targets: each is a program of libFuzzer's and an ordinary test."""

load("//tools:cc.bzl", "cc_binary", "cc_test")

def fuzz_target(name, deps):
    """NAME.cc with NAME's corpus.

    NAME is the program, for --config=fuzz alone; NAME_test replays
    corpus/NAME and mutations of it.
    """
    deps = deps + [
        "//hpcnn/base:check",
        "@com_google_absl//absl/status",
        "@com_google_absl//absl/strings",
    ]
    srcs = [
        name + ".cc",
        "fuzz.h",
    ]
    cc_binary(
        name = name,
        srcs = srcs,
        linkopts = ["-fsanitize=fuzzer"],
        tags = ["manual"],
        deps = deps,
    )
    cc_test(
        name = name + "_test",
        srcs = srcs + ["replay.cc"],
        data = native.glob(["corpus/%s/*" % name]),
        local_defines = ["CORPUS=\\\"tests/fuzz/corpus/%s\\\"" % name],
        tags = ["memory"],
        deps = deps + [
            "//hpcnn/base:random",
            "//hpcnn/io:file",
        ],
    )
