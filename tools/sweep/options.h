// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// What the command line of //tools:sweep and the file that it names say,
// checked, as a list of trainings.

#ifndef HPCNN_TOOLS_SWEEP_OPTIONS_H_
#define HPCNN_TOOLS_SWEEP_OPTIONS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/train/options.h"

namespace hpcnn::sweep {

struct Options {
  bool help = false;
  // Every combination of the lists, at least one. They differ in model,
  // optimizer, schedule, rate and batch alone, the last of these fastest.
  std::vector<train::Options> runs = {};
  std::string csv = {};  // a file, or nothing
};

// Reads argv. A status is one line that says which flag, or which line of the
// file, what was expected and what was found.
absl::StatusOr<Options> ReadOptions(int argc, char** argv);

// What --help prints.
std::string HelpText();

}  // namespace hpcnn::sweep

#endif  // HPCNN_TOOLS_SWEEP_OPTIONS_H_
