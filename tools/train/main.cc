// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// //tools:train: plain against augmented training on handwritten digits.

#include <algorithm>
#include <cstddef>
#include <cstdio>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/concurrency/cpu_count.h"
#include "hpcnn/concurrency/stop_signals.h"
#include "hpcnn/data/mnist.h"
#include "hpcnn/data/split.h"
#include "hpcnn/io/file.h"
#include "tools/program.h"
#include "tools/train/command_line.h"
#include "tools/train/images.h"
#include "tools/train/options.h"
#include "tools/train/report.h"
#include "tools/train/run_model.h"

namespace hpcnn::train {
namespace {

using program::kBadUsage;
using program::kFailed;

void PrintSetUp(const Options& options, const Images& images,
                const Split<MnistImages>& split) {
  absl::PrintF("%s", Describe(images, split));
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
  const auto split =
      SplitImages(*options, *images, "give a smaller --val_size or more data");
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
  return report.failed() ? kFailed : signals.exit_code();
}

}  // namespace
}  // namespace hpcnn::train

int main(int argc, char** argv) {
  return hpcnn::program::Run("train", &hpcnn::train::Main, argc, argv);
}
