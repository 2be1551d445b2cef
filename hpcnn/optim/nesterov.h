// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Gradient descent with Nesterov's momentum (1983; Sutskever et al., ICML
// 2013), as in PyTorch:
//   g += weight_decay * w,   v = momentum * v + g,
//   w -= rate * (g + momentum * v)

#ifndef HPCNN_OPTIM_NESTEROV_H_
#define HPCNN_OPTIM_NESTEROV_H_

#include <array>
#include <cstddef>
#include <span>

#include "hpcnn/ops/elementwise.h"
#include "hpcnn/ops/update.h"
#include "hpcnn/optim/optimizer.h"
#include "hpcnn/optim/penalty.h"

HPCNN_NAMESPACE_BEGIN

struct Nesterov {
  static constexpr const char* kName = "nesterov";
  static constexpr std::size_t kStates = 1;  // v

  float momentum = 0.9f;
  float weight_decay = 0;  // L2
  float l1 = 0;

  template <ExecutionPolicy P, class T>
  void Update(const OptimizerStep<T>& step, std::span<T> params,
              std::span<T> gradient, std::array<T*, kStates> state) const {
    AddPenalty<P>(l1, weight_decay, params, gradient);
    const std::span<T> velocity(state[0], params.size());
    Elementwise<P>(NesterovFunction<T>{step.rate, T{momentum}},
                   std::array{velocity, params}, gradient, velocity, params);
  }
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_OPTIM_NESTEROV_H_
