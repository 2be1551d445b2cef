// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// What the command line of //tools:train says, checked and completed.

#ifndef HPCNN_TOOLS_TRAIN_OPTIONS_H_
#define HPCNN_TOOLS_TRAIN_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "hpcnn/augment/pipeline.h"

namespace hpcnn::train {

struct Options {
  bool help = false;

  std::vector<std::size_t> workers;  // one augmented run for each
  std::string workers_source;        // who decided: the flag, SLURM, ...
  std::size_t threads = 1;
  std::string threads_source;

  std::string data = "auto";
  bool lowdata = false;
  std::optional<std::size_t> validation_size;

  std::string model;
  std::string policy;  // scalar, simd
  std::string optimizer;
  std::string schedule;

  std::uint32_t epochs = 0;
  std::size_t batch = 0;
  // Set: batches drawn with replacement. Not set: every image once an epoch.
  std::optional<std::size_t> batches_per_epoch;
  float rate = 0;
  float weight_decay = 0;
  AugmentRanges ranges;
  bool plain = true;
  bool augmented = true;
  std::uint64_t seed = 0;
  std::string metrics;  // a file, or nothing
};

// Reads argv. A status is one line that says which flag, what was expected and
// what was found.
absl::StatusOr<Options> ReadOptions(int argc, char** argv);

// What --help prints.
std::string HelpText();

}  // namespace hpcnn::train

#endif  // HPCNN_TOOLS_TRAIN_OPTIONS_H_
