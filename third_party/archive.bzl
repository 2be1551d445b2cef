# SPDX-FileCopyrightText: The hpcnn authors
# SPDX-License-Identifier: Apache-2.0

"""A pinned source archive, from upstream or from Debian's source packages."""

def _archive_impl(ctx):
    # ./bazelw puts Debian's archive here where upstream is out of reach. Its
    # path goes by hpcnn's own tree, so that it also serves a project that
    # depends on hpcnn.
    root = ctx.path(Label("//:WORKSPACE")).dirname
    local = ctx.path(str(root) + "/third_party/distdir/" + ctx.attr.debian)
    if ctx.attr.debian and local.exists:
        ctx.download_and_extract(
            url = "file://" + str(local),
            sha256 = ctx.attr.debian_sha256 or ctx.attr.sha256,
            stripPrefix = ctx.attr.debian_strip_prefix or ctx.attr.strip_prefix,
        )
    else:
        ctx.download_and_extract(
            url = ctx.attr.url,
            sha256 = ctx.attr.sha256,
            stripPrefix = ctx.attr.strip_prefix,
        )
    if ctx.attr.build_file:
        for name in ["BUILD", "BUILD.bazel", "WORKSPACE", "WORKSPACE.bazel"]:
            ctx.delete(name)
        ctx.symlink(ctx.attr.build_file, "BUILD.bazel")
        ctx.file("WORKSPACE")

    # Our warnings are not theirs. Bazel finds a quoted include through -iquote,
    # where -isystem does not reach, so each header says it itself.
    if ctx.attr.header_dirs:
        mark = "print qq(#pragma GCC system_header\\n) if $. == 1; close ARGV if eof"
        result = ctx.execute(
            ["find"] + ctx.attr.header_dirs +
            ["-name", "*.h", "-exec", "perl", "-pi", "-e", mark, "{}", "+"],
        )
        if result.return_code != 0:
            fail("%s: %s" % (ctx.name, result.stderr))

archive = repository_rule(
    implementation = _archive_impl,
    attrs = {
        "url": attr.string(mandatory = True),
        "sha256": attr.string(mandatory = True),
        "strip_prefix": attr.string(),
        # The same release in Debian: the file's name, and what differs.
        "debian": attr.string(),
        "debian_sha256": attr.string(),
        "debian_strip_prefix": attr.string(),
        # Replaces the archive's own BUILD files at the top.
        "build_file": attr.label(allow_single_file = True),
        # Where the headers lie that our code includes.
        "header_dirs": attr.string_list(),
    },
)
