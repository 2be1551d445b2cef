// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// RMSProp (Tieleman & Hinton, Coursera lecture 6.5, 2012), as in PyTorch,
// without momentum and not centred:
//   g += weight_decay * w,   v = alpha * v + (1 - alpha) * g^2,
//   w -= rate * g / (sqrt(v) + epsilon)

#ifndef HPCNN_OPTIM_RMS_PROP_H_
#define HPCNN_OPTIM_RMS_PROP_H_

#include <array>
#include <cstddef>
#include <span>

#include "hpcnn/ops/elementwise.h"
#include "hpcnn/ops/update.h"
#include "hpcnn/optim/optimizer.h"
#include "hpcnn/optim/penalty.h"

HPCNN_NAMESPACE_BEGIN

struct RmsProp {
  static constexpr const char* kName = "rmsprop";
  static constexpr std::size_t kStates = 1;  // v

  float alpha = 0.99f;
  float epsilon = 1e-8f;
  float weight_decay = 0;  // L2
  float l1 = 0;

  template <ExecutionPolicy P, class T>
  void Update(const OptimizerStep<T>& step, std::span<T> params,
              std::span<T> gradient, std::array<T*, kStates> state) const {
    AddPenalty<P>(l1, weight_decay, params, gradient);
    const std::span<T> squares(state[0], params.size());
    Elementwise<P>(RmsPropFunction<T>{step.rate, T{alpha}, T{epsilon}},
                   std::array{squares, params}, gradient, squares, params);
  }
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_OPTIM_RMS_PROP_H_
