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

HPCNN_NAMESPACE_BEGIN

struct Sgd {
  static constexpr const char* kName = "sgd";
  static constexpr std::size_t kStates = 0;

  // L2 regularisation; biases decay like weights.
  float weight_decay = 0;

  template <ExecutionPolicy P, class T>
  void Update(T rate, std::span<T> params, std::span<T> gradient,
              std::array<T*, kStates>) const {
    Axpby<P>(-rate, std::span<const T>(gradient), T{1} - rate * T{weight_decay},
             params);
  }
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_OPTIM_SGD_H_
