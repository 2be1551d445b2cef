# SPDX-FileCopyrightText: The hpcnn authors
# SPDX-License-Identifier: Apache-2.0

"""What Debian's Bazel 4.2.3 needs, which embeds no rules and fetches none."""

load("@bazel_tools//tools/build_defs/repo:utils.bzl", "maybe")

def _files_impl(ctx):
    ctx.file("WORKSPACE")
    for label, path in ctx.attr.files.items():
        ctx.symlink(label, path)

_files = repository_rule(
    implementation = _files_impl,
    attrs = {"files": attr.label_keyed_string_dict(allow_files = True)},
)

def debian_bazel_rules():
    """Debian's packages, and stand-ins where those do not load."""
    for name, path in {
        "bazel_skylib": "tools/skylib",
        "platforms": "tools/platforms",
        "rules_java": "rules/java",
        "rules_proto": "rules/proto",
    }.items():
        maybe(
            native.local_repository,
            name = name,
            path = "/usr/share/bazel/" + path,
        )
    maybe(
        _files,
        name = "rules_cc",
        files = {
            Label("//third_party/debian:rules_cc.BUILD"): "cc/BUILD",
            Label("//third_party/debian:rules_cc_defs.bzl"): "cc/defs.bzl",
        },
    )
    maybe(
        _files,
        name = "remote_coverage_tools",
        files = {Label("//third_party/debian:coverage.BUILD"): "BUILD"},
    )
