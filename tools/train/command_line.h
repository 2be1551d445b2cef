// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// The command line of //tools:train. Its flags are in every program that links
// this.

#ifndef HPCNN_TOOLS_TRAIN_COMMAND_LINE_H_
#define HPCNN_TOOLS_TRAIN_COMMAND_LINE_H_

#include <string>

#include "absl/status/statusor.h"
#include "tools/train/options.h"

namespace hpcnn::train {

// Reads argv. A status is one line that says which flag, what was expected and
// what was found.
absl::StatusOr<Options> ReadOptions(int argc, char** argv);

// What --help prints.
std::string HelpText();

}  // namespace hpcnn::train

#endif  // HPCNN_TOOLS_TRAIN_COMMAND_LINE_H_
