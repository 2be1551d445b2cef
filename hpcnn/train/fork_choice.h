// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// ForkChoice: whether training steps are shared among the threads or left to
// one, by trying. A step of a small network lasts some 100 us, and in it each
// core reads the weights that the other has just written: on some processors
// that makes two threads slower than one. The results are the same either way,
// so the first steps are made one way, the next ones the other, and what was
// faster stays.

#ifndef HPCNN_TRAIN_FORK_CHOICE_H_
#define HPCNN_TRAIN_FORK_CHOICE_H_

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>

#include "hpcnn/base/target.h"

HPCNN_NAMESPACE_BEGIN

class ForkChoice {
 public:
  using Duration = std::chrono::steady_clock::duration;

  // With one thread there is nothing to choose.
  explicit ForkChoice(std::size_t threads)
      : step_(threads > 1 ? 0 : kTrialSteps), forks_(threads > 1) {}

  // Is the next step to be shared?
  bool forks() const { return forks_; }
  bool decided() const { return step_ == kTrialSteps; }

  // After each step, until decided: how long it took. Allocates nothing.
  void Took(Duration duration) {
    if (decided()) return;
    times_[step_ % kTrial] = duration;
    ++step_;
    if (step_ == kTrial) {
      shared_ = MedianOfLastHalf();
      forks_ = false;
    } else if (decided()) {
      forks_ = shared_ <= MedianOfLastHalf();
    }
  }

 private:
  // In the first half the system finds a processor for each thread, and the
  // weights move to the caches they are then used in: not counted. That has
  // been seen to take 30 ms.
  static constexpr std::size_t kTrial = 128;
  static constexpr std::size_t kTrialSteps = 2 * kTrial;

  Duration MedianOfLastHalf() {
    const auto begin = times_.begin() + kTrial / 2;
    std::nth_element(begin, begin + kTrial / 4, times_.end());
    return begin[kTrial / 4];
  }

  std::size_t step_;
  bool forks_;
  Duration shared_{};
  std::array<Duration, kTrial> times_{};
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_TRAIN_FORK_CHOICE_H_
