// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// A file that a flag names and that grows while the program runs. Without a
// name nothing is written.

#ifndef HPCNN_TOOLS_OUTPUT_FILE_H_
#define HPCNN_TOOLS_OUTPUT_FILE_H_

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace hpcnn {

// Whether all that was written to `file`, "NAME" in the message, has arrived.
absl::Status CheckWritten(std::FILE* file, std::string_view name);

class OutputFile {
 public:
  // `flag`: the flag that names it, without dashes.
  explicit OutputFile(std::string_view flag) : flag_(flag) {}

  // Creates or empties the file.
  absl::Status Open(const std::string& path);
  absl::Status CheckWritten() const;

  // Null unless open.
  std::FILE* get() const { return file_.get(); }

 private:
  struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  std::string_view flag_;
  std::string place_;  // "--FLAG: PATH"
  std::unique_ptr<std::FILE, CloseFile> file_;
};

}  // namespace hpcnn

#endif  // HPCNN_TOOLS_OUTPUT_FILE_H_
