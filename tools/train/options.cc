// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "tools/train/options.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "hpcnn/concurrency/cpu_count.h"
#include "tools/flags.h"
#include "tools/train/choices.h"

ABSL_FLAG(
    std::string, workers, "auto",
    "augmentation workers: a count, 0 to augment in the training threads, "
    "or a list that runs one after another; auto is SLURM_CPUS_PER_TASK, "
    "else the usable processors, at least 2. Example: --workers=8,16,32");
ABSL_FLAG(std::string, threads, "auto",
          "threads of the training step, the same weights for any number; auto "
          "is the usable processors, as far as the batch keeps them busy. "
          "Example: --threads=2");
ABSL_FLAG(
    std::string, data, "auto",
    "a folder with the four MNIST files, raw or .gz; synthetic for digits "
    "that the program draws; auto is $HPCNN_DATA, else "
    "${XDG_CACHE_HOME:-~/.cache}/hpcnn/mnist, else synthetic. "
    "Example: --data=/data/mnist");
ABSL_FLAG(
    std::string, preset, "full",
    "full trains on 55 000 of MNIST's images; lowdata on 500, with batches "
    "drawn with replacement: the course's regime, where augmentation gains "
    "most. Example: --preset=lowdata");
ABSL_FLAG(std::string, val_size, "auto",
          "validation images; auto is 5 000 (full) or 10 000 (lowdata) for "
          "MNIST. Example: --val_size=1000");
ABSL_FLAG(
    std::string, model, "mlp",
    "mlp (784-128-10, ReLU), mlp-large (784-512-256-10), course (784-30-10, "
    "sigmoid), lenet (two convolutions of 5x5, pooled, then 256-128-10) or "
    "cnn (four of 3x3). Example: --model=lenet");
ABSL_FLAG(std::string, policy, "simd",
          "how the maths runs: scalar or simd. Example: --policy=scalar");
ABSL_FLAG(std::string, epochs, "15",
          "passes over the data. Example: --epochs=5");
ABSL_FLAG(std::string, batch, "auto",
          "images a step; auto is 64 (full) or 16 (lowdata). "
          "Example: --batch=128");
ABSL_FLAG(
    std::string, batches_per_epoch, "auto",
    "draw this many batches an epoch, with replacement; auto is every "
    "image once (full) or 300 (lowdata). Example: --batches_per_epoch=100");
ABSL_FLAG(std::string, optimizer, "momentum",
          "sgd, momentum, nesterov, rmsprop, adam or adamw. "
          "Example: --optimizer=adam");
ABSL_FLAG(std::string, lr, "auto",
          "the largest learning rate. auto is tuned for preset, model and "
          "optimizer. Example: --lr=0.05");
ABSL_FLAG(std::string, schedule, "cosine",
          "the learning rate over the run: cosine (falls to 0), constant, step "
          "(a tenth after each third), onecycle (up, then down) or plateau (a "
          "tenth when validation accuracy stands still). "
          "Example: --schedule=onecycle");
ABSL_FLAG(std::string, weight_decay, "auto",
          "pulls all weights to 0: L2, for adamw apart from the gradient. auto "
          "is tuned like --lr. Example: --weight_decay=0");
ABSL_FLAG(std::string, augment, "both",
          "both trains plain, then augmented, and compares; on and off do one. "
          "Example: --augment=on");
ABSL_FLAG(std::string, seed, "1",
          "everything random depends on it alone. Example: --seed=7");
ABSL_FLAG(std::string, metrics, "",
          "write one JSON object an epoch and one a phase to this file. "
          "Example: --metrics=run.jsonl");
ABSL_FLAG(std::string, save, "",
          "write the trained weights to this file; not available yet. "
          "Example: --save=digits.safetensors");

namespace hpcnn::train {
namespace {

using flags::ReadChoice;
using flags::ReadCount;
using flags::Refuse;

constexpr std::string_view kFlags[] = {
    "workers",   "threads", "data",     "preset",       "val_size",
    "model",     "policy",  "epochs",   "batch",        "batches_per_epoch",
    "optimizer", "lr",      "schedule", "weight_decay", "augment",
    "seed",      "metrics", "save"};

// More would only ask for memory: each thread has a stack, and 16 batches of
// 28x28 floats are in memory at once.
constexpr std::size_t kMaxThreads = 1024;
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

std::vector<std::string_view> ModelNames() {
  std::vector<std::string_view> names;
  for (const Recipe& recipe : kRecipes) names.push_back(recipe.model);
  return names;
}

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

absl::Status ReadFlags(Options& options) {
  std::string preset;
  HPCNN_RETURN_IF_ERROR(ReadChoice("preset", absl::GetFlag(FLAGS_preset),
                                   {"full", "lowdata"}, preset));
  options.lowdata = preset == "lowdata";
  HPCNN_RETURN_IF_ERROR(ReadChoice("model", absl::GetFlag(FLAGS_model),
                                   ModelNames(), options.model));
  HPCNN_RETURN_IF_ERROR(
      flags::ReadPolicy(absl::GetFlag(FLAGS_policy), options.policy));
  HPCNN_RETURN_IF_ERROR(ReadChoice("optimizer", absl::GetFlag(FLAGS_optimizer),
                                   AnyOptimizer::Names(), options.optimizer));
  HPCNN_RETURN_IF_ERROR(ReadChoice("schedule", absl::GetFlag(FLAGS_schedule),
                                   AnySchedule::Names(), options.schedule));

  if (options.lowdata) {
    options.batch = 16;
    options.batches_per_epoch = 300;
    options.ranges = {.rotate = 12, .shift = 2, .skew = 0.15f, .noise = 0.05f};
  } else {
    options.batch = 64;
  }
  const std::string batch = absl::GetFlag(FLAGS_batch);
  if (batch != "auto") {
    HPCNN_RETURN_IF_ERROR(
        ReadCount<std::size_t>("batch", batch, 1, kMaxBatch, options.batch));
  }
  HPCNN_RETURN_IF_ERROR(
      ReadOptional("batches_per_epoch", absl::GetFlag(FLAGS_batches_per_epoch),
                   kMaxDraws / options.batch, options.batches_per_epoch));
  HPCNN_RETURN_IF_ERROR(ReadOptional("val_size", absl::GetFlag(FLAGS_val_size),
                                     100'000'000, options.validation_size));
  HPCNN_RETURN_IF_ERROR(ReadCount<std::uint32_t>(
      "epochs", absl::GetFlag(FLAGS_epochs), 1, 1'000'000, options.epochs));
  HPCNN_RETURN_IF_ERROR(ReadCount<std::uint64_t>(
      "seed", absl::GetFlag(FLAGS_seed), 0, ~std::uint64_t{0}, options.seed));
  ChooseRates(options);
  HPCNN_RETURN_IF_ERROR(ReadRate(absl::GetFlag(FLAGS_lr), options.rate));
  HPCNN_RETURN_IF_ERROR(
      ReadWeightDecay(absl::GetFlag(FLAGS_weight_decay), options.weight_decay));
  HPCNN_RETURN_IF_ERROR(ReadWorkers(absl::GetFlag(FLAGS_workers), options));
  HPCNN_RETURN_IF_ERROR(ReadThreads(absl::GetFlag(FLAGS_threads), options));

  std::string augment;
  HPCNN_RETURN_IF_ERROR(ReadChoice("augment", absl::GetFlag(FLAGS_augment),
                                   {"both", "on", "off"}, augment));
  options.plain = augment != "on";
  options.augmented = augment != "off";
  options.data = absl::GetFlag(FLAGS_data);
  if (options.data.empty()) {
    return Refuse("data", "", "a folder, synthetic or auto");
  }
  options.metrics = absl::GetFlag(FLAGS_metrics);
  if (!absl::GetFlag(FLAGS_save).empty()) {
    return Refuse("save", absl::GetFlag(FLAGS_save),
                  "nothing (saving weights is not available yet)");
  }
  return absl::OkStatus();
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
      "Trains a network on handwritten digits, plain and with augmentation, "
      "and compares.\n\n"
      "  bazel run //tools:train -- --workers=32\n"
      "  bazel run //tools:train -- --preset=lowdata --workers=8,16,32\n\n",
      flags::Describe(kFlags),
      "\nResults go to stdout, progress to stderr. Exit code: 0 done, "
      "1 failed, 2 bad\nusage or input, 130 or 143 stopped by Ctrl-C "
      "or SIGTERM.\n");
}

}  // namespace hpcnn::train
