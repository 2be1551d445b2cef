// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// What a training is to be, as a person says it and checked and completed.

#ifndef HPCNN_TOOLS_TRAIN_OPTIONS_H_
#define HPCNN_TOOLS_TRAIN_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "hpcnn/augment/pipeline.h"

namespace hpcnn::train {

// More would only ask for memory: each thread has a stack.
inline constexpr std::size_t kMaxThreads = 1024;

// The values of the flags of the same names, as typed. These are the defaults.
struct Settings {
  std::string workers = "auto";
  std::string threads = "auto";
  std::string data = "auto";
  std::string preset = "full";
  std::string val_size = "auto";
  std::string model = "mlp";
  std::string policy = "simd";
  std::string epochs = "15";
  std::string batch = "auto";
  std::string batches_per_epoch = "auto";
  std::string optimizer = "momentum";
  std::string lr = "auto";
  std::string schedule = "cosine";
  std::string weight_decay = "auto";
  std::string augment = "both";
  std::string seed = "1";
};

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

// What --model may be.
std::vector<std::string_view> ModelNames();

// A status is one line that says which flag, what was expected and what was
// found.
absl::StatusOr<Options> CompleteOptions(const Settings& settings);

}  // namespace hpcnn::train

#endif  // HPCNN_TOOLS_TRAIN_OPTIONS_H_
