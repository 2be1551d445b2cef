// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// //tools:sweep: what network, learning rate, batch size and optimizer do to
// accuracy and time.

#include <cstddef>
#include <cstdio>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "hpcnn/concurrency/stop_signals.h"
#include "hpcnn/data/mnist.h"
#include "hpcnn/data/split.h"
#include "hpcnn/io/file.h"
#include "hpcnn/train/fit.h"
#include "tools/output_file.h"
#include "tools/program.h"
#include "tools/sweep/options.h"
#include "tools/sweep/row.h"
#include "tools/train/images.h"
#include "tools/train/options.h"
#include "tools/train/phase.h"
#include "tools/train/run_model.h"

namespace hpcnn::sweep {
namespace {

// Keeps the result of a phase.
class Keep : public train::PhaseObserver {
 public:
  void Begin(const train::Phase&) override {}
  void OnStep(const EpochRecord&, std::size_t, std::size_t) override {}
  void OnEpoch(const EpochRecord&) override {}
  void End(const train::PhaseResult& result) override { result_ = result; }

  const train::PhaseResult& result() const { return result_; }

 private:
  train::PhaseResult result_;
};

// To `csv` as well, run by run.
std::vector<Row> RunAll(const std::vector<train::Options>& runs,
                        const Split<MnistImages>& split, std::FILE* csv,
                        const StopSignals& signals) {
  const auto write = [&](const std::string& line) {
    if (csv == nullptr) return;
    std::fputs(line.c_str(), csv);
    std::fflush(csv);
  };
  write(CsvHeader());
  std::vector<Row> rows;
  for (const train::Options& run : runs) {
    absl::FPrintF(stderr,
                  "run %d/%d: %s, %s, %s, lr %.4g, batch %d: ", rows.size() + 1,
                  runs.size(), run.model, run.optimizer, run.schedule, run.rate,
                  run.batch);
    Keep keep;
    train::RunModel({run, split, signals.token(), keep});
    const auto& failure = keep.result().history.failure;
    if (!keep.result().tested && !failure) {
      absl::FPrintF(stderr, "stopped\n");
      break;
    }
    const Row& row = rows.emplace_back(
        MakeRow(run, train::ParameterCount(run.model), keep.result()));
    write(CsvLine(row));
    if (failure) {
      absl::FPrintF(stderr, "%s\n", failure->Text());
    } else {
      absl::FPrintF(stderr, "test %.2f %%, %.2f s\n", *row.test, row.seconds);
    }
  }
  return rows;
}

int Complain(const absl::Status& status, int code) {
  absl::FPrintF(stderr, "sweep: %s\n", status.message());
  return code;
}

int Main(int argc, char** argv) {
  const absl::StatusOr<Options> options = ReadOptions(argc, argv);
  if (!options.ok()) return Complain(options.status(), program::kBadUsage);
  if (options->help) {
    absl::PrintF("%s", HelpText());
    return 0;
  }
  const StopSignals signals;  // before any other thread starts
  const train::Options& any = options->runs.front();
  const absl::StatusOr<train::Images> images = train::LoadImages(any.data);
  if (!images.ok()) return Complain(images.status(), program::kBadUsage);
  const auto split = train::SplitImages(any, *images, "give it more data");
  if (!split.ok()) return Complain(split.status(), program::kBadUsage);
  if (signals.exit_code() != 0) return signals.exit_code();
  // Last of the checks: what is wrong elsewhere must not cost an old file.
  OutputFile csv("csv");
  if (!options->csv.empty()) {
    const absl::Status status = csv.Open(ResolveUserPath(options->csv));
    if (!status.ok()) return Complain(status, program::kBadUsage);
  }

  absl::PrintF("%s", train::Describe(*images, *split));
  std::fflush(stdout);
  const std::vector<Row> rows =
      RunAll(options->runs, *split, csv.get(), signals);
  absl::PrintF("\n%s", Table(rows));
  absl::Status written = CheckWritten(stdout, "standard output");
  if (written.ok()) written = csv.CheckWritten();
  if (!written.ok()) return Complain(written, program::kFailed);
  return signals.exit_code();
}

}  // namespace
}  // namespace hpcnn::sweep

int main(int argc, char** argv) {
  return hpcnn::program::Run("sweep", &hpcnn::sweep::Main, argc, argv);
}
