// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// What //tools:train prints and writes: the course's lines and tables to
// stdout, progress to stderr, one JSON object an epoch and a phase to the
// metrics file.

#ifndef HPCNN_TOOLS_TRAIN_REPORT_H_
#define HPCNN_TOOLS_TRAIN_REPORT_H_

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "hpcnn/train/fit.h"
#include "tools/output_file.h"
#include "tools/train/phase.h"

namespace hpcnn::train {

class Report : public PhaseObserver {
 public:
  Report();

  // Opens and empties the metrics file.
  absl::Status Open(const std::string& metrics_path);
  // Whether all that was printed and written has arrived.
  absl::Status Close();

  void Begin(const Phase& phase) override;
  void OnStep(const EpochRecord& so_far, std::size_t step,
              std::size_t steps) override;
  void OnEpoch(const EpochRecord& epoch) override;
  void End(const PhaseResult& result) override;

  // Whether a phase ended with a step that failed.
  bool failed() const;

  // The tables at the end: plain beside augmented, and workers beside workers.
  void Summary() const;

 private:
  using Clock = std::chrono::steady_clock;

  void ClearBar();
  void WorkersTable() const;
  // Throughput since the epoch began.
  double Rate(const EpochRecord& so_far) const;

  const bool is_terminal_;  // stderr: a bar, else one line an epoch
  OutputFile metrics_{"metrics"};
  Phase phase_;
  Clock::time_point epoch_start_;
  Clock::time_point last_bar_;
  bool bar_shown_ = false;
  std::vector<PhaseResult> results_;
};

}  // namespace hpcnn::train

#endif  // HPCNN_TOOLS_TRAIN_REPORT_H_
