// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "tools/filter/options.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/reflection.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "hpcnn/concurrency/cpu_count.h"
#include "tools/filter/kernels.h"
#include "tools/filter/picture.h"
#include "tools/flags.h"

ABSL_FLAG(std::string, kernel, "sobel3x3",
          "sobel3x3, scharr3x3, sobel5x3, sobel5x5, neighbours8 (the sum of "
          "the eight pixels around one), or an NPY file of i32 or f32 taps. "
          "Example: --kernel=blur.npy");
ABSL_FLAG(std::string, op, "correlate",
          "correlate lays the kernel on each pixel; magnitude is the size of "
          "the gradient, from the kernel and its transpose. "
          "Example: --op=magnitude");
ABSL_FLAG(bool, transpose, false,
          "turn the kernel's rows into columns, as for edges along the other "
          "axis. Example: --transpose");
ABSL_FLAG(std::string, border, "zero",
          "what is beyond the edge: zero, replicate (the last pixel), reflect "
          "(the last pixels in reverse) or wrap (the other side). "
          "Example: --border=reflect");
ABSL_FLAG(std::string, policy, "simd",
          "how the maths runs: scalar or simd. Example: --policy=scalar");
ABSL_FLAG(std::string, in, "",
          "a PNG, JPEG, BMP or PNM image, whose colours become grey, or an NPY "
          "file of u8, i16 or f32 with two dimensions; without it the program "
          "draws a picture. Example: --in=photo.jpg");
ABSL_FLAG(std::string, out, "",
          "a .png file to look at, or an .npy file of the values themselves: "
          "i32 for correlations of integer images with integer taps, else f32. "
          "Example: --out=edges.png");
ABSL_FLAG(std::string, gallery, "",
          "write what every named kernel makes of the picture to this folder, "
          "and all of it side by side as gallery.png. Example: --gallery=.");
ABSL_FLAG(std::string, threads, "auto",
          "threads that share the rows, the same result for any number; auto "
          "is the usable processors. Example: --threads=2");

namespace hpcnn::filter {
namespace {

using flags::Refuse;

constexpr std::string_view kFlags[] = {"kernel", "op",      "transpose",
                                       "border", "policy",  "in",
                                       "out",    "gallery", "threads"};

// More would only ask for memory: each thread has a stack.
constexpr std::size_t kMaxThreads = 1024;

absl::Status ReadKernelFlag(const std::string& value, std::string& kernel) {
  std::vector<std::string_view> names;
  ForEachNamedKernel([&](const auto& named) { names.push_back(named.name); });
  if (!IsNpy(value) &&
      std::find(names.begin(), names.end(), value) == names.end()) {
    return Refuse("kernel", value,
                  absl::StrCat(absl::StrJoin(names, ", "), " or FILE.npy"));
  }
  kernel = value;
  return absl::OkStatus();
}

// The gallery has kernels and operations of its own.
absl::Status CheckGallery(const Options& options) {
  if (options.gallery.empty()) {
    if (IsPng(options.out) || IsNpy(options.out)) return absl::OkStatus();
    return Refuse("out", options.out, "FILE.png, FILE.npy or --gallery=DIR");
  }
  for (const char* name : {"out", "kernel", "op", "transpose"}) {
    const absl::CommandLineFlag* flag = absl::FindCommandLineFlag(name);
    if (flag->CurrentValue() != flag->DefaultValue()) {
      return Refuse(name, flag->CurrentValue(), "no such flag with --gallery");
    }
  }
  return absl::OkStatus();
}

absl::Status ReadFlags(Options& options) {
  HPCNN_RETURN_IF_ERROR(
      ReadKernelFlag(absl::GetFlag(FLAGS_kernel), options.kernel));
  std::string op;
  HPCNN_RETURN_IF_ERROR(flags::ReadChoice("op", absl::GetFlag(FLAGS_op),
                                          {"correlate", "magnitude"}, op));
  options.request.magnitude = op == "magnitude";
  options.request.transpose = absl::GetFlag(FLAGS_transpose);
  HPCNN_RETURN_IF_ERROR(flags::ReadChoice(
      "border", absl::GetFlag(FLAGS_border),
      {"zero", "replicate", "reflect", "wrap"}, options.request.border));
  HPCNN_RETURN_IF_ERROR(
      flags::ReadPolicy(absl::GetFlag(FLAGS_policy), options.request.policy));
  options.in = absl::GetFlag(FLAGS_in);
  options.out = absl::GetFlag(FLAGS_out);
  options.gallery = absl::GetFlag(FLAGS_gallery);
  HPCNN_RETURN_IF_ERROR(CheckGallery(options));
  const std::string threads = absl::GetFlag(FLAGS_threads);
  if (threads == "auto") {
    options.threads = std::min(UsableCpus().count, kMaxThreads);
    return absl::OkStatus();
  }
  return flags::ReadCount<std::size_t>("threads", threads, 1, kMaxThreads,
                                       options.threads);
}

}  // namespace

absl::StatusOr<Options> ReadOptions(int argc, char** argv) {
  Options options;
  options.help = flags::AsksForHelp(argc, argv);
  if (options.help) return options;
  HPCNN_RETURN_IF_ERROR(flags::Parse(argc, argv, kFlags));
  HPCNN_RETURN_IF_ERROR(ReadFlags(options));
  return options;
}

std::string HelpText() {
  return absl::StrCat(
      "Filters a picture with one kernel, or with all of them.\n\n"
      "  bazel run //tools:filter -- --op=magnitude --in=photo.jpg "
      "--out=edges.png\n"
      "  bazel run //tools:filter -- --gallery=/tmp\n\n",
      flags::Describe(kFlags),
      "\nA .png file shows values in 256 greys. Of a magnitude, 0 is black and "
      "the\nlargest value is white (255). Of a correlation, the same if no tap "
      "and no\nresult is negative; else 0 is grey (128), and the largest value "
      "by size is 1\nor 255. NaN counts as 0, infinity as the largest value "
      "that is finite. An\n.npy file has the values as they are.\n"
      "\nResults go to stdout, notes to stderr. Exit code: 0 done, 1 failed, 2 "
      "bad usage\nor input.\n");
}

}  // namespace hpcnn::filter
