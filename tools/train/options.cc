// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "tools/train/options.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "hpcnn/concurrency/cpu_count.h"
#include "tools/flags.h"
#include "tools/train/choices.h"

namespace hpcnn::train {
namespace {

using flags::ReadChoice;
using flags::ReadCount;
using flags::Refuse;

// 16 batches of 28x28 floats are in memory at once.
constexpr std::size_t kMaxBatch = 4096;
// Draws are numbered with 32 bits.
constexpr std::size_t kMaxDraws = 0xFFFF'FFFF;

absl::Status ReadWorkers(std::string_view value, Options& options) {
  if (value == "auto") {
    const CpuCount cpus = UsableCpus();
    options.workers = {std::clamp<std::size_t>(cpus.count, 2, kMaxThreads)};
    options.workers_source = cpus.count < 2
                                 ? absl::StrCat(cpus.source, ", at least 2")
                                 : std::string(cpus.source);
    return absl::OkStatus();
  }
  options.workers_source = "--workers";
  for (const std::string_view word : absl::StrSplit(value, ',')) {
    std::size_t count = 0;
    if (!absl::SimpleAtoi(word, &count) || count > kMaxThreads) {
      return Refuse("workers", value,
                    absl::StrCat("auto, or counts from 0 to ", kMaxThreads,
                                 " with commas between"));
    }
    options.workers.push_back(count);
  }
  return absl::OkStatus();
}

absl::Status ReadThreads(std::string_view value, Options& options) {
  if (value == "auto") {
    const CpuCount cpus = UsableCpus();
    // A thread needs some eight samples, or it waits longer than it works.
    const std::size_t useful = std::max<std::size_t>(1, options.batch / 8);
    options.threads = std::min({cpus.count, useful, kMaxThreads});
    options.threads_source = options.threads < cpus.count
                                 ? "8 images of a batch each"
                                 : std::string(cpus.source);
    return absl::OkStatus();
  }
  options.threads_source = "--threads";
  return ReadCount<std::size_t>("threads", value, 1, kMaxThreads,
                                options.threads);
}

// Rates of momentum descent found on MNIST, for plain and augmented training
// alike; the plain run is tuned as carefully as the augmented one.
struct Recipe {
  std::string_view model;
  float rate;
  float lowdata_rate;
  float weight_decay;
};
constexpr Recipe kRecipes[] = {
    {"mlp", 0.1f, 0.05f, 1e-4f},   {"mlp-large", 0.05f, 0.05f, 1e-4f},
    {"course", 0.3f, 0.15f, 0.0f}, {"lenet", 0.05f, 0.04f, 1e-4f},
    {"cnn", 0.05f, 0.04f, 1e-4f},
};

void ChooseRates(Options& options) {
  const Recipe& recipe =
      *std::ranges::find(kRecipes, options.model, &Recipe::model);
  options.rate = options.lowdata ? recipe.lowdata_rate : recipe.rate;
  options.weight_decay = options.lowdata ? 1e-3f : recipe.weight_decay;
  if (options.optimizer == "sgd") {
    // Momentum 0.9 multiplies a steady gradient by 10; the rate of plain
    // descent makes up for it, halved because it has no inertia.
    options.rate *= 5;
  } else if (options.optimizer == "adam" || options.optimizer == "rmsprop") {
    options.rate *= 0.02f;  // steps of about the rate, however small the slope
  } else if (options.optimizer == "adamw") {
    options.rate *= 0.02f;
    options.weight_decay *= 100;  // times the rate
  }
}

absl::Status ReadRate(std::string_view value, float& rate) {
  if (value == "auto") return absl::OkStatus();
  if (!absl::SimpleAtof(value, &rate) || !(rate > 0) || !std::isfinite(rate)) {
    return Refuse("lr", value, "auto, or a number above 0");
  }
  return absl::OkStatus();
}

absl::Status ReadWeightDecay(std::string_view value, float& decay) {
  if (value == "auto") return absl::OkStatus();
  if (!absl::SimpleAtof(value, &decay) || !(decay >= 0) ||
      !std::isfinite(decay)) {
    return Refuse("weight_decay", value, "auto, or a number of 0 or more");
  }
  return absl::OkStatus();
}

absl::Status ReadOptional(std::string_view flag, std::string_view value,
                          std::size_t high, std::optional<std::size_t>& out) {
  if (value == "auto") return absl::OkStatus();
  return ReadCount<std::size_t>(flag, value, 1, high, out.emplace());
}

}  // namespace

std::vector<std::string_view> ModelNames() {
  std::vector<std::string_view> names;
  for (const Recipe& recipe : kRecipes) names.push_back(recipe.model);
  return names;
}

absl::StatusOr<Options> CompleteOptions(const Settings& settings) {
  Options options;
  std::string preset;
  HPCNN_RETURN_IF_ERROR(
      ReadChoice("preset", settings.preset, {"full", "lowdata"}, preset));
  options.lowdata = preset == "lowdata";
  HPCNN_RETURN_IF_ERROR(
      ReadChoice("model", settings.model, ModelNames(), options.model));
  HPCNN_RETURN_IF_ERROR(flags::ReadPolicy(settings.policy, options.policy));
  HPCNN_RETURN_IF_ERROR(ReadChoice("optimizer", settings.optimizer,
                                   AnyOptimizer::Names(), options.optimizer));
  HPCNN_RETURN_IF_ERROR(ReadChoice("schedule", settings.schedule,
                                   AnySchedule::Names(), options.schedule));

  if (options.lowdata) {
    options.batch = 16;
    options.batches_per_epoch = 300;
    options.ranges = {.rotate = 12, .shift = 2, .skew = 0.15f, .noise = 0.05f};
  } else {
    options.batch = 64;
  }
  if (settings.batch != "auto") {
    HPCNN_RETURN_IF_ERROR(ReadCount<std::size_t>("batch", settings.batch, 1,
                                                 kMaxBatch, options.batch));
  }
  HPCNN_RETURN_IF_ERROR(
      ReadOptional("batches_per_epoch", settings.batches_per_epoch,
                   kMaxDraws / options.batch, options.batches_per_epoch));
  HPCNN_RETURN_IF_ERROR(ReadOptional("val_size", settings.val_size, 100'000'000,
                                     options.validation_size));
  HPCNN_RETURN_IF_ERROR(ReadCount<std::uint32_t>("epochs", settings.epochs, 1,
                                                 1'000'000, options.epochs));
  HPCNN_RETURN_IF_ERROR(ReadCount<std::uint64_t>(
      "seed", settings.seed, 0, ~std::uint64_t{0}, options.seed));
  ChooseRates(options);
  HPCNN_RETURN_IF_ERROR(ReadRate(settings.lr, options.rate));
  HPCNN_RETURN_IF_ERROR(
      ReadWeightDecay(settings.weight_decay, options.weight_decay));
  HPCNN_RETURN_IF_ERROR(ReadWorkers(settings.workers, options));
  HPCNN_RETURN_IF_ERROR(ReadThreads(settings.threads, options));

  std::string augment;
  HPCNN_RETURN_IF_ERROR(
      ReadChoice("augment", settings.augment, {"both", "on", "off"}, augment));
  options.plain = augment != "on";
  options.augmented = augment != "off";
  options.data = settings.data;
  if (options.data.empty()) {
    return Refuse("data", "", "a folder, synthetic or auto");
  }
  return options;
}

}  // namespace hpcnn::train
