// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// What the command line of //tools:filter says, checked and completed.

#ifndef HPCNN_TOOLS_FILTER_OPTIONS_H_
#define HPCNN_TOOLS_FILTER_OPTIONS_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "tools/filter/apply.h"

namespace hpcnn::filter {

struct Options {
  bool help = false;

  std::string kernel;  // a name of kernels.h, or an .npy file
  Request request;
  std::string in;  // an image, an .npy file, or empty for the drawn picture

  // One of the two is set.
  std::string out;      // .png or .npy
  std::string gallery;  // a folder

  std::size_t threads = 1;
};

// Reads argv. A status is one line that says which flag, what was expected and
// what was found.
absl::StatusOr<Options> ReadOptions(int argc, char** argv);

// What --help prints.
std::string HelpText();

}  // namespace hpcnn::filter

#endif  // HPCNN_TOOLS_FILTER_OPTIONS_H_
