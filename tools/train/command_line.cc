// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "tools/train/command_line.h"

#include <string>
#include <string_view>

#include "absl/flags/flag.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "tools/flags.h"
#include "tools/train/options.h"

using hpcnn::train::Settings;

ABSL_FLAG(
    std::string, workers, Settings{}.workers,
    "augmentation workers: a count, 0 to augment in the training threads, "
    "or a list that runs one after another; auto is SLURM_CPUS_PER_TASK, "
    "else the usable processors, at least 2. Example: --workers=8,16,32");
ABSL_FLAG(std::string, threads, Settings{}.threads,
          "threads of the training step, the same weights for any number; auto "
          "is the usable processors, as far as the batch keeps them busy. "
          "Example: --threads=2");
ABSL_FLAG(
    std::string, data, Settings{}.data,
    "a folder with the four MNIST files, raw or .gz; synthetic for digits "
    "that the program draws; auto is $HPCNN_DATA, else "
    "${XDG_CACHE_HOME:-~/.cache}/hpcnn/mnist, else synthetic. "
    "Example: --data=/data/mnist");
ABSL_FLAG(
    std::string, preset, Settings{}.preset,
    "full trains on 55 000 of MNIST's images; lowdata on 500, with batches "
    "drawn with replacement: the course's regime, where augmentation gains "
    "most. Example: --preset=lowdata");
ABSL_FLAG(std::string, val_size, Settings{}.val_size,
          "validation images; auto is 5 000 (full) or 10 000 (lowdata) for "
          "MNIST. Example: --val_size=1000");
ABSL_FLAG(
    std::string, model, Settings{}.model,
    "mlp (784-128-10, ReLU), mlp-large (784-512-256-10), course (784-30-10, "
    "sigmoid), lenet (two convolutions of 5x5, pooled, then 256-128-10) or "
    "cnn (four of 3x3). Example: --model=lenet");
ABSL_FLAG(std::string, policy, Settings{}.policy,
          "how the maths runs: scalar or simd. Example: --policy=scalar");
ABSL_FLAG(std::string, epochs, Settings{}.epochs,
          "passes over the data. Example: --epochs=5");
ABSL_FLAG(std::string, batch, Settings{}.batch,
          "images a step; auto is 64 (full) or 16 (lowdata). "
          "Example: --batch=128");
ABSL_FLAG(
    std::string, batches_per_epoch, Settings{}.batches_per_epoch,
    "draw this many batches an epoch, with replacement; auto is every "
    "image once (full) or 300 (lowdata). Example: --batches_per_epoch=100");
ABSL_FLAG(std::string, optimizer, Settings{}.optimizer,
          "sgd, momentum, nesterov, rmsprop, adam or adamw. "
          "Example: --optimizer=adam");
ABSL_FLAG(std::string, lr, Settings{}.lr,
          "the largest learning rate. auto is tuned for preset, model and "
          "optimizer. Example: --lr=0.05");
ABSL_FLAG(std::string, schedule, Settings{}.schedule,
          "the learning rate over the run: cosine (falls to 0), constant, step "
          "(a tenth after each third), onecycle (up, then down) or plateau (a "
          "tenth when validation accuracy stands still). "
          "Example: --schedule=onecycle");
ABSL_FLAG(std::string, weight_decay, Settings{}.weight_decay,
          "pulls all weights to 0: L2, for adamw apart from the gradient. auto "
          "is tuned like --lr. Example: --weight_decay=0");
ABSL_FLAG(std::string, augment, Settings{}.augment,
          "both trains plain, then augmented, and compares; on and off do one. "
          "Example: --augment=on");
ABSL_FLAG(std::string, seed, Settings{}.seed,
          "everything random depends on it alone. Example: --seed=7");
ABSL_FLAG(std::string, metrics, "",
          "write one JSON object an epoch and one a phase to this file. "
          "Example: --metrics=run.jsonl");
ABSL_FLAG(std::string, save, "",
          "write the trained weights to this file; not available yet. "
          "Example: --save=digits.safetensors");

namespace hpcnn::train {
namespace {

constexpr std::string_view kFlags[] = {
    "workers",   "threads", "data",     "preset",       "val_size",
    "model",     "policy",  "epochs",   "batch",        "batches_per_epoch",
    "optimizer", "lr",      "schedule", "weight_decay", "augment",
    "seed",      "metrics", "save"};

Settings FromFlags() {
  return {
      .workers = absl::GetFlag(FLAGS_workers),
      .threads = absl::GetFlag(FLAGS_threads),
      .data = absl::GetFlag(FLAGS_data),
      .preset = absl::GetFlag(FLAGS_preset),
      .val_size = absl::GetFlag(FLAGS_val_size),
      .model = absl::GetFlag(FLAGS_model),
      .policy = absl::GetFlag(FLAGS_policy),
      .epochs = absl::GetFlag(FLAGS_epochs),
      .batch = absl::GetFlag(FLAGS_batch),
      .batches_per_epoch = absl::GetFlag(FLAGS_batches_per_epoch),
      .optimizer = absl::GetFlag(FLAGS_optimizer),
      .lr = absl::GetFlag(FLAGS_lr),
      .schedule = absl::GetFlag(FLAGS_schedule),
      .weight_decay = absl::GetFlag(FLAGS_weight_decay),
      .augment = absl::GetFlag(FLAGS_augment),
      .seed = absl::GetFlag(FLAGS_seed),
  };
}

}  // namespace

absl::StatusOr<Options> ReadOptions(int argc, char** argv) {
  if (flags::AsksForHelp(argc, argv)) {
    Options options;
    options.help = true;
    return options;
  }
  HPCNN_RETURN_IF_ERROR(flags::Parse(argc, argv, kFlags));
  absl::StatusOr<Options> options = CompleteOptions(FromFlags());
  if (!options.ok()) return options;
  options->metrics = absl::GetFlag(FLAGS_metrics);
  if (!absl::GetFlag(FLAGS_save).empty()) {
    return flags::Refuse("save", absl::GetFlag(FLAGS_save),
                         "nothing (saving weights is not available yet)");
  }
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
