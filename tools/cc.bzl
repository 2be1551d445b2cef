# SPDX-FileCopyrightText: The hpcnn authors
# SPDX-License-Identifier: Apache-2.0

"""The C++ rules with our warnings, for every target of this repository."""

load("@rules_cc//cc:defs.bzl", _cc_binary = "cc_binary", _cc_library = "cc_library", _cc_test = "cc_test")

_COPTS = [
    "-Wall",
    "-Wextra",
    "-Wpedantic",
    "-Wconversion",
    "-Wshadow",
]

# No shared object beside a library's archive, which would compile all twice.
_FEATURES = [
    "-supports_dynamic_linker",
    "-supports_pic",
]

def cc_library(name, copts = [], **kwargs):
    _cc_library(name = name, copts = _COPTS + copts, features = _FEATURES, **kwargs)

def cc_binary(name, copts = [], **kwargs):
    _cc_binary(name = name, copts = _COPTS + copts, **kwargs)

def cc_test(name, copts = [], deps = [], size = "small", **kwargs):
    """A GoogleTest program; brings its main."""
    _cc_test(
        name = name,
        size = size,
        copts = _COPTS + copts,
        deps = deps + ["@com_google_googletest//:gtest_main"],
        **kwargs
    )
