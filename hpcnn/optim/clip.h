// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Optimizers that clip the gradient of the loss first. Each is its rule, with
// the rule's members, states and name:
//   ClipByNorm<Adam>{{.beta1 = 0.8f}, 0.5f}
// Penalties are added to what is left of the gradient.

#ifndef HPCNN_OPTIM_CLIP_H_
#define HPCNN_OPTIM_CLIP_H_

#include <array>
#include <span>

#include "hpcnn/ops/elementwise.h"
#include "hpcnn/ops/update.h"
#include "hpcnn/optim/optimizer.h"

HPCNN_NAMESPACE_BEGIN

// Every element within [-bound, bound].
template <Optimizer Rule>
struct ClipByValue : Rule {
  static_assert(!internal::NeedsNorm<Rule>(),
                "hpcnn: the norm is that of the gradient as it was; write "
                "ClipByNorm<ClipByValue<...>>");

  float bound = 1;

  template <ExecutionPolicy P, class T>
  void Update(const OptimizerStep<T>& step, std::span<T> params,
              std::span<T> gradient,
              std::array<T*, Rule::kStates> state) const {
    Elementwise<P>(ClampFunction<T>{T{bound}}, gradient, gradient);
    Rule::template Update<P>(step, params, gradient, state);
  }
};

// The gradient by all parameters made no longer than max_norm, keeping its
// direction (Pascanu et al., ICML 2013), as by PyTorch's clip_grad_norm_.
template <Optimizer Rule>
struct ClipByNorm : Rule {
  static constexpr bool kNeedsNorm = true;

  float max_norm = 1;

  template <ExecutionPolicy P, class T>
  void Update(const OptimizerStep<T>& step, std::span<T> params,
              std::span<T> gradient,
              std::array<T*, Rule::kStates> state) const {
    const T factor = T{max_norm} / (step.norm + T{1e-6f});
    if (factor < 1) {
      Elementwise<P>(ScaleFunction<T>{factor}, gradient, gradient);
    }
    Rule::template Update<P>(step, params, gradient, state);
  }
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_OPTIM_CLIP_H_
