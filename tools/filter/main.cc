// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// //tools:filter: what an edge filter, or any other, makes of a picture.

#include <cstdio>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "hpcnn/concurrency/thread_pool.h"
#include "hpcnn/io/file.h"
#include "hpcnn/io/image_file.h"
#include "hpcnn/io/npy.h"
#include "tools/filter/apply.h"
#include "tools/filter/contact_sheet.h"
#include "tools/filter/input.h"
#include "tools/filter/kernels.h"
#include "tools/filter/options.h"
#include "tools/filter/picture.h"
#include "tools/filter/show.h"
#include "tools/filter/test_picture.h"
#include "tools/flags.h"
#include "tools/program.h"

namespace hpcnn::filter {
namespace {

using program::kBadUsage;
using program::kFailed;

// A file to write, and what is said once it is there.
struct Output {
  std::string path;
  std::string bytes;
  std::string result;     // to stdout
  std::string note = {};  // to stderr
};

// Before the work, so that nobody waits for it in vain.
absl::Status CheckFolder(const char* flag, const std::string& path,
                         const std::string& folder) {
  std::error_code ignored;
  if (std::filesystem::is_directory(folder.empty() ? "." : folder, ignored)) {
    return absl::OkStatus();
  }
  const bool is_there = std::filesystem::exists(folder, ignored);
  return absl::NotFoundError(
      absl::StrCat("--", flag, ": ", absl::Utf8SafeCEscape(path),
                   is_there ? ": expected a folder, found a file; name another"
                            : ": expected a folder that exists, found none; "
                              "make it, or name another"));
}

absl::Status CheckOutputs(const Options& options) {
  if (!options.gallery.empty()) {
    const std::string folder = ResolveUserPath(options.gallery);
    return CheckFolder("gallery", folder, folder);
  }
  const std::filesystem::path out = ResolveUserPath(options.out);
  std::error_code ignored;
  if (std::filesystem::is_directory(out, ignored)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "--out: ", absl::Utf8SafeCEscape(out.string()),
        ": expected a file, found a directory; name a file in it"));
  }
  return CheckFolder("out", out, out.parent_path());
}

std::string Size(const Result& result) {
  return std::visit(
      [](const auto& matrix) {
        return absl::StrCat(matrix.rows, " rows of ", matrix.cols);
      },
      result);
}

absl::StatusOr<Output> PngOutput(const std::string& path, const Result& result,
                                 const Range& range, Zero zero) {
  const GrayImage gray = Show(result, range, zero);
  absl::StatusOr<std::string> png = EncodePng(gray.view(), 1, path);
  if (!png.ok()) return png.status();
  return Output{path, *std::move(png),
                absl::StrFormat("%s, values %.6g to %.6g", Size(result),
                                range.low, range.high),
                Legend(range, zero)};
}

Output NpyOutput(const std::string& path, const Result& result,
                 const Range& range) {
  return {
      path,
      std::visit([](const auto& matrix) { return EncodeNpy(matrix.view()); },
                 result),
      absl::StrFormat(
          "%s, %s, values %.6g to %.6g", Size(result),
          std::holds_alternative<Matrix<float>>(result) ? "f32" : "i32",
          range.low, range.high)};
}

absl::StatusOr<std::vector<Output>> FilterOnce(const Options& options,
                                               const Picture& picture,
                                               ThreadPool& pool) {
  const absl::StatusOr<Kernel> kernel = FindKernel(options.kernel);
  if (!kernel.ok()) return kernel.status();
  HPCNN_RETURN_IF_ERROR(CheckSumsFit(*kernel, picture));
  const Result result = Apply(picture, *kernel, options.request, pool);
  const Range range = RangeOf(result);
  const std::string path = ResolveUserPath(options.out);
  if (IsNpy(path)) return std::vector{NpyOutput(path, result, range)};
  absl::StatusOr<Output> png =
      PngOutput(path, result, range, ZeroOf(*kernel, options.request, range));
  if (!png.ok()) return png.status();
  return std::vector{*std::move(png)};
}

// All named kernels, and the picture itself before them.
class Gallery {
 public:
  explicit Gallery(std::filesystem::path folder) : folder_(std::move(folder)) {}

  absl::Status Add(const std::string& name, const std::string& caption,
                   const Result& result, const Range& range, Zero zero) {
    absl::StatusOr<Output> png =
        PngOutput(folder_ / (name + ".png"), result, range, zero);
    if (!png.ok()) return png.status();
    outputs_.push_back(*std::move(png));
    tiles_.push_back({caption, Show(result, range, zero)});
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<Output>> Finish() && {
    const std::string path = folder_ / "gallery.png";
    const GrayImage sheet = ContactSheet(tiles_);
    absl::StatusOr<std::string> png = EncodePng(sheet.view(), 1, path);
    if (!png.ok()) return png.status();
    outputs_.push_back({path, *std::move(png),
                        absl::StrCat(sheet.rows, " rows of ", sheet.cols,
                                     ", all of them side by side")});
    return std::move(outputs_);
  }

 private:
  std::filesystem::path folder_;
  std::vector<Output> outputs_;
  std::vector<Tile> tiles_;
};

absl::StatusOr<std::vector<Output>> FilterForGallery(const Options& options,
                                                     const Picture& picture,
                                                     ThreadPool& pool) {
  Gallery gallery(ResolveUserPath(options.gallery));
  const Result input = AsResult(picture);
  // Greys of an image file stay what they are.
  const Range range = std::holds_alternative<GrayImage>(picture)
                          ? Range{0, 255}
                          : RangeOf(input);
  HPCNN_RETURN_IF_ERROR(
      gallery.Add("input", "INPUT", input, range,
                  range.low < 0 ? Zero::kGray : Zero::kBlack));
  absl::Status status;
  ForEachNamedKernel([&](const auto& named) {
    if (!status.ok()) return;
    Request request = options.request;
    request.magnitude = named.finds_edges;
    const Kernel kernel = *FindKernel(std::string(named.name));
    const Result result = Apply(picture, kernel, request, pool);
    const Range found = RangeOf(result);
    status = gallery.Add(std::string(named.name), std::string(named.caption),
                         result, found, ZeroOf(kernel, request, found));
  });
  if (!status.ok()) return status;
  return std::move(gallery).Finish();
}

// Nobody who asks for a gallery means to lose the picture.
absl::Status CheckPictureStays(const std::string& picture,
                               const std::vector<Output>& outputs) {
  for (const Output& output : outputs) {
    std::error_code ignored;
    if (std::filesystem::equivalent(picture, output.path, ignored)) {
      return absl::FailedPreconditionError(absl::StrCat(
          "--gallery: ", absl::Utf8SafeCEscape(output.path),
          ": expected a file that can be replaced, found the picture itself; "
          "name another folder"));
    }
  }
  return absl::OkStatus();
}

int Complain(const absl::Status& status, int code) {
  absl::FPrintF(stderr, "filter: %s\n", status.message());
  return code;
}

// A full or failing disk is a failure; the rest is where the user pointed.
int CodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kFailedPrecondition:
      return kBadUsage;
    default:
      return kFailed;
  }
}

int Write(const std::vector<Output>& outputs) {
  // All files or none, as far as can be seen beforehand.
  for (const Output& output : outputs) {
    std::error_code ignored;
    if (std::filesystem::is_directory(output.path, ignored)) {
      return Complain(
          absl::FailedPreconditionError(absl::StrCat(
              absl::Utf8SafeCEscape(output.path),
              ": expected a file that can be written, found a directory; "
              "name another one")),
          kBadUsage);
    }
  }
  for (const Output& output : outputs) {
    const absl::Status status = WriteFileAtomically(output.path, output.bytes);
    if (!status.ok()) return Complain(status, CodeOf(status));
    const std::string path = absl::Utf8SafeCEscape(output.path);
    absl::PrintF("Wrote %s: %s\n", path, output.result);
    if (!output.note.empty()) {
      absl::FPrintF(stderr, "%s shows %s\n", path, output.note);
    }
  }
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    return Complain(
        absl::DataLossError("standard output: could not write all of it"),
        kFailed);
  }
  return 0;
}

int Main(int argc, char** argv) {
  const absl::StatusOr<Options> options = ReadOptions(argc, argv);
  if (!options.ok()) return Complain(options.status(), kBadUsage);
  if (options->help) {
    absl::PrintF("%s", HelpText());
    return 0;
  }
  const absl::Status folder = CheckOutputs(*options);
  if (!folder.ok()) return Complain(folder, kBadUsage);
  const absl::StatusOr<Picture> picture =
      options->in.empty() ? DrawTestPicture()
                          : ReadPicture(ResolveUserPath(options->in));
  if (!picture.ok()) return Complain(picture.status(), kBadUsage);
  ThreadPool pool(options->threads);
  const absl::StatusOr<std::vector<Output>> outputs =
      options->gallery.empty() ? FilterOnce(*options, *picture, pool)
                               : FilterForGallery(*options, *picture, pool);
  if (!outputs.ok()) return Complain(outputs.status(), kBadUsage);
  if (!options->gallery.empty() && !options->in.empty()) {
    const absl::Status stays =
        CheckPictureStays(ResolveUserPath(options->in), *outputs);
    if (!stays.ok()) return Complain(stays, kBadUsage);
  }
  const int code = Write(*outputs);
  if (code == 0 && options->in.empty()) {
    absl::FPrintF(stderr,
                  "The picture was drawn by this program; --in=FILE names "
                  "another\n");
  }
  return code;
}

}  // namespace
}  // namespace hpcnn::filter

int main(int argc, char** argv) {
  return hpcnn::program::Run("filter", &hpcnn::filter::Main, argc, argv);
}
