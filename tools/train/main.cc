// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// //tools:train: plain against augmented training on handwritten digits.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/concurrency/cpu_count.h"
#include "hpcnn/concurrency/stop_signals.h"
#include "hpcnn/data/mnist.h"
#include "hpcnn/data/split.h"
#include "hpcnn/data/synthetic_digits.h"
#include "hpcnn/io/file.h"
#include "tools/train/options.h"
#include "tools/train/report.h"
#include "tools/train/run_model.h"

namespace hpcnn::train {
namespace {

constexpr int kFailed = 1;
constexpr int kBadUsage = 2;

// The published training images first, then the test images.
struct Images {
  MnistImages all;
  std::size_t train_images;
  std::string source;
};

absl::StatusOr<Images> LoadImages(const std::string& flag) {
  const DataSource source = ResolveData(flag);
  if (source.folder.empty()) {
    // As many as MNIST has, so that every preset works.
    return Images{MakeSyntheticDigits(70'000, /*seed=*/1), 60'000,
                  absl::StrCat("synthetic digits drawn by this program (",
                               source.reason, ")")};
  }
  absl::StatusOr<Mnist> mnist = LoadMnist(source.folder);
  if (!mnist.ok() && source.reason != "--data") {  // not what the user typed
    return absl::Status(mnist.status().code(),
                        absl::StrCat(mnist.status().message(),
                                     " (the folder: ", source.reason, ")"));
  }
  if (!mnist.ok()) return mnist.status();
  const std::size_t train_images = mnist->train.size();
  mnist->train.Append(mnist->test);
  return Images{std::move(mnist->train), train_images,
                absl::StrCat(source.folder, " (", source.reason, ")")};
}

absl::StatusOr<Split<MnistImages>> SplitImages(const Options& options,
                                               const Images& images) {
  const std::size_t available =
      options.lowdata ? images.all.size() : images.train_images;
  const std::size_t validation = options.validation_size.value_or(
      options.lowdata ? DefaultLowDataValidation(available)
                      : DefaultFullValidation(available));
  const std::size_t train = options.lowdata ? kLowDataTrainSize : 1;
  if (train + validation > available) {
    return absl::InvalidArgumentError(
        absl::StrCat(images.source, ": expected ", train, " training and ",
                     validation, " validation images or more, found ",
                     available, "; give a smaller --val_size or more data"));
  }
  return options.lowdata
             ? SplitLowData(images.all, train, validation, options.seed)
             : SplitFull(images.all, images.train_images, validation,
                         options.seed);
}

void PrintSetUp(const Options& options, const Images& images,
                const Split<MnistImages>& split) {
  absl::PrintF("Data: %s: %d training, %d validation, %d test images\n",
               images.source, split.train.size(), split.validation.size(),
               split.test.size());
  absl::PrintF("Network: %s, %d parameters; %s on %s, %d threads (%s)\n",
               options.model, ParameterCount(options.model), options.policy,
               hwy::TargetName(HWY_STATIC_TARGET), options.threads,
               options.threads_source);
  if (options.augmented) {
    const CpuCount cpus = UsableCpus();
    for (const std::size_t workers : options.workers) {
      const std::size_t running = std::min(workers, cpus.count);
      absl::PrintF("Workers: %d (%s), %d run, %d parked; %d processors (%s)\n",
                   workers, options.workers_source, running, workers - running,
                   cpus.count, cpus.source);
    }
  }
  std::fflush(stdout);
}

int Refuse(const absl::Status& status) {
  absl::FPrintF(stderr, "train: %s\n", status.message());
  return kBadUsage;
}

int Main(int argc, char** argv) {
  const absl::StatusOr<Options> options = ReadOptions(argc, argv);
  if (!options.ok()) return Refuse(options.status());
  if (options->help) {
    absl::PrintF("%s", HelpText());
    return 0;
  }
  const StopSignals signals;  // before any other thread starts
  Report report;
  const absl::StatusOr<Images> images = LoadImages(options->data);
  if (!images.ok()) return Refuse(images.status());
  const auto split = SplitImages(*options, *images);
  if (!split.ok()) return Refuse(split.status());
  // Last of the checks: what is wrong elsewhere must not cost an old file.
  if (!options->metrics.empty()) {
    const absl::Status status = report.Open(ResolveUserPath(options->metrics));
    if (!status.ok()) return Refuse(status);
  }
  if (signals.exit_code() != 0) return signals.exit_code();

  PrintSetUp(*options, *images, *split);
  RunModel({*options, *split, signals.token(), report});
  report.Summary();
  const absl::Status written = report.Close();
  if (!written.ok()) {
    absl::FPrintF(stderr, "train: %s\n", written.message());
    return kFailed;
  }
  return signals.exit_code();
}

}  // namespace
}  // namespace hpcnn::train

int main(int argc, char** argv) {
  // A closed stdout must not become the first file that is opened.
  for (int fd = 0; fd <= STDERR_FILENO; ++fd) {
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0) return 1;
  }
  try {
    return hpcnn::train::Main(argc, argv);
  } catch (const std::exception& error) {
    absl::FPrintF(stderr, "train: %s\n", error.what());
    return hpcnn::train::kFailed;
  }
}
