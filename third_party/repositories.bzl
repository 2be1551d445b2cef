# SPDX-FileCopyrightText: The hpcnn authors
# SPDX-License-Identifier: Apache-2.0

"""What hpcnn is built with. README.md here says why each, and its licence."""

load("@bazel_tools//tools/build_defs/repo:utils.bzl", "maybe")
load(":archive.bzl", "archive")
load(":debian.bzl", "debian_bazel_rules")

def hpcnn_repositories():
    """Defines each external repository that the project has not defined."""

    # Debian's Bazel 4.2.3, which does not know its own version, cannot load a
    # current rules_cc.
    if native.bazel_version in ["", "no_version"]:
        debian_bazel_rules()
    else:
        _bazel_rules()

    maybe(
        archive,
        name = "highway",
        url = "https://github.com/google/highway/archive/refs/tags/1.2.0.tar.gz",
        sha256 = "7e0be78b8318e8bdbf6fa545d2ecb4c90f947df03f7aadc42c1967f019e63343",
        strip_prefix = "highway-1.2.0",
        debian = "highway_1.2.0.orig.tar.gz",
        build_file = Label("//third_party:highway.BUILD"),
        header_dirs = ["hwy"],
    )
    maybe(
        archive,
        name = "com_google_absl",
        url = "https://github.com/abseil/abseil-cpp/releases/download/20240722.0/abseil-cpp-20240722.0.tar.gz",
        sha256 = "f50e5ac311a81382da7fa75b97310e4b9006474f9560ac46f54a9967f07d4ae3",
        strip_prefix = "abseil-cpp-20240722.0",
        debian = "abseil_20240722.0.orig.tar.gz",
        debian_sha256 = "df6d1f5ef540725f3851201176a60486aab332410788465c9877910bb471c34a",
        debian_strip_prefix = "abseil-20240722.0",
        header_dirs = ["absl"],
    )
    maybe(
        archive,
        name = "com_google_googletest",
        url = "https://github.com/google/googletest/releases/download/v1.16.0/googletest-1.16.0.tar.gz",
        sha256 = "78c676fc63881529bf97bf9d45948d905a66833fbfa5318ea2cd7478cb98f399",
        strip_prefix = "googletest-1.16.0",
        debian = "googletest_1.16.0.orig.tar.gz",
        debian_sha256 = "2f54382b5d13d6cd0be2afc524f1e510d37f8ba78c2d439c5bea64ef37e30d01",
        build_file = Label("//third_party:googletest.BUILD"),
        header_dirs = ["googlemock/include", "googletest/include"],
    )
    maybe(
        archive,
        name = "com_github_google_benchmark",
        url = "https://github.com/google/benchmark/archive/refs/tags/v1.9.1.tar.gz",
        sha256 = "32131c08ee31eeff2c8968d7e874f3cb648034377dfc32a4c377fa8796d84981",
        strip_prefix = "benchmark-1.9.1",
        debian = "benchmark_1.9.1.orig.tar.gz",
        build_file = Label("//third_party:benchmark.BUILD"),
        header_dirs = ["include"],
    )
    maybe(
        archive,
        name = "stb",
        url = "https://github.com/nothings/stb/archive/5c205738c191bcb0abc65c4febfa9bd25ff35234.tar.gz",
        sha256 = "cfeab9f800961882d6d22ddf36e965523b33002f4f937de08321304c9ba72af3",
        strip_prefix = "stb-5c205738c191bcb0abc65c4febfa9bd25ff35234",
        debian = "libstb_0.0~git20241109.5c20573+ds.orig.tar.xz",
        debian_sha256 = "a3a5820445a7dd063516bb542a5cd54ced8efc9c5a30bfbaae1bab6dec2c1a74",
        debian_strip_prefix = "libstb-0.0~git20241109.5c20573",
        build_file = Label("//third_party:stb.BUILD"),
        header_dirs = ["."],
    )
    maybe(
        archive,
        name = "zlib",
        url = "https://github.com/madler/zlib/releases/download/v1.3.1/zlib-1.3.1.tar.gz",
        sha256 = "9a93b2b7dfdac77ceba5a558a580e74667dd6fede4585b91eefb60f03b72df23",
        strip_prefix = "zlib-1.3.1",
        debian = "zlib_1.3.dfsg+really1.3.1.orig.tar.gz",
        debian_sha256 = "60dd315c07f616887caa029408308a018ace66e3d142726a97db164b3b8f69fb",
        build_file = Label("//third_party:zlib.BUILD"),
        header_dirs = ["."],
    )

def _bazel_rules():
    maybe(
        archive,
        name = "rules_cc",
        url = "https://github.com/bazelbuild/rules_cc/releases/download/0.0.9/rules_cc-0.0.9.tar.gz",
        sha256 = "2037875b9a4456dce4a79d112a8ae885bbc4aad968e6587dca6e64f3a0900cdf",
        strip_prefix = "rules_cc-0.0.9",
    )
    maybe(
        archive,
        name = "bazel_skylib",
        url = "https://github.com/bazelbuild/bazel-skylib/releases/download/1.7.1/bazel-skylib-1.7.1.tar.gz",
        sha256 = "bc283cdfcd526a52c3201279cda4bc298652efa898b10b4db0837dc51652756f",
    )
