// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Adam (Kingma & Ba, ICLR 2015) and AdamW (Loshchilov & Hutter, ICLR 2019), as
// in PyTorch; t is the step's number:
//   m = beta1 * m + (1 - beta1) * g,   v = beta2 * v + (1 - beta2) * g^2
//   w -= rate * m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon)
// Adam adds weight_decay * w to g; AdamW begins with w -= rate * weight_decay *
// w instead, so that large gradients do not weaken the decay.

#ifndef HPCNN_OPTIM_ADAM_H_
#define HPCNN_OPTIM_ADAM_H_

#include <array>
#include <cmath>
#include <cstddef>
#include <span>

#include "hpcnn/ops/elementwise.h"
#include "hpcnn/ops/update.h"
#include "hpcnn/optim/optimizer.h"
#include "hpcnn/optim/penalty.h"

HPCNN_NAMESPACE_BEGIN
namespace internal {

// Both, from the penalised gradient; `keep`: what decay leaves of w.
template <ExecutionPolicy P, class Rule, class T>
void UpdateAdam(const Rule& rule, T keep, const OptimizerStep<T>& step,
                std::span<T> params, std::span<T> gradient,
                std::array<T*, 2> state) {
  // Numerator and denominator times sqrt(1 - beta2^t), as in the paper: one
  // quotient an element.
  const auto t = static_cast<double>(step.number);
  const double root = std::sqrt(1 - std::pow(double{rule.beta2}, t));
  const double rate =
      double{step.rate} * root / (1 - std::pow(double{rule.beta1}, t));
  const AdamFunction<T> adam{static_cast<T>(rate), T{rule.beta1}, T{rule.beta2},
                             static_cast<T>(double{rule.epsilon} * root), keep};
  const std::span<T> m(state[0], params.size());
  const std::span<T> v(state[1], params.size());
  Elementwise<P>(adam, std::array{m, v, params}, gradient, m, v, params);
}

}  // namespace internal

struct Adam {
  static constexpr const char* kName = "adam";
  static constexpr std::size_t kStates = 2;  // m, v

  float beta1 = 0.9f;
  float beta2 = 0.999f;
  float epsilon = 1e-8f;
  float weight_decay = 0;  // L2
  float l1 = 0;

  template <ExecutionPolicy P, class T>
  void Update(const OptimizerStep<T>& step, std::span<T> params,
              std::span<T> gradient, std::array<T*, kStates> state) const {
    AddPenalty<P>(l1, weight_decay, params, gradient);
    internal::UpdateAdam<P>(*this, T{1}, step, params, gradient, state);
  }
};

struct AdamW {
  static constexpr const char* kName = "adamw";
  static constexpr std::size_t kStates = 2;  // m, v

  float beta1 = 0.9f;
  float beta2 = 0.999f;
  float epsilon = 1e-8f;
  float weight_decay = 0.01f;
  float l1 = 0;

  template <ExecutionPolicy P, class T>
  void Update(const OptimizerStep<T>& step, std::span<T> params,
              std::span<T> gradient, std::array<T*, kStates> state) const {
    AddPenalty<P>(l1, 0, params, gradient);
    internal::UpdateAdam<P>(*this, T{1} - step.rate * T{weight_decay}, step,
                            params, gradient, state);
  }
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_OPTIM_ADAM_H_
