// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Gradient descent with heavy-ball momentum (Polyak, 1964), as in PyTorch:
//   v = momentum * v + (g + weight_decay * w),   w -= rate * v

#ifndef HPCNN_OPTIM_MOMENTUM_H_
#define HPCNN_OPTIM_MOMENTUM_H_

#include <array>
#include <cstddef>
#include <span>

#include "hpcnn/ops/elementwise.h"
#include "hpcnn/optim/optimizer.h"

HPCNN_NAMESPACE_BEGIN

struct Momentum {
  static constexpr const char* kName = "momentum";
  static constexpr std::size_t kStates = 1;  // v

  float momentum = 0.9f;
  // L2 regularisation; biases decay like weights.
  float weight_decay = 0;

  template <ExecutionPolicy P, class T>
  void Update(T rate, std::span<T> params, std::span<T> gradient,
              std::array<T*, kStates> state) const {
    const std::span<T> velocity(state[0], params.size());
    if (weight_decay != 0) {
      Axpby<P>(T{weight_decay}, std::span<const T>(params), T{1}, gradient);
    }
    // One pass: params and velocity come from beyond the L1 cache.
    ElementwisePair<P>(MomentumFunction<T>{rate, T{momentum}}, velocity, params,
                       std::span<const T>(gradient),
                       std::span<const T>(velocity),
                       std::span<const T>(params));
  }
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_OPTIM_MOMENTUM_H_
