// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// What //tools:train prints and writes: the course's lines and tables to
// stdout, progress to stderr, one JSON object an epoch and a phase to the
// metrics file.

#ifndef HPCNN_TOOLS_TRAIN_REPORT_H_
#define HPCNN_TOOLS_TRAIN_REPORT_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "hpcnn/train/fit.h"

namespace hpcnn::train {

// One training run: plain, or augmented with some number of workers.
struct Phase {
  bool augmented = false;
  std::size_t workers = 0;
  std::size_t threads = 1;
  std::uint32_t epochs = 0;
};

struct PhaseResult {
  Phase phase;
  History history;
  bool tested = false;       // not stopped before the test
  double test_accuracy = 0;  // fraction
  std::string weights_sha256;
};

class Report {
 public:
  Report();

  // Opens and empties the metrics file.
  absl::Status Open(const std::string& metrics_path);
  // Whether all that was printed and written has arrived.
  absl::Status Close();

  void Begin(const Phase& phase);
  // Observer of Fit.
  void OnStep(const EpochRecord& so_far, std::size_t step, std::size_t steps);
  void OnEpoch(const EpochRecord& epoch);
  // The end of a phase; the test accuracy is left out when it was stopped.
  void End(const PhaseResult& result);

  // The tables at the end: plain beside augmented, and workers beside workers.
  void Summary() const;

 private:
  using Clock = std::chrono::steady_clock;
  struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  void ClearBar();
  void WorkersTable() const;
  // Throughput since the epoch began.
  double Rate(const EpochRecord& so_far) const;

  const bool is_terminal_;  // stderr: a bar, else one line an epoch
  std::unique_ptr<std::FILE, CloseFile> metrics_;
  Phase phase_;
  Clock::time_point epoch_start_;
  Clock::time_point last_bar_;
  bool bar_shown_ = false;
  std::string metrics_path_;
  std::vector<PhaseResult> results_;
};

}  // namespace hpcnn::train

#endif  // HPCNN_TOOLS_TRAIN_REPORT_H_
