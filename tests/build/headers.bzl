# SPDX-FileCopyrightText: The hpcnn authors
# SPDX-License-Identifier: Apache-2.0

"""Headers as files, for tests that call a compiler themselves."""

def _cc_headers_impl(ctx):
    headers = depset(transitive = [
        dep[CcInfo].compilation_context.headers
        for dep in ctx.attr.deps
    ])
    return DefaultInfo(
        files = headers,
        runfiles = ctx.runfiles(transitive_files = headers),
    )

# Every header that a target which depends on `deps` can include.
cc_headers = rule(
    implementation = _cc_headers_impl,
    attrs = {"deps": attr.label_list(providers = [CcInfo])},
)

def compiler_test(name, src, data = [], tags = [], **kwargs):
    """A bash test that compiles: has hpcnn's headers and the third parties'."""
    native.sh_test(
        name = name,
        srcs = [src],
        data = data + [
            "//hpcnn:headers",
            "//tests/build:compilers.sh",
            "//tests/build:third_party_headers",
        ],
        tags = tags + ["compiler"],
        **kwargs
    )
