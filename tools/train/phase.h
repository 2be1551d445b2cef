// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// One training run, what came of it, and who hears of it.

#ifndef HPCNN_TOOLS_TRAIN_PHASE_H_
#define HPCNN_TOOLS_TRAIN_PHASE_H_

#include <cstddef>
#include <cstdint>
#include <string>

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

// An observer of Fit, and of what is around it.
class PhaseObserver {
 public:
  virtual ~PhaseObserver() = default;
  virtual void Begin(const Phase& phase) = 0;
  virtual void OnStep(const EpochRecord& so_far, std::size_t step,
                      std::size_t steps) = 0;
  virtual void OnEpoch(const EpochRecord& epoch) = 0;
  // The test accuracy is left out when the phase was stopped.
  virtual void End(const PhaseResult& result) = 0;
};

// Of a whole phase: trained images, seconds without validation, of these
// waited.
struct Totals {
  double images = 0;
  double seconds = 0;
  double wait_seconds = 0;
};

inline Totals Sum(const History& history) {
  Totals totals;
  for (const EpochRecord& epoch : history.epochs) {
    totals.images += static_cast<double>(epoch.images);
    totals.seconds += epoch.seconds;
    totals.wait_seconds += epoch.wait_seconds;
  }
  return totals;
}

}  // namespace hpcnn::train

#endif  // HPCNN_TOOLS_TRAIN_PHASE_H_
