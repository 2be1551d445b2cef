// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// What an optimizer is.
//
// An optimizer O holds its hyper-parameters and no state; the state lives
// beside the parameters, kStates values for each:
//   O::kStates
//   o.Update<P, T>(rate, params, gradient, state)
//       params, gradient [n]; state[s] points to n values, zero before the
//       first step; gradient may be overwritten
// Every element is updated by itself, so any split over threads gives the same
// bits.

#ifndef HPCNN_OPTIM_OPTIMIZER_H_
#define HPCNN_OPTIM_OPTIMIZER_H_

#include <array>
#include <concepts>
#include <cstddef>
#include <span>

#include "hpcnn/base/policy.h"
#include "hpcnn/base/target.h"

HPCNN_NAMESPACE_BEGIN

// Satisfied by Sgd and Momentum.
template <class O>
concept Optimizer = requires(const O& o, std::span<float> params,
                             std::span<float> gradient,
                             std::array<float*, O::kStates> state) {
  { O::kStates } -> std::convertible_to<std::size_t>;
  o.template Update<Scalar>(0.1f, params, gradient, state);
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_OPTIM_OPTIMIZER_H_
