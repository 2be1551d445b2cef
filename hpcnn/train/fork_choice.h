// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// ForkChoice: whether training steps are shared among the threads or left to
// one, by trying. A step of a small network lasts some 100 us, and in it each
// core reads the weights that the other has just written: on some processors
// that makes two threads slower than one. The results are the same either way,
// so the first steps take turns, and what was faster stays.

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
    const std::size_t in_turn = step_ % kTurn;
    if (in_turn >= kTurn - kCounted) {
      const std::size_t turn = step_ / kTurn;
      times_[turn % 2][turn / 2 * kCounted + in_turn - (kTurn - kCounted)] =
          duration;
    }
    ++step_;
    if (decided()) {
      forks_ = Median(times_[0]) <= Median(times_[1]);
    } else {
      forks_ = step_ / kTurn % 2 == 0;
    }
  }

 private:
  // The first steps of a turn move the weights to the caches they are then
  // used in, and wake threads: not counted.
  static constexpr std::size_t kTurn = 8;
  static constexpr std::size_t kCounted = 4;
  static constexpr std::size_t kTurns = 4;  // of each kind
  static constexpr std::size_t kTrialSteps = 2 * kTurns * kTurn;
  using Times = std::array<Duration, kTurns * kCounted>;

  static Duration Median(Times& times) {
    const auto middle = times.begin() + times.size() / 2;
    std::nth_element(times.begin(), middle, times.end());
    return *middle;
  }

  std::size_t step_;
  bool forks_;
  std::array<Times, 2> times_{};  // shared, alone
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_TRAIN_FORK_CHOICE_H_
