// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "tools/output_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace hpcnn {

absl::Status CheckWritten(std::FILE* file, std::string_view name) {
  if (std::fflush(file) == 0 && std::ferror(file) == 0) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(name, ": could not write all of it"));
}

absl::Status OutputFile::Open(const std::string& path) {
  place_ = absl::StrCat("--", flag_, ": ", absl::Utf8SafeCEscape(path));
  file_.reset(std::fopen(path.c_str(), "w"));
  if (file_) return absl::OkStatus();
  return absl::PermissionDeniedError(
      absl::StrCat(place_, ": expected a file that can be written, found \"",
                   std::strerror(errno), "\"; name one in a folder of yours"));
}

absl::Status OutputFile::CheckWritten() const {
  return file_ ? hpcnn::CheckWritten(file_.get(), place_) : absl::OkStatus();
}

}  // namespace hpcnn
