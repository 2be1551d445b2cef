// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Stochastic gradient descent: w -= rate * (g + weight_decay * w).

#ifndef HPCNN_OPTIM_SGD_H_
#define HPCNN_OPTIM_SGD_H_

#include <array>
#include <cstddef>
#include <span>

#include "hpcnn/ops/elementwise.h"
#include "hpcnn/optim/optimizer.h"
#include "hpcnn/optim/penalty.h"

HPCNN_NAMESPACE_BEGIN

struct Sgd {
  static constexpr const char* kName = "sgd";
  static constexpr std::size_t kStates = 0;

  float weight_decay = 0;  // L2
  float l1 = 0;

  template <ExecutionPolicy P, class T>
  void Update(const OptimizerStep<T>& step, std::span<T> params,
              std::span<T> gradient, std::array<T*, kStates>) const {
    AddPenalty<P>(l1, 0, params, gradient);  // L2 is one with the step
    Axpby<P>(-step.rate, std::span<const T>(gradient),
             T{1} - step.rate * T{weight_decay}, params);
  }
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_OPTIM_SGD_H_
