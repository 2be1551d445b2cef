// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// ForkChoice: whether training steps are shared among the threads or left to
// one, by trying. A step of a small network lasts some 100 us, and in it each
// core reads the weights that the other has just written: on some processors
// that makes two threads slower than one. The results are the same either way,
// so the first steps are made one way, the next ones the other, and what was
// faster stays. Other programs may have disturbed a trial: there is another one
// after four times as many steps, and so on.

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
      : choice_(threads > 1), forks_(threads > 1) {}

  // Is the next step to be shared?
  bool forks() const { return forks_; }

  // After each step: how long it took. Allocates nothing.
  void Took(Duration duration) {
    if (!choice_) return;
    times_[step_ % kTrial] = duration;
    ++step_;
    if (step_ < (trying_ ? kTrial : settled_steps_)) return;
    step_ = 0;
    const Duration median = MedianOfLastHalf();
    if (!trying_) {
      settled_ = median;
      forks_ = !forks_;
    } else if (median < settled_) {
      settled_steps_ = 4 * kTrial;
    } else {
      forks_ = !forks_;
      settled_steps_ *= 4;
    }
    trying_ = !trying_;
  }

 private:
  // In the first half the system finds a processor for each thread, and the
  // weights move to the caches they are then used in: not counted. That has
  // been seen to take 30 ms.
  static constexpr std::size_t kTrial = 128;

  Duration MedianOfLastHalf() {
    const auto begin = times_.begin() + kTrial / 2;
    std::nth_element(begin, begin + kTrial / 4, times_.end());
    return begin[kTrial / 4];
  }

  const bool choice_;
  bool forks_;
  bool trying_ = false;  // the other way
  std::size_t step_ = 0;
  std::size_t settled_steps_ = kTrial;  // until the next trial
  Duration settled_{};
  std::array<Duration, kTrial> times_{};  // of the last steps
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_TRAIN_FORK_CHOICE_H_
