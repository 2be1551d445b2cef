// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// What an optimizer is.
//
// An optimizer O holds its hyper-parameters and no state; the state lives
// beside the parameters, kStates values for each:
//   O::kName                for messages and tests
//   O::kStates
//   o.Update<P, T>(step, params, gradient, state)
//       step: OptimizerStep<T>
//       params, gradient [n]; state[s] points to n values, zero before the
//       first step; gradient may be overwritten
// and, if it likes,
//   O::kNeedsNorm = true    step.norm is given. The trainer then stores the
//                           whole gradient and forks once more.
// Every element is updated by itself, so any split over threads gives the same
// bits.

#ifndef HPCNN_OPTIM_OPTIMIZER_H_
#define HPCNN_OPTIM_OPTIMIZER_H_

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

#include "hpcnn/base/policy.h"
#include "hpcnn/base/target.h"

HPCNN_NAMESPACE_BEGIN

template <class T>
struct OptimizerStep {
  T rate;
  std::uint64_t number = 1;  // from 1
  T norm = 0;                // of the gradient by all parameters
};

// Satisfied by Sgd, Momentum, Nesterov, RmsProp, Adam and AdamW.
template <class O>
concept Optimizer = requires(const O& o, const OptimizerStep<float>& step,
                             std::span<float> params, std::span<float> gradient,
                             std::array<float*, O::kStates> state) {
  { O::kName } -> std::convertible_to<const char*>;
  { O::kStates } -> std::convertible_to<std::size_t>;
  o.template Update<Scalar>(step, params, gradient, state);
};

namespace internal {

template <class O>
consteval bool NeedsNorm() {
  if constexpr (requires { O::kNeedsNorm; }) return O::kNeedsNorm;
  return false;
}

}  // namespace internal

HPCNN_NAMESPACE_END

#endif  // HPCNN_OPTIM_OPTIMIZER_H_
